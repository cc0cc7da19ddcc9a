"""Files, wherever they are: one seam over local directories and object stores.

Every read and write of the engines for directories goes through `interface.Storage`, so that a fault can be put
before or after any of them. Paths are relative to the storage's root, with `/` between parts.
"""
