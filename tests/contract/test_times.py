"""Times: every spelling that is read, every one that is not, and what the filters make of them."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lethe.contract.times import format_instant, parse_from, parse_instant, parse_to, parse_window
from support.properties import thoroughly

END = datetime.max.replace(tzinfo=UTC)
MICROSECOND, DAY = timedelta(microseconds=1), timedelta(days=1)
SENTENCES = {
    ("is not an ISO 8601 date or date and time, such as 2030-12-31T23:59:59Z",),
    ("is not a date that exists",),
    ("is not a date and time that exists",),
}
naive = st.datetimes()
zones = st.integers(-23 * 60 - 59, 23 * 60 + 59).map(lambda minutes: timezone(timedelta(minutes=minutes)))


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@thoroughly
@given(naive)
def test_what_is_written_is_read_again(at: datetime) -> None:
    written = format_instant(at.replace(tzinfo=UTC))
    assert len(written) == len("2024-03-28T16:41:24.262521Z")
    assert parse_instant(written) == at.replace(tzinfo=UTC)


@thoroughly
@given(st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30)), zones, st.data())  # noqa: DTZ001 - bounds are naive
def test_every_spelling_of_an_instant_is_that_instant(at: datetime, zone: timezone, data: st.DataObject) -> None:
    at = at.replace(tzinfo=zone)
    date = data.draw(st.sampled_from(["%Y-%m-%d", "%Y%m%d"]))
    extended = data.draw(st.booleans())
    parts = data.draw(st.integers(1, 3))
    digits = data.draw(st.integers(0, 9)) if parts == 3 else 0
    kept = at.replace(
        minute=at.minute if parts > 1 else 0,
        second=at.second if parts > 2 else 0,
        microsecond=int(f"{at.microsecond:06}"[:digits].ljust(6, "0")) if digits else 0,
    )
    time = (":" if extended else "").join([f"{at.hour:02}", f"{at.minute:02}", f"{at.second:02}"][:parts])
    fraction = data.draw(st.sampled_from(".,")) + f"{at.microsecond:06}123"[:digits] if digits else ""
    year = f"{at.year:04}"
    text = (
        at.strftime(date.replace("%Y", year))
        + data.draw(st.sampled_from("Tt "))
        + time
        + fraction
        + data.draw(st.sampled_from(offsets(at)))
    )
    assert parse_instant(text) == kept.astimezone(UTC)
    assert parse_from(text) == kept.astimezone(UTC)
    assert parse_to(text) == kept.astimezone(UTC) + MICROSECOND


def offsets(at: datetime) -> list[str]:
    """The spellings of its offset; a plus sign that a query string left unescaped arrives as a space."""
    extended = at.isoformat()[-6:]
    basic = extended.replace(":", "")
    written = [extended, basic]
    written += [extended[:3]] if extended.endswith(":00") else []
    written += ["Z", "z", ""] if extended == "+00:00" else []
    return [*written, *(each.replace("+", " ") for each in written)]


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2030-12-31", "2030-12-31"),
        ("20301231", "2030-12-31"),
        ("2030-12-31Z", "2030-12-31"),
        ("2030-12-31z", "2030-12-31"),
        ("2030-12-31+02:00", "2030-12-30T22:00"),
        ("2030-12-31-0330", "2030-12-31T03:30"),
        ("20301231+02", "2030-12-30T22:00"),
        ("2028-02-29", "2028-02-29"),
        ("2030-12-31T10", "2030-12-31T10:00"),
        ("2030-12-31T10:30", "2030-12-31T10:30"),
        ("2030-12-31 10:30", "2030-12-31T10:30"),
        ("20301231T103000Z", "2030-12-31T10:30"),
        ("2030-12-31T10:30:00.1Z", "2030-12-31T10:30:00.1"),
        ("2030-12-31T10:30:00,5Z", "2030-12-31T10:30:00.5"),
        ("2030-12-31T10:30:00.123456789Z", "2030-12-31T10:30:00.123456"),
        ("2030-12-31T10:30:00-00:00", "2030-12-31T10:30"),
        ("2030-12-31t10:30:00z", "2030-12-31T10:30"),
        ("2030-12-31T10:30:00 02:00", "2030-12-31T08:30"),
        ("2030-12-31t10:30:00 02:00", "2030-12-31T08:30"),
        ("20301231T103000 0200", "2030-12-31T08:30"),
        ("2030-12-31 10:30 02:00", "2030-12-31T08:30"),
        # After a date alone, what might be an offset whose plus was lost is a time: that is the usual spelling.
        ("2030-12-31 02:00", "2030-12-31T02:00"),
        ("9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59.999999"),
    ],
)
def test_spellings(text: str, instant: str) -> None:
    assert parse_instant(text) == utc(instant)


@pytest.mark.parametrize(
    "text",
    [
        "2030-02-31", "2030-02-31T10:00Z", "2100-02-29", "2030-13-01", "2030-00-10", "2030-01-00", "0000-01-01",
        "2030-12-31T24:00Z", "2030-12-31T10:60Z", "2030-12-31T23:59:60Z", "2030-12-31T10:30:00+24:00",
        "0001-01-01T00:00+14:00", "9999-12-31T23:59-14:00", "0001-01-01+14:00", "9999-12-31T10:00-14:00",
    ],
)  # fmt: skip
def test_what_looks_like_a_time_and_does_not_exist(text: str) -> None:
    with pytest.raises(ValueError, match=r"^is not a date( and time)? that exists$"):
        parse_instant(text)


@pytest.mark.parametrize(
    "text",
    [
        "10000-01-01", "+10000-01-01", "-0001-01-01", "2030-W01-1", "2030W011", "2030-W01-1T10:00Z", "2030-365",
        "2030-12", "30-12-31", "2030-1231", "203012-31T10:00", "2030-12-31T", "2030-12-31T1", "2030-12-31T10:3000",
        "2030-12-31T10:30:00.Z", "2030-12-31T10:30:00ZZ", "2030-12-31T10:30:00+01:99", "2030-12-31T10:30+",
        "2030-12-31T10:30:00+01:00:30", "2030-12-31T10:30:00[Europe/Berlin]", "2030-12-31T10:30 CET", "2030/12/31",
        "2030", "31.12.2030", "", " ", " 2030-12-31", "2030-12-31 ", "2030-12-31\n", "2030-12-31T10:30Z\n", "now",
        "tomorrow", "1893456000", "1893456000000", "٢٠٣٠-12-31", "2030-12-31\uff3410:30", "2030-12-31T10:30\u221202:00",
        "\0", "2030-12-31  10:30", "2030-12-31T10:30:00Z; DROP TABLE",
    ],
    ids=ascii,
)  # fmt: skip
def test_what_is_not_a_time(text: str) -> None:
    for parse in (parse_instant, parse_window, parse_from, parse_to):
        with pytest.raises(
            ValueError, match=r"^is not an ISO 8601 date or date and time, such as 2030-12-31T23:59:59Z$"
        ):
            parse(text)


@thoroughly
@given(st.text(max_size=30) | st.text("0123456789-+:.TZ ", max_size=30))
def test_whatever_the_text_the_answer_is_an_instant_or_one_of_three_sentences(text: str) -> None:
    for parse in (parse_instant, parse_from, parse_to):
        try:
            assert parse(text).tzinfo is UTC
        except ValueError as refused:
            assert refused.args in SENTENCES  # noqa: PT017 - either outcome is right


def test_a_date_filter_covers_its_day_and_a_time_the_24_hours_from_it() -> None:
    assert parse_window("2030-02-28") == (utc("2030-02-28"), utc("2030-03-01"))
    assert parse_window("2030-02-28+02:00") == (utc("2030-02-27T22:00"), utc("2030-02-28T22:00"))
    assert parse_window("2030-02-28T10:30") == (utc("2030-02-28T10:30"), utc("2030-03-01T10:30"))
    assert parse_window("2030-02-28T00:00Z") == (utc("2030-02-28"), utc("2030-03-01"))


def test_from_begins_with_its_day_and_to_ends_with_it() -> None:
    assert parse_from("2030-02-28") == utc("2030-02-28")
    assert parse_from("2030-02-28T10:30") == utc("2030-02-28T10:30")
    assert parse_to("2030-02-28") == utc("2030-03-01")
    assert parse_to("2030-02-28T10:30") == utc("2030-02-28T10:30") + MICROSECOND
    assert parse_to("2030-02-28T00:00") == utc("2030-02-28") + MICROSECOND


def test_the_last_day_that_there_is_may_be_named_for_for_ever() -> None:
    assert parse_to("9999-12-31") == parse_window("9999-12-31")[1] == END
    assert parse_to("9999-12-31T23:59:59.999999Z") == END
    assert parse_window("9999-12-30") == (utc("9999-12-30"), utc("9999-12-31"))
