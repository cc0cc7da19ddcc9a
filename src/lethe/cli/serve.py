"""`lethe serve`: the API on a port, until it is told to stop."""

import signal
import socket
from collections.abc import Callable
from types import FrameType

import structlog
import typer
import uvicorn

from lethe import __version__
from lethe.cli.starting import starting
from lethe.cli.work import working
from lethe.logs import configure_logs
from lethe.settings import Settings
from lethe.wiring import Lethe, running

log = structlog.get_logger("lethe.serve")


Serving = Callable[[Lethe, str], object]
"""Called with the installation and its URL when it is about to answer."""


def serve(settings: Settings, on_serving: Serving = lambda _lethe, _url: None) -> None:
    """Serve until SIGTERM or SIGINT; requests under way are answered first.

    The socket is bound before anything else, so that a taken port is said at once. What stands in the way of a start
    is said in one line, with exit status 1.
    """
    configure_logs(settings.log.level, settings.log.format)
    with _listening(settings) as listener, starting():
        _serve(settings, listener, on_serving)


def _listening(settings: Settings) -> socket.socket:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        listener = socket.create_server((settings.host, settings.port), family=family, backlog=2048)
    except OSError as error:
        reason = (error.strerror or type(error).__name__).partition(" (")[0]
        typer.echo(f"Lethe cannot listen on {settings.host} port {settings.port}: {reason}.", err=True)
        raise typer.Exit(1) from None
    # Connections inherit this. Without it an answer's second packet waits for the client to acknowledge the first,
    # which clients put off for 40 ms; asyncio sets it only on sockets that name their protocol.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


def _serve(settings: Settings, listener: socket.socket, on_serving: Serving) -> None:
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
        server = uvicorn.Server(config)
        _stop_on_signals(server)
        on_serving(lethe, url)
        with working(lethe, settings.work.workers):
            log.info("serving", url=url, docs=f"{url}/docs", version=__version__, data_dir=str(settings.data_dir))
            server.run(sockets=[listener])
    log.info("stopped")


def _stop_on_signals(server: uvicorn.Server) -> None:
    """Let SIGTERM and SIGINT stop the server and nothing else.

    The server raises the signal that stopped it once more when it is done. By default that would end the process
    there, before what is open is closed, and with a status that says that it was killed.
    """

    def stop(_number: int, _frame: FrameType | None) -> None:
        server.should_exit = True

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
