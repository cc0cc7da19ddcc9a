"""Places of tables: which spellings are one place, and which places meet."""

import pytest

from lethe.domain.dataset import TableFormat, TableReference
from lethe.domain.errors import InvalidField
from lethe.domain.table_place import TablePlace, place_of


def at(location: str) -> TablePlace:
    return place_of(TableReference(TableFormat.PARQUET, location))


def named(identifier: str, catalog: str = "main") -> TablePlace:
    return place_of(TableReference(TableFormat.ICEBERG, None, catalog, identifier))


@pytest.mark.parametrize(
    "spelling",
    [
        "/lake/events/",
        "//lake/events",
        "/lake//events",
        "/lake/./events",
        "/lake/other/../events",
        "file:///lake/events",
        "file:/lake/events/",
        "FILE://localhost/lake/%65vents",
    ],
)
def test_a_path_is_one_place_however_it_is_spelled(spelling: str) -> None:
    assert at(spelling) == at("/lake/events") == TablePlace("file:/lake/events/", None)


@pytest.mark.parametrize(
    "spelling",
    ["s3://lake/events/", "s3a://lake/events", "S3N://Lake//events", "s3://lake/x/../events", "s3://lake/%65vents"],
)
def test_an_object_stores_url_is_one_place_however_it_is_spelled(spelling: str) -> None:
    assert at(spelling) == at("s3://lake/events") == TablePlace("s3://lake/events/", None)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (at("/lake/events"), at("/lake/events")),
        (at("/lake"), at("/lake/events")),
        (at("/lake/a/b/../.."), at("/lake/events")),
        (at("/"), at("/lake/events")),
        (at("gs://lake"), at("gcs://lake/a/b")),
        (at("abfss://lake/a"), at("az://lake/a/b")),
        (named("db.events"), named("DB.Events")),
        (named("db.events"), named("db.events.clicks")),
        (place_of(TableReference(TableFormat.ICEBERG, "/lake/a", "main", "db.a")), at("/lake/a/b")),
    ],
)
def test_what_is_contains_or_lies_inside_another_meets_it(one: TablePlace, other: TablePlace) -> None:
    assert one.meets(other)
    assert other.meets(one)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (at("/lake/events"), at("/lake/events-old")),
        (at("/lake/events"), at("/lake/Events")),
        (at("/lake/events"), at("s3://lake/events")),
        (at("s3://lake/events"), at("s3://lake-2/events")),
        (at("s3://lake/events"), at("gs://lake/events")),
        (named("db.events"), named("db.events_old")),
        (named("db.events"), named("db.events", "other")),
        (named("db.events"), at("/db.events")),
    ],
)
def test_neighbours_do_not_meet(one: TablePlace, other: TablePlace) -> None:
    assert not one.meets(other)
    assert not other.meets(one)


def test_a_link_is_followed_where_the_caller_can() -> None:
    table = TableReference(TableFormat.PARQUET, "file:///link/events")
    assert place_of(table, lambda path: path.replace("/link", "/lake")) == at("/lake/events")


def test_what_is_no_location_is_refused() -> None:
    with pytest.raises(InvalidField, match=r"table\.location"):
        at("s3://[lake/events")
