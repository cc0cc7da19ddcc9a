"""The client library that users of the published API have, driven against a running server.

Each version runs in a process of its own (`driver.py`), configured as its documentation says and otherwise untouched.
"""
