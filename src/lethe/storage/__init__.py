"""What Lethe remembers: one schema on SQLite and PostgreSQL, behind `interface`.

`schema` is the tables, `migrations` how a database comes to have them, `store` opens transactions. Each of the other
modules keeps one noun. Everything a request changes is changed in one transaction.

Locks are taken in this order: idempotency key, quota counters, open bundle, rows, audit head, tallies. The last are
written by the store itself, as the last act before a commit.
"""
