"""Rows cut out of the pages that hold them; every other byte stays as it was.

The order of things: `footer` and `leaves` say where chunks are and how deep they are nested; `page` walks a chunk;
`cutting` cuts its data pages by the native module; `chunk` then revises what speaks of all of them: `dictionary`,
`statistics`, `bloom`. `group` puts row groups into the new file, cut or moved as they are; `indexes` and `described`
say where everything stands now; `page_rewriter` is the whole. What is not cut goes through Arrow (`foreign`), a row
group at a time. People are looked for through a `sieve`: in one column (`sieved_column`), or in an identity map
(`map_rows`), of which the judge is shown an `excerpt`. `thrift` carries along what nobody here understands.

Every number in a file is checked before it is used: a file that contradicts itself is `faults.Damaged`, never a wrong
row.
"""
