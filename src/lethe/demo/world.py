"""The demo's world in one directory: settings, tables, and the variables by which clients find it.

Order of effects: tables first, `lethe.toml` last; a directory with that file holds a whole world. What a crash left
half made is made anew.
"""

import hashlib
import os
import secrets
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from lethe.client.connection import read_file
from lethe.demo.datasets import DATASETS
from lethe.demo.rows import rows_of
from lethe.demo.writing import CATALOG, catalog_uri, write

ORG: Final = "DEMO@LetheOrg"
CLIENT: Final = "lethe-demo"
SANDBOX: Final = "prod"
Made = Callable[[str], object]
"""Told of every part that is ready."""

_SETTINGS: Final = """\
# A demonstration world. Its data, keys and tables are in this directory.

data_dir = "{directory}"

[work]
# No other writer has an unfinished commit here, so leftovers go at once. The default is an hour.
writers_grace_seconds = 0
processes = 1

[catalogs.{catalog}]
type = "sql"
uri = "{catalog_uri}"

[[orgs]]
id = "{org}"
# A dataset may expire at once here. The published API, and the default, is 24 hours ahead.
min_expiry_lead_hours = 0
# Work begins at once. A window of some minutes lets orders share their rewrites.
bundle_window_seconds = 0

[[orgs.sandboxes]]
name = "{sandbox}"
title = "Production"
type = "production"
is_default = true

[[orgs.sandboxes]]
name = "dev"
title = "Development"

[[clients]]
id = "{client}"
secret_sha256 = "{digest}"
name = "Demo"
email = "demo@localhost"
orgs = ["{org}"]
roles = ["administrator"]
"""


@dataclass(frozen=True, slots=True)
class World:
    """Where everything is."""

    directory: Path

    @property
    def config(self) -> Path:
        """The settings."""
        return self.directory / "lethe.toml"

    @property
    def env_file(self) -> Path:
        """The variables of a client, for its owner alone."""
        return self.directory / "lethe.env"

    @property
    def lake(self) -> Path:
        """The tables."""
        return self.directory / "lake"

    @property
    def exists(self) -> bool:
        """Whether it is made."""
        return self.config.is_file()

    def make(self, made: Made = lambda _: None) -> None:
        """Write tables, variables and settings; the directory may exist, and holds no world yet."""
        self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        shutil.rmtree(self.lake, ignore_errors=True)
        self.lake.mkdir()
        for dataset in DATASETS:
            write(dataset, rows_of(dataset), self.lake)
            made(f"{dataset.name}: {dataset.rows:,} rows")
        secret = secrets.token_urlsafe(32)
        self.write_variables({"LETHE_CLIENT_SECRET": secret})
        settings = _SETTINGS.format(
            directory=_escaped(self.directory),
            catalog=CATALOG,
            catalog_uri=_escaped(catalog_uri(self.lake)),
            org=ORG,
            sandbox=SANDBOX,
            client=CLIENT,
            digest=hashlib.sha256(secret.encode()).hexdigest(),
        )
        unfinished = self.config.with_suffix(".unfinished")
        unfinished.write_text(settings)
        unfinished.replace(self.config)

    def variables(self) -> Mapping[str, str]:
        """The variables of the client as they stand in the file."""
        return read_file(self.env_file)

    def write_variables(self, more: Mapping[str, str]) -> None:
        """Put these variables, and those that are always the same, into the file; what else it holds stays."""
        same = {"LETHE_ORG": ORG, "LETHE_API_KEY": CLIENT, "LETHE_SANDBOX": SANDBOX}
        names = {f"LETHE_DATASET_{dataset.slug.upper()}": dataset.dataset_id for dataset in DATASETS}
        before = self.variables() if self.env_file.is_file() else {}
        lines = "".join(f"{name}={value}\n" for name, value in {**before, **same, **names, **more}.items())
        unfinished = self.env_file.with_suffix(".unfinished")
        unfinished.unlink(missing_ok=True)
        with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(lines)
        unfinished.replace(self.env_file)


def _escaped(text: object) -> str:
    """Text within the quotes of a TOML string."""
    return str(text).replace("\\", "\\\\").replace('"', '\\"')
