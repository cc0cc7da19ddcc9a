"""Deleting from tables: Lethe's engines beside what users would pick instead.

`tables` makes the rows, `forms` puts them into a plain directory, an Iceberg and a Delta table over the same files.
`contenders` are run one at a time by `measuring`, in a process of their own, and their work is looked at by `checking`.
`results` keeps every run, `report` draws the tables.
"""
