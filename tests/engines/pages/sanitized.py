"""The native module under AddressSanitizer and UBSan: `python -m engines.pages.sanitized`.

A copy of the sources is made under `build/sanitize`, and the module built there with the sanitizers in it. Python is
as always; the sanitizer's library is loaded before it. Memory is taken from `malloc` for every buffer, Python's and
Arrow's, so that a byte read behind any of them is noticed. Before anything is believed, the module itself is made to
read behind the end of a buffer, and must die of it.
"""

import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

_ROOT: Final = Path(__file__).parents[3]
_PLACE: Final = _ROOT / "build" / "sanitize"
_MODULE: Final = Path("lethe", "engines", "rewrite", "pages", "_native.abi3.so")
_FLAGS: Final = (
    "-g -O1 -fno-omit-frame-pointer -Wall -Wextra -Werror -fsanitize=address,undefined -fno-sanitize-recover=all "
    "-fvisibility=default"
)
"""All symbols are visible, so that the canary finds the one that it calls."""

_CANARY: Final = """
import ctypes
from lethe.engines.rewrite.pages import _native
libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
class View(ctypes.Structure):
    _fields_ = [("data", ctypes.c_void_p), ("size", ctypes.c_size_t)]
print(_native.__file__, flush=True)
module = ctypes.CDLL(_native.__file__)
module.xxh64.argtypes = [View]
module.xxh64(View(libc.malloc(40), {size}))
print("lived", flush=True)
"""


def build() -> Path:
    """A copy of the sources with the instrumented module in it."""
    shutil.rmtree(_PLACE, ignore_errors=True)
    shutil.copytree(_ROOT / "src", _PLACE / "src", ignore=shutil.ignore_patterns("*.so", "__pycache__"))
    shutil.copy(_ROOT / "hatch_build.py", _PLACE)
    subprocess.run(
        [sys.executable, "hatch_build.py"],
        check=True,
        cwd=_PLACE,
        env=os.environ | {"LETHE_CFLAGS": _FLAGS, "CC": _compiler()},
    )
    return _PLACE / "src" / _MODULE


def _compiler() -> str:
    return os.environ.get("CC", "gcc")


def environment() -> dict[str, str]:
    """In which the instrumented module runs."""
    # With the library of C++ beside it, the sanitizer can follow Arrow's exceptions.
    preloaded = [_library("libasan.so"), _library("libstdc++.so")]
    return os.environ | {
        "LD_PRELOAD": " ".join(preloaded),
        "ASAN_OPTIONS": "detect_leaks=0:abort_on_error=1:allocator_may_return_null=1:max_allocation_size_mb=4096",
        "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1",
        "PYTHONPATH": f"{_PLACE / 'src'}{os.pathsep}{_ROOT / 'tests'}",
        "PYTHONMALLOC": "malloc",
        "ARROW_DEFAULT_MEMORY_POOL": "system",
    }


def _library(name: str) -> str:
    found = subprocess.run([_compiler(), f"-print-file-name={name}"], check=True, capture_output=True, text=True)
    return str(Path(found.stdout.strip()).resolve())


def canary(module: Path, inside: dict[str, str]) -> None:
    """The module hashes 40 bytes of 40, and lives; it hashes 400 bytes of 40, and must be stopped for it."""
    well = _run(_CANARY.format(size=40), inside)
    if well.returncode or well.stdout.split() != [str(module), "lived"]:
        raise SystemExit(f"the instrumented module is not the one that is loaded, or does not run:\n{well.stderr}")
    ill = _run(_CANARY.format(size=400), inside)
    seen = "heap-buffer-overflow" in ill.stderr and "xxh64" in ill.stderr
    if not ill.returncode or "lived" in ill.stdout or not seen:
        raise SystemExit(f"reading behind a buffer was not noticed: the sanitizers are not at work:\n{ill.stderr}")
    symbols = module.read_bytes()
    if b"__ubsan_handle_" not in symbols or b"__asan_report_" not in symbols:
        raise SystemExit("the module does not call the sanitizers")
    print(f"sanitizers at work in {module.relative_to(_ROOT)}", flush=True)


def _run(program: str, inside: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", program], env=inside, capture_output=True, text=True, check=False)


def main() -> int:
    """Ends with 1 when anything fails."""
    parser = argparse.ArgumentParser(description="Runs the proof of the page rewriter under sanitizers.")
    parser.add_argument("--rows", type=int, default=300, help="sound files")
    parser.add_argument("--damage", type=int, default=1000, help="broken files")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--tests", default="tests/engines/test_rewriter.py tests/engines/rewrite tests/engines/pages", help="of pytest"
    )
    asked = parser.parse_args()
    inside = environment()
    canary(build(), inside)
    failed = 0
    if asked.tests:
        tests = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-o", "timeout=1200", *asked.tests.split()]
        failed += subprocess.run(tests, env=inside, cwd=_ROOT, check=False).returncode != 0
    for kind in ("rows", "damage"):
        fuzz = [sys.executable, "-m", "engines.pages.fuzz", kind, "--seed", str(asked.seed), "--count",
                str(getattr(asked, kind))]  # fmt: skip
        if getattr(asked, kind):
            failed += subprocess.run(fuzz, env=inside, cwd=_ROOT, check=False).returncode != 0
    print("clean under AddressSanitizer and UBSan" if not failed else f"{failed} of the runs failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
