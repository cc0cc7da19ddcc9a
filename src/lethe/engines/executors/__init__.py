"""Where the work on files runs: in this process, or in a pool with a memory budget; Spark and Dask fit the seam."""
