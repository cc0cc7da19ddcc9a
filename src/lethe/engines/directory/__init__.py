"""Tables that are nothing but files in a directory: no catalog, no log, no snapshots.

What such a table is lies in its listing (`listing`), so what a deletion does to it is done file by file: each file is
replaced by a copy of the same name in one rename, or removed. Readers see every other row exactly once at any instant.
A small journal (`journal`) makes the whole of it one decision that a crash cannot undo half. The formats differ only in
how one file is searched and copied (`formats`).
"""
