"""Makes the committed files anew, or lets Spark read what became of all of them.

python -m engines.pages.elsewhere make PYTHON       with the PYTHON of an environment that has Spark and Daft
python -m engines.pages.elsewhere spark PYTHON      files made now, edited here, compared by Spark
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from engines.pages.elsewhere import local_files
from engines.pages.elsewhere.editing import edit
from engines.pages.subjects import subjects

HERE = Path(__file__).parent
COMMITTED = HERE.parent / "written_elsewhere"
_ROWS = 80


def make(python: str, directory: Path) -> None:
    """Every writer's files and one manifest."""
    directory.mkdir(exist_ok=True)
    local_files.write(directory, _ROWS)
    _call(python, "daft_files.py", directory / "pyarrow_v1.parquet", directory)
    _call(python, "spark_files.py", "write", directory, _ROWS)
    manifest = {}
    for part in ("local", "daft", "spark"):
        manifest |= json.loads((directory / f"{part}.json").read_text())
        (directory / f"{part}.json").unlink()
    (directory / "manifest.json").write_text(json.dumps(manifest, indent=1, sort_keys=True) + "\n")


def spark(python: str, name: str, before: Path) -> None:
    """Edit all files of a directory with one rewriter. Raises CalledProcessError when Spark finds a difference."""
    with tempfile.TemporaryDirectory() as place:
        after, deleted = Path(place), {}
        for file in sorted(before.glob("*.parquet")):
            edited = edit(file.read_bytes(), subjects()[name])
            if edited.result is None:
                print(f"declined by {name}: {file.name}: {edited.declined}")
                continue
            (after / file.name).write_bytes(edited.result)
            deleted[file.name] = [int(n) for n in edited.deleted.nonzero()[0]]
        (after / "deleted.json").write_text(json.dumps(deleted))
        print(f"{name}: {len(deleted)} edited files to Spark", flush=True)
        _call(python, "spark_files.py", "compare", before, after)


def _call(python: str, script: str, *arguments: object) -> None:
    # Without our tests on its path, whose folders have the names of other people's packages.
    inside = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    subprocess.run([python, str(HERE / script), *map(str, arguments)], check=True, env=inside)


def main(verb: str, python: str) -> None:
    """What the command line asks for."""
    if verb == "make":
        make(python, COMMITTED)
        return
    with tempfile.TemporaryDirectory() as place:
        make(python, Path(place))
        for name in subjects():
            spark(python, name, Path(place))


if __name__ == "__main__":
    main(*sys.argv[1:])
