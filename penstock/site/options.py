"""Everything that can be chosen about the simulated web, with its defaults and ranges."""

from pathlib import Path
from typing import Literal, get_args

from msgspec import Struct

from penstock.site.errors import BadSiteOption

#: How a host answers for its robots.txt. `recovers` is 503 three times, then ok.
RobotsVariant = Literal["ok", "500", "404", "timeout", "bom", "huge", "html", "redirect", "recovers"]
RetryAfterForm = Literal["seconds", "date", "mixed"]

#: Each costs a listening socket; must stay well below the limit of open files.
MOST_HOSTS = 500


class SiteOptions(Struct, frozen=True, kw_only=True):
    """The options of one simulated web; raises BadSiteOption for a value out of range."""

    #: The web is a function of this, `hosts`, `pages`, `links`, `page_kb`, and the port.
    seed: int = 1
    #: 1 means the single host 127.0.0.1; more are 127.1.0.1, 127.1.0.2, …
    hosts: int = 1
    #: All hosts listen on it; 0 takes a free one.
    port: int = 0
    #: Pages that answer 200, over all hosts; redirects, missing and forbidden ones come on top.
    pages: int = 200
    #: Links of a page, about.
    links: int = 30
    #: Size of a page in KiB, about.
    page_kb: int = 8
    #: Time to the first byte of each answer.
    latency_ms: float = 0.0
    #: The latency varies by this much up and down.
    jitter_ms: float = 0.0
    #: Share of requests answered 503.
    error_rate: float = 0.0
    #: Share of requests answered 429 with Retry-After.
    throttle_rate: float = 0.0
    retry_after_seconds: int = 1
    retry_after_form: RetryAfterForm = "seconds"
    #: A URL fails by script no more often than this; must stay below the attempts of a crawler.
    most_faults: int = 2
    robots: RobotsVariant = "ok"
    #: The Crawl-delay line of robots.txt; None leaves it out.
    crawl_delay_seconds: float | None = None
    #: Compress for clients that accept gzip; False sends every page as it is.
    gzip: bool = False
    #: Link endless calendars and paths from each host's root; False leaves them unlinked.
    traps: bool = False
    #: Link `/hostile/` from the first host's root; the hostile pages are served either way.
    hostile: bool = False
    #: Render every page before the first request; False renders each when first asked for.
    prebuild: bool = False
    #: JSON lines, one for each request; None keeps no file.
    log: Path | None = None

    def __post_init__(self) -> None:
        _within("hosts", self.hosts, least=1, most=MOST_HOSTS)
        _within("port", self.port, least=0, most=65535)
        _within("pages", self.pages, least=self.hosts, most=10_000_000)
        _within("links", self.links, least=1, most=10_000)
        _within("page_kb", self.page_kb, least=1, most=10_000)
        _within("latency_ms", self.latency_ms, least=0, most=600_000)
        _within("jitter_ms", self.jitter_ms, least=0, most=600_000)
        _within("error_rate", self.error_rate, least=0, most=1)
        _within("throttle_rate", self.throttle_rate, least=0, most=1)
        _within("retry_after_seconds", self.retry_after_seconds, least=0, most=86_400)
        _within("most_faults", self.most_faults, least=0, most=1_000_000)
        _within("crawl_delay_seconds", self.crawl_delay_seconds or 0, least=0, most=86_400)
        _one_of("robots", self.robots, get_args(RobotsVariant))
        _one_of("retry_after_form", self.retry_after_form, get_args(RetryAfterForm))


def _within(name: str, value: float, *, least: float, most: float) -> None:
    if not least <= value <= most:
        raise BadSiteOption(f"{name} must be from {least} to {most}, not {value}")


def _one_of(name: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise BadSiteOption(f"{name} must be one of {', '.join(known)}, not {value}")
