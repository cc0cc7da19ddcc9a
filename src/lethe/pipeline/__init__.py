"""Durable work: what carries an accepted order, or an expiration whose time has come, to its end.

The domain's rows are the queue. A task says that one step is to be done for one subject; a worker claims it with a
lease and a token, does the outside work, and records what came of it in one transaction that first checks the token.
Any worker takes over what another has let lapse, so every step may run twice: table commits bear a marker and are
looked up before they are repeated, products are asked under a key that stays the same.

The order of things, for a work order:

    find ─► bundle ─► forget ─► purge ─► verify        per dataset, and forget ─► verify per service
                 └──► drop ──────────► confirm         for a dataset that is deleted as a whole

Nothing is deleted anywhere before every find of the order has succeeded. An expiration begins at drop.

`worker` claims and records; `planning`, `bundling`, `record_delete` and `dataset_drop` hold the steps; `settling` lets
orders and expirations follow their tasks.
"""
