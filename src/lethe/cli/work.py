"""`lethe worker`, and the workers inside `lethe serve`."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread
from types import FrameType

import structlog

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
    with running(settings) as lethe, working(lethe, workers):
        log.info("working", workers=workers, data_dir=str(settings.data_dir))
        stop.wait()
    log.info("stopped")


@contextmanager
def working(lethe: Lethe, workers: int) -> Iterator[None]:
    """Let so many workers work while the block runs; at its end each finishes its task."""
    stop = Event()
    threads = [
        Thread(target=lethe.worker().run, args=(stop,), name=f"worker-{number}", daemon=True)
        for number in range(workers)
    ]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join()
