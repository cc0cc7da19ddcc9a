"""`lethe worker`, and the workers inside `lethe serve`."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from threading import Event, Thread
from types import FrameType

import structlog

from lethe.cli.starting import starting
from lethe.logs import configure_logs
from lethe.settings import Settings
from lethe.wiring import Lethe, running

log = structlog.get_logger("lethe.worker")


def work(settings: Settings, workers: int) -> None:
    """Work until SIGTERM or SIGINT; the tasks under way are finished first."""
    configure_logs(settings.log.level, settings.log.format)
    stop = Event()

    def stop_on_signal(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop_on_signal)
    with starting(), running(settings) as lethe, working(lethe, workers):
        log.info("working", workers=workers, data_dir=str(settings.data_dir))
        stop.wait()
    log.info("stopped")


@contextmanager
def working(lethe: Lethe, workers: int) -> Iterator[None]:
    """Let so many workers work while the block runs, and senders deliver; at its end each finishes what it does."""
    stop = Event()
    senders = lethe.settings.webhooks.senders if workers else 0
    runs = [(f"worker-{number}", lethe.worker().run) for number in range(workers)]
    runs += [(f"sender-{number}", lethe.sender().run) for number in range(senders)]
    threads = [Thread(target=run, args=(stop,), name=name, daemon=True) for name, run in runs]
    with lethe.store.listening() if workers else nullcontext():
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            stop.set()
            lethe.store.bell.ring()
            for thread in threads:
                thread.join()
