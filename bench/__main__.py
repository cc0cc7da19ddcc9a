"""Everything that `make bench` measures, one after another; each prints a table and writes JSON into bench/out.

    python -m bench [api|lists|work|engines …]
    python -m bench engines [--full] [--rows N …] [--identities N] …

`api`: accepting 100,000 identities, small GETs. `lists`: both lists with 1,000,000 work orders and 100,000 expirations
stored. `work`: orders that share a pass, a queue of 10,000, the API during a rewrite. `engines`: deleting from tables,
beside what users would pick instead. Quote medians and ratios.
"""

import argparse
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("what", nargs="*", help="api, lists, work or engines; all when absent")
    chosen, rest = parser.parse_known_args()
    commands = {
        "api": ["-m", "bench.api"],
        "lists": [str(HERE / "storage" / "lists.py")],
        "work": ["-m", "bench.work"],
        "engines": ["-m", "bench.engines"],
    }
    unknown = set(chosen.what) - set(commands)
    if unknown:
        parser.error(f"there is no {min(unknown)}: choose from {', '.join(commands)}")
    if rest and chosen.what != ["engines"]:
        parser.error(f"only the engines' benchmark has options, and none is {rest[0]}")
    statuses = [subprocess.call([sys.executable, *commands[name], *rest]) for name in chosen.what or commands]
    return max(statuses)


if __name__ == "__main__":
    sys.exit(main())
