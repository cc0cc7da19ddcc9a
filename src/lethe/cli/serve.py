"""`lethe serve`: the API on a port, until it is told to stop."""

import socket

import structlog
import uvicorn

from lethe import __version__
from lethe.logs import configure_logs
from lethe.settings import Settings
from lethe.wiring import running

log = structlog.get_logger("lethe.serve")


def serve(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT; requests under way are answered first.

    The socket is bound before anything else, so that a taken port is said at once.
    """
    configure_logs(settings.log.level, settings.log.format)
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.create_server((settings.host, settings.port), family=family, backlog=2048) as listener:
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
            uvicorn.Server(config).run(sockets=[listener])
            log.info("stopped")
