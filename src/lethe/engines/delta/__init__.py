"""Delta Lake tables: a log of adds and removes beside immutable Parquet files.

What a table is stands in `_delta_log`: commits as JSON, one file a version, and checkpoints of the whole state. The
log is read (`log_files` → `checkpoint`, `log` → `snapshot`) and written (`commit`) here, through the engines' own
storage; `commit` says why no library does it. A deletion is: decide on each live file (`find`), copy those that keep
some rows (`rewriting`), commit once (`forget`), then remove the files and the history that still speak (`purge`).
`features` says which tables are refused, `column_mapping` what files call a column, `deletion_vectors` which rows are
hidden, `retention` what the table's own properties keep, `surroundings` what the independent verification is told.

Mutual exclusion between writers is one file put where no file is. Local disks, S3, GCS and Azure keep that promise;
writers of S3 tables that coordinate through DynamoDB instead do not see it, and must not write during a forget.
"""
