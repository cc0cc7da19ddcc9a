"""Daft as a writer. Runs where Daft is: it imports nothing of ours.

python daft_files.py SOURCE DIRECTORY       the rows of a Parquet file, written by Daft; `daft.json` names the options
"""

import json
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Final

import daft

CODECS: Final = ("snappy", "zstd")


def write(source: Path, directory: Path) -> None:
    """One file a codec."""
    manifest = {}
    for codec in CODECS:
        with tempfile.TemporaryDirectory() as place:
            daft.read_parquet(str(source)).write_parquet(place, compression=codec)
            (file,) = Path(place).glob("*.parquet")
            shutil.copyfile(file, directory / f"daft_{codec}.parquet")
        manifest[f"daft_{codec}.parquet"] = {"writer": f"Daft {daft.__version__}", "options": {"compression": codec}}
    (directory / "daft.json").write_text(json.dumps(manifest, indent=1))


if __name__ == "__main__":
    write(Path(sys.argv[1]), Path(sys.argv[2]))
