"""How log lines are written: a constant event a line, its facts as fields, JSON or text for people."""

import logging
import sys
import traceback
from typing import Final, Literal

import structlog

PLACES_MAX: Final = 20

_LEVELS: Final = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}


def configure_logs(level: Literal["debug", "info", "warning", "error"], form: Literal["json", "console"]) -> None:
    """Write to standard error. What the server library itself says is written only from warnings up."""
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer() if form == "json" else structlog.dev.ConsoleRenderer(colors=False)
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[level]),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(levelname)s %(name)s %(message)s")


def places_of(error: BaseException) -> list[str]:
    """Where an exception came from, innermost last; a cause's places come first.

    What is logged of an exception that nobody foresaw is its type and this: its message may hold an identity.
    """
    earlier = places_of(error.__cause__) if error.__cause__ else []
    here = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(error.__traceback__)]
    return [*earlier, *here][-PLACES_MAX:]
