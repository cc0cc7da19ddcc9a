"""`lethe serve --demo`: a world that stays, and any client that sources its variables."""

import json
import subprocess
import sys
from pathlib import Path

from lethe.client import Lethe
from lethe.demo.datasets import DATASETS, ORDERS
from lethe.demo.serving import serving
from lethe.demo.world import World

CURL = """
set -eu; set -a; . "$1"; set +a
curl -sSf "$LETHE_URL/data/core/hygiene/quota" -H "Authorization: Bearer $LETHE_TOKEN" \
  -H "x-api-key: $LETHE_API_KEY" -H "x-gw-ims-org-id: $LETHE_ORG"
printf '\\n%s\\n' "$LETHE_DATASET_ORDERS"
"""


def test_any_client_that_sources_the_variables_can_call_and_a_restart_keeps_everything(tmp_path: Path) -> None:
    world = World(tmp_path / "a world")
    subprocess.run([sys.executable, "-m", "lethe", "init-demo", str(world.directory)], check=True, timeout=120)
    with serving(world), Lethe.from_environment(world.env_file) as lethe:
        assert {each.dataset_id for each in lethe.datasets.list()} == {each.dataset_id for each in DATASETS}
        order = lethe.work_orders.create(ORDERS.dataset_id, {"customerid": ["nobody"]}).wait(120)
        shell = ["bash", "-c", CURL, "bash", str(world.env_file)]
        answered = subprocess.run(shell, capture_output=True, text=True, check=True, timeout=60).stdout.splitlines()
        assert json.loads(answered[0])["quotas"][1]["consumed"] == 1
        assert answered[1] == ORDERS.dataset_id
    first_secret = world.variables()["LETHE_CLIENT_SECRET"]
    with serving(world), Lethe.from_environment(world.env_file) as lethe:
        assert world.variables()["LETHE_CLIENT_SECRET"] == first_secret
        assert lethe.work_orders.get(order.workorder_id).status == "completed"
        assert len(list(lethe.datasets.list())) == len(DATASETS)
