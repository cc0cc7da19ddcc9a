"""The independent reader: proves that identities are gone, or says where they still are.

It shares with the writers only the seam through which bytes are read. It walks Parquet files by their bytes
(`parquet`), opens Avro containers and gzip streams, and searches everything, referenced or not, for all identities at
once (`needles`). A value may survive rightly, in a row that does not match; so every find must be explained by a
surviving row, and what nothing explains is a residue.

The steps: each file is examined alone and answers what it proves, what it refutes, and which finds in it speak of rows
that stand elsewhere (`findings`); if there are such, the data files are searched in full for those values (`verifier`).
"""
