"""The crash harness: real processes over real tables, and everything that may happen to them.

What runs: a `lethe serve` without workers, one plain `lethe worker`, and some watched workers, which are the same
program but for their seams (`watched`), on SQLite or on a PostgreSQL of the harness's own. The tables are Iceberg,
Delta, Parquet and NDJSON; identity graph, profile fragments and journeys are the embedded stores.

What happens to them (`troubles`): workers are killed at random and at every named point of every step (`points`); they
are frozen at every named point until another has taken their task over, and thawed; the database is killed and started
again, or locked; files may not grow, and the disk is full; the watched workers' clocks differ by minutes.

What holds at the end (`checks`): every order and expiration is completed; each database effect happened once, each
table commit once, under the newest token; survivors, counts and quotas are exact; locations of dropped tables are
empty; the audit chain is whole.

    pytest tests/torture                              the short one, a part of `make test`
    make torture                                      200 orders and 50 expirations, every point killed, frozen
    LETHE_TORTURE_SEED=7 make torture                 the same troubles in the same order once more

A seed fixes which orders are asked for and which trouble comes when; how the processes interleave, it cannot fix. It is
printed at the beginning and with every failure.

    run        submits, troubles, waits, checks
    ledger     what was asked for, and so what must be left
    tables     tables of every format, made and read without Lethe
    history    the commits that a table bears, read without Lethe
    fleet      starts, kills and freezes workers
    worker     the watched worker's process, and the process from which it is forked
"""
