"""Finding tables that are not registered yet: which there are, and which of their fields may name a person.

`location` tells the tables under a location by their files, `fields` reads which fields a table has, and `candidates`
guesses which of these name a person. A guess is a proposal for whoever registers the table; nothing here changes
anything, and no value of a row is kept.
"""
