"""The rules, pure: the standard library alone, no I/O, no clock, no randomness.

Time, ids and random bytes arrive as arguments. A function decides and returns a value, or raises a `Refusal`.
"""
