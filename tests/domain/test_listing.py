"""Pages: how many there are, and that they cover the list once."""

from hypothesis import given
from hypothesis import strategies as st

from lethe.domain.listing import Listing, Page
from support.properties import quickly

sizes = st.integers(1, 100)


@quickly
@given(st.integers(0, 10_000), sizes)
def test_the_pages_cover_the_list_and_there_is_at_least_one(total: int, size: int) -> None:
    pages: int = Listing((), total, Page(0, size)).page_count
    assert pages >= 1
    last = Page(pages - 1, size)
    assert last.offset <= max(0, total - 1)
    assert last.offset + size >= total
    assert [Page(number, size).offset for number in range(3)] == [0, size, 2 * size]


@quickly
@given(st.integers(0, 10_000), sizes, st.integers(0, 10**9))
def test_the_number_of_pages_is_the_same_from_every_page(total: int, size: int, number: int) -> None:
    assert Listing((), total, Page(number, size)).page_count == Listing((), total, Page(0, size)).page_count
