"""A cluster that can be looked at: its metrics on, its traces told to a collector, and a site that it may crawl."""

import contextlib
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from penstock.cluster.supervisor import STAGE_COMMANDS
from tests.contract.counting import samples
from tests.system.commands import environ

PATIENCE_SECONDS = 30.0


class Cluster:
    """A whole cluster on this machine, its metrics on, and a site that it may crawl."""

    def __init__(self, pid, api, site, first_port, collector):
        self.pid, self.api, self.site, self.first_port, self._collector = pid, api, site, first_port, collector

    def spans(self):
        """Stage and span of each that has come to the collector."""
        return [
            (scope.scope.name, span)
            for request in list(self._collector.requests)
            for resource in request.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]

    def text(self, command):
        """What the process of a command, or the API, says at /metrics."""
        if command == "api":
            return self.api.get("/metrics").text
        port = self.first_port + STAGE_COMMANDS.index(command)
        return httpx.get(f"http://127.0.0.1:{port}/metrics", timeout=PATIENCE_SECONDS).text

    def told(self, command):
        """The same as samples."""
        return samples(self.text(command))

    def crawl(self, name):
        """Crawl the site to its end."""
        made = self.api.post("/crawls", json={"seeds": [self.site], "name": name, "delay": 0, "ignore_robots": True})
        id = made.raise_for_status().json()["id"]
        until(lambda: self.api.get(f"/crawls/{id}").json()["state"] == "finished")


def until(condition):
    """Wait for what only other processes can bring about."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


def free_ports(count):
    """The first of so many ports in a row that are free."""
    while True:
        with contextlib.ExitStack() as stack, contextlib.suppress(OSError):
            first = stack.enter_context(socket.create_server(("127.0.0.1", 0))).getsockname()[1]
            for port in range(first + 1, first + count):
                stack.enter_context(socket.create_server(("127.0.0.1", port)))
            return first


@contextlib.contextmanager
def command(*words, **settings):
    """A command in the background, and the first address that it says."""
    process = subprocess.Popen(
        [sys.executable, "-m", "penstock", *words],
        env=environ(**settings), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    try:
        for line in process.stdout:
            if found := re.search(r"http://\S+", line):
                yield process.pid, found[0].rstrip("/.,;)")
                break
        else:
            raise AssertionError(f"{words} ended without an address")
    finally:
        process.terminate()
        process.communicate(timeout=PATIENCE_SECONDS)


class Collector(ThreadingHTTPServer):
    """Takes spans by OTLP over HTTP, as OpenTelemetry's own collector does."""

    def __init__(self):
        self.requests = []
        super().__init__(("127.0.0.1", 0), _Takes)
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def url(self):
        """Its address."""
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Takes(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.requests.append(ExportTraceServiceRequest.FromString(body))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *args):
        pass


@contextlib.contextmanager
def running_cluster(data: Path, **settings: str) -> Iterator[Cluster]:
    """A cluster with a data folder, and a site of ten pages."""
    first, collector = free_ports(len(STAGE_COMMANDS)), Collector()
    settings |= {
        "PENSTOCK_METRICS_PORT": str(first),
        "PENSTOCK_TRACES": "1",
        "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url,
        "OTEL_EXPORTER_OTLP_COMPRESSION": "none",
        "OTEL_BSP_SCHEDULE_DELAY": "100",
    }
    words = ("up", "--port", "0", "--data", str(data), "--allow-private", "--workers", "1", "--parsers", "1")
    site, ours = command("site", "--port", "0", "--pages", "10"), command(*words, **settings)
    with (
        collector,
        site as (_, address),
        ours as (pid, url),
        httpx.Client(base_url=url, timeout=PATIENCE_SECONDS) as api,
    ):
        until(lambda: api.get("/readyz").status_code == 200)
        yield Cluster(pid, api, address + "/", first, collector)
        collector.shutdown()
