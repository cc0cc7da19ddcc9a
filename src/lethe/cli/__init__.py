"""The hands: verbs for a terminal."""
