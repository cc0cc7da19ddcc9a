"""The native module under AddressSanitizer and UBSan: `python -m engines.pages.sanitized`.

A copy of the sources is made under `build/sanitize`, and the module built there with the sanitizers in it. Python is as
always; the sanitizer's library is loaded before it. Memory is taken from `malloc` for every buffer, Python's and Arrow's,
so that a byte read behind any of them is noticed. Before anything is believed, the module itself is made to read behind
the end of a buffer, and must die of it.
"""

import argparse
import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Final

_ROOT: Final = Path(__file__).parents[3]
_PLACE: Final = _ROOT / "build" / "sanitize"
_MODULE: Final = Path("lethe", "engines", "rewrite", "pages")
_FLAGS: Final = (
    "-std=c11", "-g", "-O1", "-fPIC", "-shared", "-fno-omit-frame-pointer", "-Wall", "-Wextra", "-Werror",
    "-fsanitize=address,undefined", "-fno-sanitize-recover=all",
)  # fmt: skip

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
    shutil.copytree(_ROOT / "src", _PLACE, ignore=shutil.ignore_patterns("*.so", "__pycache__"))
    native = _PLACE / _MODULE / "native"
    sources = sorted(map(str, native.glob("*.c")))
    compiler = os.environ.get("CC", "gcc")
    target = _PLACE / _MODULE / "_native.abi3.so"
    include = sysconfig.get_path("include")
    subprocess.run([compiler, *_FLAGS, f"-I{include}", *sources, "-o", str(target)], check=True)
    return target


def environment() -> dict[str, str]:
    """In which the instrumented module runs."""
    compiler = os.environ.get("CC", "gcc")
    asan = subprocess.run([compiler, "-print-file-name=libasan.so"], check=True, capture_output=True, text=True)
    return os.environ | {
        "LD_PRELOAD": str(Path(asan.stdout.strip()).resolve()),
        "ASAN_OPTIONS": "detect_leaks=0:abort_on_error=1:allocator_may_return_null=1:max_allocation_size_mb=4096",
        "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1",
        "PYTHONPATH": f"{_PLACE}{os.pathsep}{_ROOT / 'tests'}",
        "PYTHONMALLOC": "malloc",
        "ARROW_DEFAULT_MEMORY_POOL": "system",
        "LETHE_SANITIZED": "1",
    }


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
    parser.add_argument("--tests", default="tests/engines/test_rewriter.py tests/engines/pages", help="of pytest")
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
