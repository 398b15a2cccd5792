"""The graph of the simulated web, without HTTP: which URLs there are, and which of them each page links to.

Pages are numbered; page `n` belongs to host `n % hosts`, and is the `n // hosts`-th of it. The pages of a
host form a tree below its root, so each can be reached; other links are drawn from the seed. Some branches of
the tree lead over a redirect.
"""

import re
from collections.abc import Iterator
from enum import StrEnum
from random import Random

from msgspec import Struct

from penstock.site.chance import draw
from penstock.site.options import SiteOptions
from penstock.site.words import NAMES, title_of

#: Every so-manieth page is linked from its parent through a redirect only.
_REDIRECTED_EVERY = 25
_LINKS_TO_MISSING_EVERY = 20
_LINKS_TO_PRIVATE_EVERY = 20
_LINKS_TO_REDIRECT_EVERY = 10
_CROSS_HOST_SHARE = 0.15
#: Children of a page in its host's tree, at most; a small number makes a deep web.
_MOST_CHILDREN = 10
_HOSTS_IN_A_NET = 250

_NUMBER_IN_PATH = re.compile(r"[-=](\d{1,9})(?:\.html|/|&|$)")
_GO_PATH = re.compile(r"/go/(?:(2)/)?(\d{1,9})")
_PRIVATE_PATH = re.compile(r"/private/(?:press/)?report-(\d{1,9})(?:\?sort=\w+)?")
_TRAP_PATH = re.compile(r"/calendar/\d+|/deeper/(?:deeper/)*")
#: Below it each host serves the hostile pages.
HOSTILE_PATH = "/hostile/"

_REDIRECT_STATUSES = (301, 302, 307, 308)


class Kind(StrEnum):
    """What answers at a URL."""

    PAGE = "page"
    PRIVATE = "private"
    REDIRECT = "redirect"
    MISSING = "missing"
    TRAP = "trap"
    HOSTILE = "hostile"


class Resource(Struct, frozen=True):
    """What answers at one URL: `number` of the page it belongs to, `location` (absolute) if it redirects."""

    kind: Kind
    status: int
    number: int = -1
    location: str | None = None


_MISSING = Resource(kind=Kind.MISSING, status=404)


def host_addresses(hosts: int) -> tuple[str, ...]:
    """The loopback addresses of so many hosts; a single one is 127.0.0.1."""
    if hosts == 1:
        return ("127.0.0.1",)
    return tuple(f"127.1.{n // _HOSTS_IN_A_NET}.{n % _HOSTS_IN_A_NET + 1}" for n in range(hosts))


class Web:
    """The whole simulated web of some options, on a port."""

    def __init__(self, options: SiteOptions, *, port: int) -> None:
        self.options = options
        self.port = port
        self.addresses = host_addresses(options.hosts)
        self.hosts = tuple(f"{address}:{port}" for address in self.addresses)
        self._index_of = {host: index for index, host in enumerate(self.hosts)}
        self._paths = [self._path(number) for number in range(options.pages)]
        self._branches = min(_MOST_CHILDREN, max(2, options.links // 3))

    def __repr__(self) -> str:
        return f"<Web seed={self.options.seed} {len(self.hosts)} hosts, {self.options.pages} pages>"

    @property
    def root_url(self) -> str:
        """The root of the first host, from which everything can be reached."""
        return f"http://{self.hosts[0]}/"

    def url(self, number: int) -> str:
        """The canonical URL of page `number`."""
        return f"http://{self.host_of(number)}{self._paths[number]}"

    def path(self, number: int) -> str:
        """The path and query of page `number`."""
        return self._paths[number]

    def host_of(self, number: int) -> str:
        """The host, with port, of page `number`."""
        return self.hosts[number % len(self.hosts)]

    def title(self, number: int) -> str:
        """The title of page `number`, as text."""
        return title_of(number, pick=draw(self.options.seed, "title", number))

    def pages_of(self, host: str) -> range:
        """The numbers of the pages of one host, its root first."""
        return range(self._index_of[host], self.options.pages, len(self.hosts))

    def _path(self, number: int) -> str:
        if number < len(self.addresses):
            return "/"
        pick = draw(self.options.seed, "path", number)
        one, other = NAMES[pick % len(NAMES)], NAMES[pick // 101 % len(NAMES)]
        year, month = 2015 + pick // 10007 % 10, 1 + pick // 100003 % 12
        shapes = (
            *(f"/guide/{one}-{other}-{number}.html",) * 8,
            *(f"/articles/{year}/{one}-{number}",) * 4,
            *(f"/docs/{one}/{other}-{number}/",) * 4,
            *(f"/blog/{year}/{month:02}/{one}-{number}.html",) * 4,
            f"/list?topic={one}&id={number}",
            f"/item.php?id={number}&name={one}",
            f"/files/{one}%2F{other}-{number}.html",
            f"/caf%C3%A9/{one}-{number}",
        )
        return shapes[pick // 1000003 % len(shapes)]

    def find(self, host: str, path: str) -> Resource:
        """What answers at `path` (with query, as it stands in the request line) of `host` (with port)."""
        if path == "/":
            return Resource(kind=Kind.PAGE, status=200, number=self._index_of[host])
        if go := _GO_PATH.fullmatch(path):
            return self._redirect(host, number=int(go[2]), twice=bool(go[1]))
        if private := _PRIVATE_PATH.fullmatch(path):
            return Resource(kind=Kind.PRIVATE, status=200, number=int(private[1]))
        if _TRAP_PATH.fullmatch(path):
            return Resource(kind=Kind.TRAP, status=200)
        if path.startswith(HOSTILE_PATH):
            return Resource(kind=Kind.HOSTILE, status=200)
        found = _NUMBER_IN_PATH.search(path)
        number = int(found[1]) if found else -1
        if 0 <= number < self.options.pages and self._paths[number] == path and self.host_of(number) == host:
            return Resource(kind=Kind.PAGE, status=200, number=number)
        return _MISSING

    def _redirect(self, host: str, *, number: int, twice: bool) -> Resource:
        if number >= self.options.pages or self.host_of(number) != host:
            return _MISSING
        location = f"http://{host}/go/{number}" if twice else self.url(number)
        status = _REDIRECT_STATUSES[number % len(_REDIRECT_STATUSES)]
        return Resource(kind=Kind.REDIRECT, status=status, number=number, location=location)

    def links(self, number: int) -> tuple[str, ...]:
        """The canonical URLs that page `number` links to, in the order of the page, with repetitions."""
        fixed = list(self._fixed_links(number))
        return (*fixed, *self._drawn_links(number, count=self.options.links - len(fixed)))

    def _fixed_links(self, number: int) -> Iterator[str]:
        yield self.url(number % len(self.hosts))
        if number == 0:
            yield from (self.url(root) for root in range(1, len(self.hosts)))
            if self.options.hostile:
                yield f"http://{self.hosts[0]}{HOSTILE_PATH}"
        if number < len(self.hosts) and self.options.traps:
            yield f"http://{self.host_of(number)}/calendar/1"
            yield f"http://{self.host_of(number)}/deeper/"
        yield from self._children(number)
        yield from self._odd_links(number)

    def _children(self, number: int) -> Iterator[str]:
        hosts = len(self.hosts)
        first = number // hosts * self._branches + 1
        for local in range(first, first + self._branches):
            child = local * hosts + number % hosts
            if child >= self.options.pages:
                return
            redirected = child % _REDIRECTED_EVERY == _REDIRECTED_EVERY - 1
            yield self._go(child) if redirected else self.url(child)

    def _go(self, number: int) -> str:
        hops = "2/" if number % 2 else ""
        return f"http://{self.host_of(number)}/go/{hops}{number}"

    def _odd_links(self, number: int) -> Iterator[str]:
        host = self.host_of(number)
        if number % _LINKS_TO_MISSING_EVERY == 3:
            yield f"http://{host}/missing/{NAMES[number % len(NAMES)]}-{number}.html"
        if number % _LINKS_TO_PRIVATE_EVERY == 7:
            yield f"http://{host}/private/report-{number}"
            yield f"http://{host}/private/press/report-{number}"
            yield f"http://{host}/private/press/report-{number}?sort=up"
        if number % _LINKS_TO_REDIRECT_EVERY == 1:
            yield self._go(number)

    def _drawn_links(self, number: int, *, count: int) -> Iterator[str]:
        random = Random(f"{self.options.seed}/links/{number}")
        hosts, pages = len(self.hosts), self.options.pages
        own = self.pages_of(self.host_of(number))
        for _ in range(count):
            if hosts > 1 and random.random() < _CROSS_HOST_SHARE:
                yield self.url(int(random.random() * pages))
            else:
                yield self.url(own[int(random.random() * len(own))])
