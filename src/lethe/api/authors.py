"""From the wire's `author` to a match."""

from lethe.domain.listing import AuthorMatch, Exactly, Like


def author_of(text: str | None) -> AuthorMatch | None:
    """`LIKE …` and `NOT LIKE …` are SQL patterns; anything else is the whole text."""
    if text is None:
        return None
    if text.startswith("LIKE "):
        return Like(text.removeprefix("LIKE ").strip())
    if text.startswith("NOT LIKE "):
        return Like(text.removeprefix("NOT LIKE ").strip(), negated=True)
    return Exactly(text)
