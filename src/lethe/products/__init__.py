"""Who else must forget: the identity graph, the profile store, the journeys.

`interface` is the seam: a product forgets identities, or what a dataset contributed, and says what remains. `sql`
deletes rows of any database that a mapping describes; `http` asks a customer's own service; `embedded` is three
stores in one SQLite file, for whoever has none; `memory` is for tests. Each of them passes `tests/products/suite.py`.

Nothing here remembers how far it came: forgetting again forgets what is left. No error, log line or repr says an
identity; an error of a library becomes a sentence of ours before it is raised, outside of its handler.
"""
