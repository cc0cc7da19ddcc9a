"""How rows leave tables: find, rewrite, commit, purge, verify.

The order of one deletion, and what each part is for:
- `interface`: the five verbs and the values that they pass; callers see nothing else.
- `matching` decides which rows match, for every format, and counts for every order; `keys` says which text names which
  typed value, `columns` brings Arrow data into shape, `pruning` spares the reading where bounds exclude a match.
- `rewrite` copies one Parquet file without some rows, behind a gate that compares its physical form.
- `directory` is the engine for tables that are only files: `parquet` and `ndjson` are its formats. A table format
  with snapshots has a folder of its own, and uses matching, rewriting and verifying alike.
- `executors` map a task over files; `storage` is where files are. Every effect goes through one of the two.
- `verify` proves absence, or names the residue. It shares no code with the writers.
- `memory` is an engine for the tests of others; it passes the suite that every engine passes.
"""
