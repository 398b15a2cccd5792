"""What answers a request: a plain reply for the web's pages, a script for all that plain HTTP cannot say."""

import gzip
from functools import partial

from penstock.site.faults import fault_status, retry_after
from penstock.site.graph import HOSTILE_PATH, Kind, Resource, Web
from penstock.site.hostile import hostile_script
from penstock.site.pages import body_of
from penstock.site.robots import (
    MOVED_ONCE_PATH,
    MOVED_TWICE_PATH,
    ROBOTS_PATH,
    SITEMAP_PATH,
    made_huge,
    rules,
    sitemap,
    with_mark,
)
from penstock.site.wire import Reply, Request, Script, Wire

#: Bodies kept after the first request, in bytes for each encoding; those beyond are rendered each time.
_KEPT_BYTES = 400 * 1024 * 1024
_TEXT = "text/plain; charset=utf-8"
#: Attempts after which the `recovers` robots.txt is well again.
_ROBOTS_FAILURES = 3


class Answers:
    """Answers requests for one web, and keeps the bodies that it rendered."""

    def __init__(self, web: Web) -> None:
        self.web = web
        self._plain = _Kept()
        self._gzip = _Kept()

    def prebuild(self) -> None:
        """Render all pages, so that no request has to."""
        for number in range(self.web.options.pages):
            page = Resource(kind=Kind.PAGE, status=200, number=number)
            self._page(page, host=self.web.host_of(number), path=self.web.path(number), gzipped=self.web.options.gzip)

    def answer(self, request: Request, *, host: str, attempt: int) -> Reply | Script:
        """What to send for a request; `attempt` counts the requests for this URL, from 1."""
        path, options = request.path, self.web.options
        if request.method not in ("GET", "HEAD"):
            return Reply(status=405, headers="Allow: GET, HEAD\r\n")
        if path.startswith("/robots"):
            return self._robots(host, path=path, attempt=attempt)
        if path == SITEMAP_PATH:
            return Reply(status=200, body=sitemap(self.web, host=host), content_type="application/xml")
        if path.startswith(HOSTILE_PATH):
            return hostile_script(path) or Reply(status=404)
        url = f"http://{host}{path}"
        if status := fault_status(options, url=url, attempt=attempt):
            return self._failure(status, url=url, attempt=attempt)
        return self._page(
            self.web.find(host, path), host=host, path=path, gzipped=options.gzip and request.accepts_gzip
        )

    def _page(self, resource: Resource, *, host: str, path: str, gzipped: bool) -> Reply:
        headers = f"Location: {resource.location}\r\n" if resource.location else ""
        body = self._plain.get(path, host) or self._plain.put(
            path, host, body_of(self.web, resource, url=f"http://{host}{path}")
        )
        if not gzipped:
            return Reply(status=resource.status, body=body, headers=headers)
        packed = self._gzip.get(path, host) or self._gzip.put(path, host, gzip.compress(body, 6, mtime=0))
        headers += "Content-Encoding: gzip\r\nVary: Accept-Encoding\r\n"
        return Reply(status=resource.status, body=packed, headers=headers)

    def _failure(self, status: int, *, url: str, attempt: int) -> Reply:
        if status != 429:
            return Reply(status=status, body=b"Not now.\n", content_type=_TEXT)
        told = retry_after(self.web.options, url=url, attempt=attempt)
        headers = f"Retry-After: {told.value}\r\n"
        return Reply(status=429, body=b"Slower!\n", content_type=_TEXT, headers=headers, retry_at_ns=told.at_ns)

    def _robots(self, host: str, *, path: str, attempt: int) -> Reply | Script:
        text, variant = rules(self.web, host=host), self.web.options.robots
        ok = partial(Reply, status=200, content_type=_TEXT)
        if variant == "redirect":
            return _moved_robots(path, text=text)
        if path != ROBOTS_PATH or variant == "404":
            return Reply(status=404)
        if variant == "500" or (variant == "recovers" and attempt <= _ROBOTS_FAILURES):
            return Reply(status=500 if variant == "500" else 503)
        if variant == "timeout":
            return Wire.hang
        if variant == "html":
            return Reply(status=200, body=b"<!doctype html><title>Welcome</title><p>Disallow: nothing")
        return ok(body={"bom": with_mark, "huge": made_huge}.get(variant, bytes)(text))


class _Kept:
    """Bodies by path and host, up to a number of bytes."""

    def __init__(self) -> None:
        self._bodies: dict[tuple[str, str], bytes] = {}
        self._room = _KEPT_BYTES

    def get(self, path: str, host: str) -> bytes | None:
        return self._bodies.get((path, host))

    def put(self, path: str, host: str, body: bytes) -> bytes:
        if self._room >= len(body):
            self._room -= len(body)
            self._bodies[path, host] = body
        return body


def _moved_robots(path: str, *, text: bytes) -> Reply:
    if path == MOVED_TWICE_PATH:
        return Reply(status=200, body=text, content_type=_TEXT)
    target = {ROBOTS_PATH: MOVED_ONCE_PATH, MOVED_ONCE_PATH: MOVED_TWICE_PATH}.get(path)
    return Reply(status=301, headers=f"Location: {target}\r\n") if target else Reply(status=404)
