"""One version of aepp in a process of its own, called from a test."""

import json
import os
import queue
import subprocess
import sys
from pathlib import Path
from threading import Thread
from typing import IO, Any

DRIVER = Path(__file__).with_name("driver.py")
SECONDS_MAX = 60


class Raised(Exception):
    """The library raised; `kind` is the name of the exception's class."""

    def __init__(self, kind: str, message: str) -> None:
        self.kind = kind
        super().__init__(f"{kind}: {message}")


class Endless(Exception):
    """The library did not come back within the bound; its process is ended."""


class Aepp:
    """A running library; a call is `aepp.hygiene("getQuotas", quotaType=…)`."""

    def __init__(self, path: Path | None, **settings: object) -> None:
        """`path` holds the version to import; without it, the one of this environment."""
        environment = {**os.environ, "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1", "MPLBACKEND": "agg"}
        if path is not None:
            environment["PYTHONPATH"] = str(path)
        self._process = subprocess.Popen(
            [sys.executable, "-P", str(DRIVER)],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._calls: IO[bytes] = self._process.stdin
        self._answers: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()
        self._reader = Thread(target=self._read, args=(self._process.stdout,), daemon=True)
        self._reader.start()
        self._send(settings)
        started = self._receive(SECONDS_MAX)
        self.version: str = started["version"]
        self.file: str = started["file"]

    def hygiene(self, method: str, *, seconds_max: float = SECONDS_MAX, **arguments: object) -> Any:
        return self.call("Hygiene", method, seconds_max, **arguments)

    def call(self, class_name: str, method: str, seconds_max: float = SECONDS_MAX, /, **arguments: object) -> Any:
        """Call a method. Raises Raised when it raises, and Endless when it does not end."""
        self._send({"class": class_name, "method": method, "arguments": arguments})
        answer = self._receive(seconds_max)
        if "error" in answer:
            raise Raised(answer["error"], answer["message"])
        return answer["result"]

    def close(self) -> None:
        """End the process, by its handle."""
        self._process.kill()
        self._process.wait()
        self._reader.join(SECONDS_MAX)
        self._calls.close()

    def _send(self, what: object) -> None:
        self._calls.write(json.dumps(what).encode() + b"\n")
        self._calls.flush()

    def _receive(self, seconds_max: float) -> dict[str, Any]:
        try:
            answer = self._answers.get(timeout=seconds_max)
        except queue.Empty:
            self._process.kill()
            raise Endless from None
        assert answer is not None, "the driver ended"
        return answer

    def _read(self, stream: IO[bytes]) -> None:
        with stream:
            for line in stream:
                self._answers.put(json.loads(line))
        self._answers.put(None)
