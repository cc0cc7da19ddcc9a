"""`lethe serve`: the API on a port, until it is told to stop."""

import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import structlog
import typer
import uvicorn

from lethe import __version__
from lethe.auth.signing_keys import SigningKeysUnusable
from lethe.logs import configure_logs
from lethe.settings import Settings
from lethe.storage.interface import StoreUnavailable
from lethe.wiring import running

log = structlog.get_logger("lethe.serve")


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Stop at SIGTERM or SIGINT, and leave it at that.

        The library's own way sends itself the signal again once it has stopped, which would end the process before
        databases are closed and the stop is logged.
        """
        before = {number: signal.signal(number, self.handle_exit) for number in (signal.SIGTERM, signal.SIGINT)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def serve(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT; requests under way are answered first.

    The socket is bound before anything else, so that a taken port is said at once. What stands in the way of a start
    is said in one line, with exit status 1.
    """
    configure_logs(settings.log.level, settings.log.format)
    with _listening(settings) as listener:
        try:
            _serve(settings, listener)
        except (StoreUnavailable, SigningKeysUnusable) as error:
            typer.echo(f"Lethe cannot start: {error}.", err=True)
            raise typer.Exit(1) from None


def _listening(settings: Settings) -> socket.socket:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        return socket.create_server((settings.host, settings.port), family=family, backlog=2048)
    except OSError as error:
        reason = (error.strerror or type(error).__name__).partition(" (")[0]
        typer.echo(f"Lethe cannot listen on {settings.host} port {settings.port}: {reason}.", err=True)
        raise typer.Exit(1) from None


def _serve(settings: Settings, listener: socket.socket) -> None:
    host, port = listener.getsockname()[:2]
    with running(settings) as lethe:
        config = uvicorn.Config(
            lethe.application(),
            access_log=False,
            log_config=None,
            server_header=False,
            timeout_graceful_shutdown=settings.shutdown_seconds,
        )
        url = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
        log.info("serving", url=url, docs=f"{url}/docs", version=__version__, data_dir=str(settings.data_dir))
        _Server(config).run(sockets=[listener])
    log.info("stopped")
