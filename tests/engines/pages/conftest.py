"""Without the native module no row group falls back from it; `test_native.py` fails where it must be."""

from lethe.engines.rewrite.choice import CUTS_PAGES

collect_ignore = [] if CUTS_PAGES else ["test_more_values.py"]
