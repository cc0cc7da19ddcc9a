"""How rows leave tables: find, rewrite, commit, purge, verify."""
