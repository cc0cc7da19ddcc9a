"""A product whose records are rows of a SQL database: identity graphs, profile stores, journeys.

A mapping (`mapping`) says which columns name a person; it is bound to the tables as they are (`binding`). To forget
is to find how the wanted ids are spelled in the store (`spellings`), to delete them in bounded transactions
(`erasure`), and then to make the database let go of the bytes (`scrub` of its `databases` entry). What remains is
counted by queries of another shape, judged in Python (`remainder`): a mistake in one is not repeated by the other.

When two ids are the same is decided by `domain.identity`, never by the database: a column may compare without case,
without accents or without trailing blanks, and would then give away the rows of somebody else.
"""
