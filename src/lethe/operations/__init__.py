"""What can be asked of Lethe: one function an operation, each inside one transaction that the caller opens.

An operation reads through the transaction, lets the rules decide, and writes the outcome with its audit record. It
returns a value of the domain; it neither renders nor knows HTTP.
"""
