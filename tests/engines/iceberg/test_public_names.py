"""What a plan says of files whose directories it does not name."""

import pytest

from lethe.domain.ids import DatasetId
from lethe.domain.plan import FileAction, PlannedFile, TablePlan
from lethe.engines.iceberg.public_names import PublicNames

HIDING, OPEN = PublicNames(hides_directories=True), PublicNames(hides_directories=False)
KEEP, REWRITE, SCRUB = FileAction.KEEP, FileAction.REWRITE, FileAction.SCRUB


def plan(names: PublicNames, *files: tuple[str, FileAction]) -> TablePlan:
    planned = [PlannedFile(names.of(location), action, 3, 1, 100, "why") for location, action in files]
    return TablePlan(DatasetId("ds"), "7", planned)


def actions(names: PublicNames, made: TablePlan, version: str, *locations: str) -> dict[str, FileAction]:
    return {location: file.action for location, file in names.meant(made, version, locations).items()}


def test_a_name_without_directories_names_nobody() -> None:
    assert HIDING.of("s3://lake/people/email=ann@example.com/part-0.parquet") == "…/part-0.parquet"
    assert OPEN.of("s3://lake/people/day=3/part-0.parquet") == "s3://lake/people/day=3/part-0.parquet"


def test_files_are_known_by_their_names_in_the_version_of_the_plan() -> None:
    made = plan(HIDING, ("t/id=a/1.parquet", REWRITE), ("t/id=b/2.parquet", KEEP), ("t/id=c/3.parquet", SCRUB))
    locations = "t/id=a/1.parquet", "t/id=b/2.parquet", "t/id=c/3.parquet", "t/id=d/4.parquet"
    assert actions(HIDING, made, "7", *locations) == dict(zip(locations, (REWRITE, KEEP, SCRUB), strict=False))


def test_in_another_version_a_name_may_be_another_files() -> None:
    """A file that took the place of a kept one must be searched; one that may be suspect stays so."""
    made = plan(HIDING, ("t/id=a/1.parquet", KEEP), ("t/id=b/2.parquet", SCRUB))
    assert actions(HIDING, made, "8", "t/id=z/1.parquet", "t/id=z/2.parquet") == {"t/id=z/2.parquet": SCRUB}
    whole = plan(OPEN, ("t/id=a/1.parquet", KEEP))
    assert actions(OPEN, whole, "8", "t/id=a/1.parquet", "t/id=z/1.parquet") == {"t/id=a/1.parquet": KEEP}


@pytest.mark.parametrize("others", [KEEP, REWRITE])
def test_of_files_that_share_a_name_nothing_is_believed_but_a_suspicion(others: FileAction) -> None:
    locations = "t/id=a/0.parquet", "t/id=b/0.parquet"
    made = plan(HIDING, (locations[0], KEEP), (locations[1], others))
    assert actions(HIDING, made, "7", *locations) == {}
    assert actions(HIDING, plan(HIDING, (locations[0], KEEP)), "7", *locations) == {}, "one of them is not in the plan"
    suspect = plan(HIDING, (locations[0], KEEP), (locations[1], SCRUB))
    assert actions(HIDING, suspect, "7", *locations) == dict.fromkeys(locations, SCRUB)
