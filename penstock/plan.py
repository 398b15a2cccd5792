"""From settings, seeds and a spider to the specification of a crawl.

What is said on the command line, in the environment or in the settings file wins over what the spider says, and that
over `CrawlSpec`'s defaults.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, get_args

import msgspec

from contract.crawls import (
    DEEPEST,
    FIELDS,
    LATEST_IDENTITY,
    LONGEST_DELAY_SECONDS,
    LONGEST_PATIENCE_SECONDS,
    MOST_ATTEMPTS,
    MOST_LINKS,
    CrawlSpec,
    Wish,
)
from contract.errors import Refused
from contract.settings import Settings
from penstock.contact import user_agent_of
from penstock.deny_presets import expanded
from penstock.webhooks.signature import signing_key
from penstock.webhooks.targets import check_webhook
from scheduler.patterns import check_patterns
from scheduler.urls import canonical
from scraper.characters.detector import check_detector

#: Numbers of a specification, and the least and the most that they may be.
_BOUNDS = (
    ("per_host", 1, 10_000),
    *((name, 0, 10**9) for name in ("max_pages", "max_pages_per_host", "same_body")),
    ("max_depth", 0, DEEPEST),
    ("max_links_per_page", 1, MOST_LINKS),
    ("max_url_length", 1, 65_536),
    ("max_hops", 0, 100),
    ("max_attempts", 1, MOST_ATTEMPTS),
)


class Plan(msgspec.Struct, frozen=True):
    """A crawl that can be started."""

    spec: CrawlSpec
    seeds: tuple[str, ...]


def make_plan(
    settings: Settings, seeds: list[str], *, spider: Any = None, args: Mapping[str, str] | None = None
) -> Plan:
    """The plan; raises `Refused` where something is missing or out of range.

    `spider` is a loaded `Spider` or None; `args` are what it was loaded with.
    """
    if args and not spider:
        raise Refused("-a NAME=VALUE is for a spider: name one with --spider", field="args")
    all_seeds = seeds or _of_spider(spider)
    all_seeds = [*all_seeds, *_sitemaps(settings, spider, all_seeds)]
    if not all_seeds:
        raise Refused("nothing to crawl: give a seed URL, --seeds-file, or a spider that has seeds", field="seeds")
    fields = {**(spider.options if spider else {}), **_said(settings)}
    first = canonical(all_seeds[0])
    default = spider.name if spider else first.host.partition("//")[2] if first else "crawl"
    fields |= {"name": settings.name or default, "spider": settings.spider and absolute_reference(settings.spider)}
    fields |= {"args": dict(args or {}), "identity": LATEST_IDENTITY}
    if strange := set(fields.get("obey", ())).difference(get_args(Wish)):
        raise Refused(f"no wish {min(strange)!r} to obey: there are {', '.join(get_args(Wish))}", field="obey")
    presets = fields.pop("deny_preset", ())
    fields["deny"] = tuple(dict.fromkeys((*fields.get("deny", ()), *expanded(presets))))
    try:
        spec = msgspec.convert(fields, CrawlSpec, strict=False)
    except msgspec.ValidationError as error:
        raise Refused(f"wrong setting of the crawl: {error}") from None
    check_spec(spec)
    if spec.detect_encoding:
        check_detector()
    signing_key(settings.webhook_secret)
    return Plan(spec, tuple(all_seeds))


def spider_args(words: Iterable[str]) -> dict[str, str]:
    """`NAME=VALUE` as given on the command line; raises `Refused` for another form, and a name twice."""
    args: dict[str, str] = {}
    for word in words:
        name, mark, value = word.partition("=")
        if not mark or not name.isidentifier():
            raise Refused(f"-a takes NAME=VALUE, where the name is letters, digits and _; not {word!r}", field="args")
        if name in args:
            raise Refused(f"-a {name} is given twice", field="args")
        args[name] = value
    return args


def _said(settings: Settings) -> dict[str, Any]:
    said = {field: getattr(settings, word) for word, field in FIELDS.items()}
    if settings.ignore_robots is not None:
        said["obey_robots"] = not settings.ignore_robots
    if settings.contact and not settings.user_agent:
        said["user_agent"] = user_agent_of(settings.contact)
    said["webhook"] = settings.webhook or None
    return {name: value for name, value in said.items() if value is not None}


def _sitemaps(settings: Settings, spider: Any, seeds: list[str]) -> list[str]:
    """Where sitemaps begin, beside the seeds: those that a spider names, or what the seeds' hosts may have."""
    wanted = spider.sitemaps if spider and settings.sitemaps is None else bool(settings.sitemaps)
    if not isinstance(wanted, bool):
        return _canonical(wanted, f"the spider {spider.name!r} has a sitemap that is not a URL")
    hosts = dict.fromkeys(url.host for text in seeds if (url := canonical(text))) if wanted else ()
    return [f"{host}{path}" for host in hosts for path in ("/robots.txt", "/sitemap.xml")]


def _of_spider(spider: Any) -> list[str]:
    return _canonical(spider.seeds, f"the spider {spider.name!r} has a seed that is not a URL") if spider else []


def _canonical(texts: Iterable[str], complaint: str) -> list[str]:
    found = [(text, canonical(text)) for text in texts]
    if bad := [text for text, url in found if url is None]:
        raise Refused(f"{complaint}: {bad[0]!r}", field="spider")
    return [url.href for _, url in found if url]


def absolute_reference(spider: str) -> str:
    """The reference by which a crawl names a spider: a file by its whole path, for parsers work in another folder."""
    if ".py" not in spider:
        return spider
    path, mark, attribute = spider.partition(".py")
    return f"{Path(path + mark).expanduser().absolute()}{attribute}"


def check_spec(spec: CrawlSpec) -> None:
    """Raise `Refused` for a specification that is out of range, whoever made it."""
    if not (math.isfinite(spec.delay_seconds) and 0 <= spec.delay_seconds <= 86_400):
        raise Refused(f"the delay must be from 0 to 86400 seconds, not {spec.delay_seconds}", field="delay")
    for word, seconds, most in (
        ("max_crawl_delay", spec.max_crawl_delay_seconds, LONGEST_DELAY_SECONDS),
        ("robots_patience", spec.robots_patience_seconds, LONGEST_PATIENCE_SECONDS),
        ("give_up_host", spec.give_up_host_seconds, LONGEST_PATIENCE_SECONDS),
    ):
        if not 0 <= seconds <= most:
            raise Refused(f"{word} must be from 0 to {most} seconds, not {seconds}", field=word)
    for name, least, most in _BOUNDS:
        if not least <= getattr(spec, name) <= most:
            raise Refused(f"{name} must be from {least} to {most}, not {getattr(spec, name)}", field=name)
    if not spec.user_agent.strip() or re.search(r"[\x00-\x1f\x7f]", spec.user_agent) or not spec.user_agent.isascii():
        raise Refused("the user agent must be one line of ASCII text", field="user_agent")
    if not spec.name.strip() or len(spec.name) > 200:
        raise Refused("a crawl's name must have from 1 to 200 characters", field="name")
    if spec.webhook is not None:
        check_webhook(spec.webhook)
    check_patterns(spec)
