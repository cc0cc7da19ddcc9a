"""Whether the native module is there: it must be, wherever nobody said otherwise."""

import os

from lethe.engines.rewrite.choice import CUTS_PAGES


def test_the_native_module_was_built() -> None:
    pure = os.environ.get("LETHE_PURE") == "1"
    assert pure != CUTS_PAGES
