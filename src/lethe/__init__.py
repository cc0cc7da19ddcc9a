"""Lethe: a self-hosted Data Hygiene API that deletes people's records and proves that they are gone."""

__version__ = "0.1.0"
