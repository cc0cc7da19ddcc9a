"""Proof that a rewritten Parquet file is its source minus rows, by readers that share no code with the rewriters.

`tables` and `layouts` make random files from a seed (`cases`); `walk` decodes a file level by level and value by value;
`claims` compares two walks and says what must hold; `damage` breaks files; `fuzz` runs all of it at length.
"""
