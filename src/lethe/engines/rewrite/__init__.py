"""One file, minus some of its rows, otherwise the same.

`interface` is the seam: a rewriter takes a source, a judge that says which rows stay out, and a sink. `gate` compares
what came out with what went in, and is asked before anything is committed. `layout` reads how a file was written,
so that the copy is written alike.
"""
