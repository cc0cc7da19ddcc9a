"""Checks that fail say what they compared, as those of test files do."""

import pytest

pytest.register_assert_rewrite("torture.checks", "torture.run")
