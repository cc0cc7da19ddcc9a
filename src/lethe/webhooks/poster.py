"""One POST to a receiver: signed, bounded in time and size, never redirected, only to where it is safe to connect.

No proxy of the environment is used: it would connect where this machine must not. What the receiver answers besides
its status is read no further than politeness asks, and kept nowhere.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Final

import httpcore2

from lethe import __version__
from lethe.domain.addresses import AddressRule
from lethe.webhooks.guard import Deadline, GuardedBackend, NotAdmitted, Resolve, resolve
from lethe.webhooks.interface import Answered
from lethe.webhooks.signing import signed_headers

CONTENT_TYPE: Final = "application/cloudevents+json"
_ANSWER_BYTES_MAX: Final = 65_536


class Poster:
    """Carries messages over HTTP; implements `interface.Courier`."""

    def __init__(
        self,
        rule: AddressRule,
        timeout_seconds: float,
        *,
        now: Callable[[], datetime],
        monotonic: Callable[[], float],
        resolve: Resolve = resolve,
    ) -> None:
        """`now` dates signatures, `monotonic` measures exchanges, `resolve` gives the addresses of a name."""
        self._rule = rule
        self._timeout_seconds = timeout_seconds
        self._now = now
        self._monotonic = monotonic
        self._resolve = resolve
        self._ssl_context = httpcore2.default_ssl_context()

    def send(self, url: str, message_id: str, secrets: Sequence[str], body: bytes) -> Answered:
        """Try once. Never raises for what the receiver or the network does."""
        begun = self._monotonic()
        status: int | None = None
        try:
            headers = [
                ("content-type", CONTENT_TYPE),
                ("content-length", str(len(body))),
                ("user-agent", f"Lethe/{__version__}"),
                ("accept-encoding", "identity"),
                ("connection", "close"),
                *signed_headers(secrets, message_id, self._now(), body).items(),
            ]
            status = self._post(url, headers, body)
            problem = None if 200 <= status < 300 else _problem(status)  # noqa: PLR2004 - the statuses of success
        except NotAdmitted:
            problem = "the host leads to an address that is not public"
        except (httpcore2.ConnectTimeout, httpcore2.ReadTimeout, httpcore2.WriteTimeout):
            problem = f"the receiver did not answer within {self._timeout_seconds:g} s"
        except (httpcore2.NetworkError, httpcore2.ProtocolError, httpcore2.UnsupportedProtocol, OSError) as error:
            problem = f"the receiver cannot be reached ({type(error).__name__})"
        except (ValueError, TypeError) as error:
            # Such as a host that is no name. What it says may repeat the URL.
            problem = f"the message cannot be sent ({type(error).__name__})"
        return Answered(status, timedelta(seconds=self._monotonic() - begun), problem)

    def _post(self, url: str, headers: Sequence[tuple[str, str]], body: bytes) -> int:
        deadline = Deadline(self._timeout_seconds, self._monotonic)
        backend = GuardedBackend(self._rule, self._resolve, deadline)
        with (
            httpcore2.ConnectionPool(ssl_context=self._ssl_context, network_backend=backend) as pool,
            pool.stream("POST", url, headers=headers, content=body) as response,
        ):
            read = 0
            for part in response.iter_stream():
                read += len(part)
                if read > _ANSWER_BYTES_MAX:
                    break
            status: int = response.status
            return status


def _problem(status: int) -> str:
    if 300 <= status < 400:  # noqa: PLR2004 - the statuses of redirection
        return f"the receiver answers {status}, and redirects are not followed"
    return f"the receiver answers {status}"
