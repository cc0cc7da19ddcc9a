"""Who calls: tokens and their keys, and what each role may do, as one table."""
