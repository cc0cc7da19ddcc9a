"""Receives Lethe's events: verifies each message, ignores repetitions, and says what happened.

    LETHE_WEBHOOK_SECRET=whsec_… python examples/webhook_receiver.py 8099

Put it behind your own https. What it has seen is kept in memory, which is enough for an example: a real receiver keeps
the ids where it keeps what it does with the events, in one transaction.
"""

import json
import os
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock

from standardwebhooks import Webhook, WebhookVerificationError

BODY_BYTES_MAX = 1_000_000
seen: set[str] = set()
lock = Lock()


def handle(event: dict[str, str]) -> None:
    """Do what an event asks for; here, say it."""
    print(f"{event['time']} {event['type']} {event['subject']}", flush=True)


class Handler(BaseHTTPRequestHandler):
    """Answers 204 to what is verified, whether it is new or not."""

    def do_POST(self) -> None:
        """Take one message."""
        length = int(self.headers.get("content-length", 0))
        if length > BODY_BYTES_MAX:
            self.answer(413)
            return
        body = self.rfile.read(length)
        try:
            event = Webhook(os.environ["LETHE_WEBHOOK_SECRET"]).verify(body, dict(self.headers))
        except (WebhookVerificationError, ValueError):
            self.answer(401)
            return
        with lock:
            if event["id"] not in seen:
                handle(event)
                seen.add(event["id"])
        self.answer(204)

    def answer(self, status: int) -> None:
        """Answer with a status alone."""
        self.send_response(status)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing of requests: their paths may hold a token."""


def main() -> None:
    """Serve until told to stop."""
    server = ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler)
    print(json.dumps({"listening": server.server_port}), flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
