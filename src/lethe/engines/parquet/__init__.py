"""Plain Parquet directories, flat or Hive-partitioned."""
