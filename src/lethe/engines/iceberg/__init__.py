"""Tables of Apache Iceberg, versions 1 and 2; version 3 is read and never written.

The theory. A table is a chain: the catalog's entry → one metadata file → a manifest list for each snapshot →
manifests → data files and delete files. Nothing is ever changed in place; a commit writes new links and swaps the
entry. Therefore a forget is one commit, after which no live row matches, and everything that it replaced is still on
disk; a purge then shortens the chain to what the live table and its tags and branches need, and removes every other
file.

Rows may be deleted and yet stored: position and equality deletes hide rows of files that stay as they are. A hidden
row that matches is not counted, for it is deleted already, but its file is rewritten, for its value is still there. A
delete file can itself name the person; then it is rewritten or dissolved.

The order of things: `catalogs` and `places` say where a table and its files are; `live_files`, `fields` and `deletes`
read what a snapshot holds; `prune`, `judge` and `find` decide; `rewriting`, `manifests`, `commit` and `forget` carry
out; `retention`, `expire`, `leftovers` and `purge` clean up; `engine` is the front.
"""
