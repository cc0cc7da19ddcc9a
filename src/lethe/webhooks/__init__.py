"""How events reach their receivers: signed after Standard Webhooks, one POST each, to where it is safe to connect.

Nothing here decides whether or when to try again: that is the pipeline's.
"""
