"""What callers see: the shapes of the wire, its spellings, its error codes. Nothing here knows how Lethe works."""
