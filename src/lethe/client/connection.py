"""Where Lethe is and as whom to call it, from arguments, the environment or a file.

The file is what `make serve` writes: lines of `NAME=value`, as a shell sources them.
"""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from lethe.client.errors import NotConfigured

URL, ORG, API_KEY, CLIENT_SECRET, TOKEN, SANDBOX = (
    "LETHE_URL",
    "LETHE_ORG",
    "LETHE_API_KEY",
    "LETHE_CLIENT_SECRET",
    "LETHE_TOKEN",
    "LETHE_SANDBOX",
)
VARIABLES: Final = (URL, ORG, API_KEY, CLIENT_SECRET, TOKEN, SANDBOX)
"""The variables that a client reads."""

_LINE: Final = re.compile(r"(?:export\s+)?(?P<name>[A-Za-z_][A-Za-z0-9_]*)=(?P<value>.*)")


@dataclass(frozen=True, slots=True)
class Connection:
    """Where and as whom to call. With both a token and a secret, the secret wins: it can renew."""

    url: str
    org: str
    api_key: str
    client_secret: str | None = field(default=None, repr=False)
    token: str | None = field(default=None, repr=False)
    sandbox: str | None = None
    """None leaves it to the server: the default sandbox, if the organization allows calls without one."""

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme not in {"http", "https"} or not parts.netloc:
            raise NotConfigured("url: begins with http:// or https:// and names a host")
        if parts.username or parts.password:
            raise NotConfigured("url: must not carry credentials")
        for name in ("org", "api_key"):
            if not getattr(self, name):
                raise NotConfigured(f"{name}: is required")
        if not self.client_secret and not self.token:
            raise NotConfigured("client_secret or token: one of them is required")


def from_variables(variables: Mapping[str, str]) -> Connection:
    """The connection that these variables describe. Raises NotConfigured, naming what is missing."""
    missing = [name for name in (URL, ORG, API_KEY) if not variables.get(name)]
    if not variables.get(CLIENT_SECRET) and not variables.get(TOKEN):
        missing.append(f"{CLIENT_SECRET} or {TOKEN}")
    if missing:
        raise NotConfigured(f"not set: {', '.join(missing)}")
    return Connection(
        url=variables[URL],
        org=variables[ORG],
        api_key=variables[API_KEY],
        client_secret=variables.get(CLIENT_SECRET) or None,
        token=variables.get(TOKEN) or None,
        sandbox=variables.get(SANDBOX) or None,
    )


def environment(file: Path | str | None = None) -> Mapping[str, str]:
    """The client's variables: of the file, if one is given, and of the environment, which wins."""
    read = {} if file is None else read_file(Path(file))
    return read | {name: os.environ[name] for name in os.environ if name.startswith("LETHE_")}


def read_file(path: Path) -> dict[str, str]:
    """The variables of a file. Raises NotConfigured, naming the line."""
    try:
        text = path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise NotConfigured(f"{path}: cannot be read ({type(error).__name__})") from error
    variables = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        matched = _LINE.fullmatch(line.strip())
        if matched is None:
            raise NotConfigured(f"{path}: line {number} is not NAME=value")
        variables[matched["name"]] = _unquoted(matched["value"])
    return variables


def _unquoted(value: str) -> str:
    quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "'\""
    return value[1:-1] if quoted else value
