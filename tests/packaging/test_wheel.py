"""The wheel: it builds with and without a compiler, holds what it should, and serves from an empty environment."""

import json
import os
import re
import signal
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import httpx2
import pytest

ROOT = Path(__file__).parents[2]
SECONDS_MAX = 560
NOT_IN_THE_CORE = {"pyspark", "daft", "deltalake", "duckdb", "polars", "pandas", "psycopg", "pytest", "boto3"}


def build(directory: Path, **variables: str) -> Path:
    """A wheel of a copy of the sources, so that the module of the tree under test stays."""
    source = directory / "source"
    files = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout.decode()
    for name in files.rstrip("\0").split("\0"):
        if name.startswith(("src/", "pyproject.toml", "hatch_build.py", "README.md", "LICENSE")):
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            (source / name).write_bytes((ROOT / name).read_bytes())
    command = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--quiet",
        "--no-deps",
        "--no-build-isolation",
        "-w",
        directory,
        source,
    ]
    subprocess.run(command, check=True, env=os.environ | variables, timeout=SECONDS_MAX)
    [wheel] = directory.glob("*.whl")
    return wheel


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("wheel"))


def test_it_holds_the_package_its_types_and_the_native_module(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert "lethe/py.typed" in names
    assert any(name.startswith("lethe/engines/rewrite/pages/_native") and name.endswith(".so") for name in names)
    assert re.search(r"-cp311-abi3-linux_\w+\.whl$", wheel.name)
    assert not [name for name in names if name.startswith(("tests", "bench", "docs"))]


@pytest.mark.parametrize("variables", [{"CC": "/nonexistent/cc"}, {"LETHE_PURE": "1"}], ids=["no compiler", "pure"])
def test_without_a_compiler_it_is_pure_and_says_how_it_rewrites(tmp_path: Path, variables: dict[str, str]) -> None:
    pure = build(tmp_path, **variables)
    assert pure.name.endswith("-py3-none-any.whl")
    zipfile.ZipFile(pure).extractall(tmp_path / "site")
    say = "from lethe.engines.rewrite import choice; print(choice.CUTS_PAGES, type(choice.best_rewriter()).__name__)"
    environment = os.environ | {"PYTHONPATH": str(tmp_path / "site")}
    said = subprocess.run(
        [sys.executable, "-c", say], cwd=tmp_path, env=environment, capture_output=True, text=True, check=True
    ).stdout
    assert said.split() == ["False", "PyarrowRewriter"]


@pytest.mark.timeout(600)
def test_it_serves_from_an_empty_environment_with_the_core_dependencies_alone(wheel: Path, tmp_path: Path) -> None:
    home = tmp_path / "environment"
    venv.create(home, with_pip=True)
    python = str(home / "bin/python")
    pip = [python, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    constraints = tmp_path / "constraints.txt"
    # The versions of the lock; only binary packages, so that no dependency needs a compiler either.
    pinned = re.findall(r"^[\w.\-]+==[^\\\n]+", (ROOT / "requirements.lock").read_text(), re.MULTILINE)
    constraints.write_text("\n".join(pinned))
    install = [*pip, "install", "--only-binary", ":all:", "--constraint", constraints, wheel]
    subprocess.run(install, check=True, timeout=SECONDS_MAX)
    listed = subprocess.run(
        [python, "-m", "pip", "list", "--format", "json"], capture_output=True, text=True, check=True
    ).stdout
    assert not NOT_IN_THE_CORE & {each["name"] for each in json.loads(listed)}

    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    lethe = str(home / "bin/lethe")
    subprocess.run([lethe, "config", "init"], cwd=tmp_path, env=environment, check=True, capture_output=True)
    command = [lethe, "serve", "--port", "0"]
    with subprocess.Popen(command, cwd=tmp_path, env=environment, stderr=subprocess.PIPE, text=True) as server:
        assert server.stderr is not None
        url = next(json.loads(line)["url"] for line in server.stderr if '"serving"' in line)
        assert httpx2.get(f"{url}/readyz", timeout=60, trust_env=False).status_code == 200
        server.send_signal(signal.SIGTERM)
        server.communicate(timeout=60)
        assert server.returncode == 0
