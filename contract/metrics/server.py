"""GET /metrics and /healthz of a stage process, answered by a thread of its own.

A thread, and not the event loop, because Celery's parent has none, and because a loop that hangs is to be told by
somebody who does not. /healthz is 200 while each stage that runs in this process (and in its children) has shown a sign
of life within STALE_SECONDS, else 503 with a line that names the silent one. Redis or SQL being away is no reason to
restart a stage, so it is none to call it unhealthy.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from prometheus_client import CollectorRegistry

from contract.errors import Refused
from contract.metrics.exposition import registry_of, render
from contract.metrics.numbers import Numbers

#: A loop that has been silent for longer hangs. Longer than a third of a lease and the longest command together, or a
#: slow Redis would count as a loop that hangs.
STALE_SECONDS = 45.0
#: A client that sends nothing for so long is let go.
_CLIENT_SECONDS = 5.0


class MetricsServer(ThreadingHTTPServer):
    """Listens from the moment it is made; `expected` are the stages that have to run. Raises `Refused`."""

    daemon_threads = True

    def __init__(
        self,
        numbers: Numbers,
        *,
        host: str,
        port: int,
        expected: Sequence[str] = (),
        stale_seconds: float = STALE_SECONDS,
    ) -> None:
        self.numbers, self.expected, self.stale_seconds = numbers, expected, stale_seconds
        self.registry: CollectorRegistry = registry_of(numbers)
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        try:
            super().__init__((host, port), _Handler)
        except OSError as error:
            raise Refused(f"metrics cannot be served at {host}:{port}: {error.strerror or error}") from None
        threading.Thread(target=self.serve_forever, args=(0.1,), name="metrics", daemon=True).start()

    @property
    def port(self) -> int:
        """The port it listens at."""
        return int(self.server_address[1])

    def close(self) -> None:
        """Answer no more."""
        self.shutdown()
        self.server_close()

    def ailing(self) -> str:
        """What is wrong, or nothing."""
        beats = self.numbers.beats()
        missing = [f"{stage} does not run" for stage in self.expected if stage not in beats]
        late = [(stage, age) for stage, age in beats.items() if age > self.stale_seconds]
        return ", ".join([*missing, *(f"{stage} has been silent for {age:.0f} s" for stage, age in late)])

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no news."""


class _Handler(BaseHTTPRequestHandler):
    server: MetricsServer
    timeout = _CLIENT_SECONDS
    server_version, sys_version = "penstock", ""

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        if path == "/metrics":
            text, media_type = render(self.server.registry, self.headers.get("Accept", ""))
            self._answer(200, text, media_type)
        elif path == "/healthz":
            ailing = self.server.ailing()
            self._answer(503 if ailing else 200, f"{ailing or 'ok'}\n".encode(), "text/plain; charset=utf-8")
        else:
            self._answer(404, b"/metrics or /healthz\n", "text/plain; charset=utf-8")

    def _answer(self, status: int, body: bytes, media_type: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", media_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Scrapes are no news."""
