"""Makes the committed files anew, or lets Spark read what became of all of them.

python -m engines.pages.elsewhere make PYTHON       with the PYTHON of an environment that has Spark and Daft
python -m engines.pages.elsewhere spark PYTHON      files made now, edited here, compared by Spark
"""

import json
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


def spark(python: str) -> int:
    """Raises CalledProcessError when Spark finds a difference."""
    with tempfile.TemporaryDirectory() as place:
        before = Path(place, "before")
        make(python, before)
        for name, subject in subjects().items():
            after = Path(place, name)
            after.mkdir()
            deleted = {}
            for file in sorted(before.glob("*.parquet")):
                edited = edit(file.read_bytes(), subject)
                if edited.result is None:
                    print(f"declined by {name}: {file.name}: {edited.declined}")
                    continue
                (after / file.name).write_bytes(edited.result)
                deleted[file.name] = [int(n) for n in edited.deleted.nonzero()[0]]
            (after / "deleted.json").write_text(json.dumps(deleted))
            print(f"{name}: {len(deleted)} edited files to Spark", flush=True)
            _call(python, "spark_files.py", "compare", before, after)
    return 0


def _call(python: str, script: str, *arguments: object) -> None:
    subprocess.run([python, str(HERE / script), *map(str, arguments)], check=True)


if __name__ == "__main__":
    verb, with_python = sys.argv[1:]
    sys.exit(spark(with_python) if verb == "spark" else make(with_python, COMMITTED))
