"""A real `lethe serve` of the demo's world, in a process of its own, on a free port of the loopback interface."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic, sleep
from typing import Final

from lethe.client.connection import URL
from lethe.demo.world import World

START_SECONDS_MAX: Final = 60
_STOP_SECONDS_MAX: Final = 30


class DidNotStart(Exception):
    """The server ended, or did not begin to serve in time; the message is the end of its log."""


@contextmanager
def serving(world: World) -> Iterator[str]:
    """Serve a world that is made while the block runs; gives the URL. Raises DidNotStart."""
    log = world.directory / "lethe.log"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("LETHE_")}
    command = [sys.executable, "-m", "lethe", "serve", "--demo", "--data-dir", str(world.directory), "--port", "0"]
    # What an earlier run left would be taken for this server's.
    world.write_variables({URL: ""})
    with (
        log.open("wb") as stream,
        subprocess.Popen(command, env=environment, stdout=stream, stderr=stream) as process,  # noqa: S603 - our own
    ):
        try:
            give_up_at = monotonic() + START_SECONDS_MAX
            while not (url := world.variables()[URL]):
                if process.poll() is not None or monotonic() > give_up_at:
                    raise DidNotStart(log.read_text(errors="replace")[-4_000:])
                sleep(0.05)
            yield url
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(_STOP_SECONDS_MAX)
            except subprocess.TimeoutExpired:
                process.kill()
