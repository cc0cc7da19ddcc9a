"""Write the OpenAPI document to a file: `python -m lethe.api.openapi_file docs/reference/openapi.json`."""

import json
import sys
from pathlib import Path

from lethe.api.app import openapi_document


def rendered() -> str:
    """Return the document as the file holds it: a line a value, so that a change of it can be read."""
    return json.dumps(openapi_document(), indent=2, ensure_ascii=False) + "\n"


def main() -> None:
    """Write it to the path that is the only argument."""
    (path,) = sys.argv[1:]
    Path(path).write_text(rendered(), encoding="utf-8")


if __name__ == "__main__":
    main()
