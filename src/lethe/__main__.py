"""`python -m lethe` is `lethe`."""

from lethe.cli.main import run

run()
