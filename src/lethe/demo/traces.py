"""What the identity graph, the profiles and the journeys know of the demo's people, in the embedded stores."""

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Final

from lethe.demo.datasets import NEWSLETTER, WEB_EVENTS
from lethe.demo.people import PEOPLE, Person, person, those_who_leave
from lethe.domain.ids import DatasetId, NamespaceId, OrgId, SandboxName
from lethe.products.embedded import FILE_NAME, EmbeddedStores, JourneyRow, ProfileFragment
from lethe.products.interface import GraphNode, Space

KNOWN: Final = 400
"""People who have traces, besides those who leave."""
_TABLES: Final = {"Identity graph": "graph_node", "Profiles": "profile_fragment", "Journeys": "journey_row"}
_EMAIL_ID, _ECID_ID = NamespaceId(6), NamespaceId(4)


def fill(data_dir: Path, org_id: OrgId, sandbox_name: SandboxName, customer_namespace: NamespaceId) -> None:
    """Make traces of some people, and of all who leave: linked identities, profile fragments, steps of journeys."""
    stores = EmbeddedStores(data_dir / FILE_NAME)
    try:
        space = Space(org_id, sandbox_name)
        everybody = {person(number) for number in range(0, PEOPLE, PEOPLE // KNOWN)} | set(those_who_leave())
        people = sorted(everybody, key=lambda each: each.number)
        for each in people:
            email, ecid, customer = _nodes(each, customer_namespace)
            stores.graph.link(org_id, sandbox_name, email, customer)
            stores.graph.link(org_id, sandbox_name, email, ecid)
        emails = [_nodes(each, customer_namespace)[0] for each in people]
        stores.put_profile_fragments(
            space,
            (
                ProfileFragment(DatasetId(dataset.dataset_id), email, '{"language": "en"}')
                for email in emails
                for dataset in (NEWSLETTER, WEB_EVENTS)
            ),
        )
        stores.put_journey_rows(space, (JourneyRow("welcome", email) for email in emails))
    finally:
        stores.close()


def count(data_dir: Path) -> Mapping[str, int]:
    """The rows of each store, by what people call it."""
    with closing(sqlite3.connect(f"file:{data_dir / FILE_NAME}?mode=ro", uri=True)) as connection:
        return {
            name: connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]  # noqa: S608 - of this module
            for name, table in _TABLES.items()
        }


def _nodes(who: Person, customer_namespace: NamespaceId) -> tuple[GraphNode, GraphNode, GraphNode]:
    return (
        GraphNode((_EMAIL_ID, who.email)),
        GraphNode((_ECID_ID, who.ecid)),
        GraphNode((customer_namespace, who.customer_id)),
    )
