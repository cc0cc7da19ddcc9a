"""Files of other writers: made by them, edited here, read again by them.

The rows are alike everywhere: people in `id`, some null, and a column of every type that lakes hold.
"""
