"""How a database comes to have the tables of `schema`, step by step. A step that was released is never edited."""
