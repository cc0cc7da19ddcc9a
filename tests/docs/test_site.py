"""The documentation builds, leads nowhere dead, and the settings that it shows are settings."""

import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from lethe.settings import Settings

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = sorted([*DOCS.rglob("*.md"), *ROOT.glob("*.md")])
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
FENCE = re.compile(r"```(\w*)\n(.*?)```", re.DOTALL)


def sphinx(*arguments: Path | str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-b", "html", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=280)


def test_the_site_builds_without_a_warning(tmp_path: Path) -> None:
    built = sphinx("-d", tmp_path / "doctrees", DOCS, tmp_path / "site")
    assert built.returncode == 0, built.stderr
    assert "Concepts" in (tmp_path / "site/concepts.html").read_text()


def test_the_build_fails_for_a_dead_link(tmp_path: Path) -> None:
    (tmp_path / "conf.py").write_text((DOCS / "conf.py").read_text().replace("reference/openapi.json", "."))
    (tmp_path / "index.md").write_text("# A page\n\n[to nowhere](nowhere.md)\n")
    built = sphinx(tmp_path, tmp_path / "site")
    assert built.returncode != 0
    assert "nowhere.md" in built.stderr


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_what_a_page_links_to_is_there(page: Path) -> None:
    """Also for pages outside of the site, such as the README."""
    dead = [target for target in _links(page) if not (page.parent / target.partition("#")[0]).resolve().exists()]
    assert dead == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_settings_that_a_page_shows_are_accepted(page: Path) -> None:
    for language, text in FENCE.findall(page.read_text()):
        if language == "toml":
            Settings.model_validate(tomllib.loads(text))


def test_every_page_is_reached_from_the_index() -> None:
    index = (DOCS / "index.md").read_text()
    pages = {str(page.relative_to(DOCS).with_suffix("")) for page in DOCS.rglob("*.md")} - {"index"}
    assert [name for name in sorted(pages) if name not in index and not name.startswith("how-to/")] == []


def _links(page: Path) -> Iterator[str]:
    text = FENCE.sub("", page.read_text())
    return (target for target in LINK.findall(text) if not target.startswith(("http://", "https://", "#", "mailto:")))
