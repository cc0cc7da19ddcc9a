"""Newline-delimited JSON, plain or gzipped."""
