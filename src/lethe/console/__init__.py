"""The window: server-rendered pages over the same operations."""
