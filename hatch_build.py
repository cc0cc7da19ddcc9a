"""Compiles the native module when the package is built or installed, where a compiler is there.

Without one, or with `LETHE_PURE=1`, the package is built without the module, says so, and rewrites files through Arrow
instead of cutting their pages. `CC` and `LETHE_CFLAGS` choose the compiler and add flags:
`LETHE_CFLAGS="-O1 -g -fsanitize=address,undefined" pip install --editable .` makes a sanitized module.
By hand: `python hatch_build.py`.
"""

import os
import shlex
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

_MODULE = Path("src/lethe/engines/rewrite/pages/_native.abi3.so")
_SOURCES = Path("src/lethe/engines/rewrite/pages/native")
_FLAGS = ("-std=c11", "-O3", "-fPIC", "-shared", "-fvisibility=hidden", "-Wall", "-Wextra")
_MINUTES = 5


def compile_module(root: Path) -> str | None:
    """Compile; the answer is None, or why there is no module."""
    target = root / _MODULE
    target.unlink(missing_ok=True)
    if os.environ.get("LETHE_PURE") == "1":
        return "LETHE_PURE is set"
    if sys.implementation.name != "cpython":
        return "this is not CPython"
    compiler = shlex.split(os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc")
    more = shlex.split(os.environ.get("LETHE_CFLAGS", ""))
    platform = ["-undefined", "dynamic_lookup"] if sys.platform == "darwin" else []
    sources = [str(path) for path in sorted((root / _SOURCES).glob("*.c"))]
    include = sysconfig.get_paths()["include"]
    part = target.with_suffix(f".{os.getpid()}.part")
    command = [*compiler, *_FLAGS, *more, *platform, f"-I{include}", *sources, "-lm", "-o", str(part)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60 * _MINUTES)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"the compiler could not be run ({error})"
    if done.returncode or not part.exists():
        part.unlink(missing_ok=True)
        return f"the compiler failed:\n{done.stderr}"
    part.replace(target)
    return None


try:
    from hatchling.builders.hooks.plugin.interface import BuildHookInterface
except ImportError:  # compiled by hand
    pass
else:

    class NativeModule(BuildHookInterface):  # type: ignore[type-arg]
        """Puts the module next to the code that uses it, and the right tag on a wheel."""

        PLUGIN_NAME = "custom"

        def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002
            """Compile before files are collected. A build never fails here."""
            if self.target_name != "wheel":
                return
            reason = compile_module(Path(self.root))
            if reason is not None:
                self.app.display_warning(f"No native module; files are rewritten through Arrow: {reason}")
                return
            build_data["artifacts"].append(f"/{_MODULE}")
            build_data["pure_python"] = False
            platform = sysconfig.get_platform().replace("-", "_").replace(".", "_")
            build_data["tag"] = f"cp311-abi3-{platform}"


if __name__ == "__main__":
    sys.exit(compile_module(Path(__file__).parent))
