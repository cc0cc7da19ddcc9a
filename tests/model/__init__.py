"""The status machine, walked exhaustively: every interleaving of a small world, with the pipeline's own code.

A state is what the database remembers, what the tables and a service hold, and what each worker is in the middle of. A
transition is one thing that happens: a request is accepted, a worker claims a task, does its outside work, records it,
dies; a lease runs out and another worker takes the task over while the first still lives; time passes. Claims, steps
and records are Lethe's: `memory` stands in for the storage, `world` for tables and service, and both are small enough
to be frozen and hashed.

    memory      the storage, as a value
    world       tables and a service, as a value
    machine     the transitions
    walk        breadth first over all of them, so that the trace of a violation is a shortest one
    invariants  what holds in every state, by name; docs/work.md lists them
"""
