"""What a crawl of the simulated web must find, worked out without a request."""

from collections import deque
from hashlib import sha256
from typing import Literal

from msgspec import Struct

from penstock.site.graph import Kind, Web
from penstock.site.pages import body_of
from penstock.site.robots import is_disallowed


class PageTruth(Struct, frozen=True):
    """What is true of one URL that a crawl comes across; `links` are canonical URLs, with repetitions."""

    url: str
    kind: Kind
    #: False where robots.txt forbids it; it must not be asked for then.
    allowed: bool
    #: Links from the start to here at least; a redirect costs none.
    depth: int
    status: int
    location: str | None
    links: tuple[str, ...]
    title: str
    size: int
    #: Of the body before any Content-Encoding, as hexadecimal digits; "" for traps and hostile pages.
    sha256: str


def expected(
    web: Web,
    *,
    start: str | None = None,
    scope: Literal["any", "host"] = "any",
    max_depth: int | None = None,
    ignore_robots: bool = False,
) -> dict[str, PageTruth]:
    """Every URL that a crawl of a scope finds from `start` (default: the root URL), keyed by canonical URL.

    Traps and hostile pages are listed, not walked into.
    """
    start = start or web.root_url
    prefix = start[: start.index("/", len("http://")) + 1] if scope == "host" else "http://"
    found: dict[str, PageTruth] = {}
    ahead = deque([(start, 0)])
    while ahead:
        url, depth = ahead.popleft()
        if url in found or not url.startswith(prefix) or (max_depth is not None and depth > max_depth):
            continue
        truth = found[url] = _truth(web, url, depth=depth, ignore_robots=ignore_robots)
        if truth.location:
            ahead.appendleft((truth.location, depth))
        ahead.extend((link, depth + 1) for link in truth.links)
    return found


def _truth(web: Web, url: str, *, depth: int, ignore_robots: bool) -> PageTruth:
    host, _, rest = url.removeprefix("http://").partition("/")
    resource = web.find(host, f"/{rest}")
    is_page = resource.kind is Kind.PAGE
    allowed = ignore_robots or not is_disallowed(f"/{rest}", robots=web.options.robots)
    unbounded = resource.kind in (Kind.TRAP, Kind.HOSTILE)
    body = b"" if unbounded else body_of(web, resource, url=url)
    return PageTruth(
        url=url,
        kind=resource.kind,
        allowed=allowed,
        depth=depth,
        status=resource.status,
        location=resource.location if allowed else None,
        links=web.links(resource.number) if is_page and allowed else (),
        title=web.title(resource.number) if is_page else "",
        size=len(body),
        sha256="" if unbounded else sha256(body).hexdigest(),
    )
