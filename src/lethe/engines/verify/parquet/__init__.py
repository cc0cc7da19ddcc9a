"""Parquet by its bytes: thrift, pages, encodings; no Parquet library is asked, only codecs.

`thrift` reads the compact protocol, `footer` the structures, `pages` walks and decompresses, `values` decodes, `naming`
says which identity a value is, `columns` and `identity_map` look at one chunk or one row group, `bloom` rebuilds
filters, and `examine` accounts for every byte of the file.
"""
