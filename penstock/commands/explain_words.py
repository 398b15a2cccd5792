"""A URL's steps and hints, in words for people. Pure: takes facts, gives lines."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from storage.store.history import Step

#: Why a URL was left out, by the reason in page.excluded.
EXCLUDED = {
    "robots": "the host's robots.txt disallows it",
    "scope": "it is outside of the crawl's scope",
    "deny": "a --deny pattern matches it",
    "allow": "no --allow pattern matches it",
    "depth": "it is more links away from a seed than the crawl may go",
    "url_too_long": "it is longer than the crawl allows",
    "trap": "it looks like an endless site: too deep, repeating itself, or swarming with parameters",
    "same_body": "it was found only on pages that have the very same body as many others of their host (--same-body)",
    "too_many_redirects": "too many redirects in a row led to it",
    "host_pages": "the crawl had taken up as many pages of this host as it may",
    "crawl_delay": "its host asks for more time between requests than the crawl allows (--max-crawl-delay)",
    "max_pages": "the crawl had fetched as many pages as it may",
    "blocked_address": "its host has a private or loopback address, which is not allowed (--allow-private)",
    "cancelled": "the crawl was cancelled",
}
_VERDICTS = {
    "rules": "has rules",
    "allow": "allows everything",
    "deny": "cannot be had, so nothing may be fetched",
    "retry": "could not be had, and was to be asked for again",
}
_ENCODING_SOURCES = {
    "mark": "its byte order mark says so",
    "header": "its Content-Type says so",
    "document": "the document says so",
    "detector": "it declares none, and this is a guess (--detect-encoding)",
    "nothing": "it declares none",
}
_STATES = {
    "running": "it waits in the frontier, or is being fetched: the crawl is not over",
    "paused": "it waits in the frontier: the crawl is paused",
    "cancelled": "it was never issued: the crawl was cancelled",
    "finished": "what became of it is not recorded; look for it among the dead letters",
}


def step_words(step: Step) -> list[str]:
    """The lines of one step."""
    return _STEPS[step.what](step.facts, step.at)


def _seed(_facts: dict[str, Any], _at: str) -> list[str]:
    return ["given as a seed"]


def _discovered(facts: dict[str, Any], _at: str) -> list[str]:
    if facts["hops"]:
        return [f"discovered: {facts['via']} redirects to it ({facts['hops']} in a row), at depth {facts['depth']}"]
    return [f"discovered on {facts['via']}, at depth {facts['depth']}"]


def _redirected(facts: dict[str, Any], _at: str) -> list[str]:
    return [f"{facts['from']} redirects to it too"]


def _robots(facts: dict[str, Any], _at: str) -> list[str]:
    status = f" ({facts['status']})" if facts["status"] else ""
    reason = f": {facts['reason']}" if facts["reason"] else ""
    delay = f"; crawl-delay {_seconds(facts['crawl_delay_ms'])}" if facts["crawl_delay_ms"] else ""
    delay += "; an older copy was gone by meanwhile" if facts.get("stale") else ""
    return [f"robots.txt of {facts['host']}{status} {_VERDICTS.get(facts['verdict'], facts['verdict'])}{reason}{delay}"]


def _issued(facts: dict[str, Any], at: str) -> list[str]:
    waited = f", {_seconds(_ms_between(facts['since'], at))} after the last one" if "since" in facts else ""
    asked = _seconds(facts["asked_ms"]) if "asked_ms" in facts else ""
    why = {
        "retry_after": f": the host had asked for {asked} (Retry-After)",
        "backoff": ": attempts that fail are spaced out further and further",
        "crawl_delay": f"; requests to this host are {asked} apart (crawl-delay)",
        "delay": f"; requests to this host are {asked} apart (the crawl's delay)",
    }.get(facts.get("waited_for", ""), "")
    return [f"issued, attempt {facts['attempt']}{waited}{why}"]


def _fetched(facts: dict[str, Any], _at: str) -> list[str]:
    lines = [f"fetched: {facts['status']} {facts['content_type']}, {facts['bytes']:,} bytes{_timing(facts)}"]
    if facts["location"]:
        came = f" ({facts['leads_to']})" if facts.get("leads_to") else ""
        lines.append(f"it redirects to {facts['location']}{came}")
    if facts["flags"]:
        lines.append(f"flags: {', '.join(facts['flags'])}")
    if body := facts.get("body"):
        lines.append(f"its body lies in archive/{body['segment']} at {body['offset']}, {body['length']:,} bytes")
    else:
        lines.append(f"its body is lost: {facts.get('body_lost', 'it was gone before it could be recorded')}")
    return lines


def _failed(facts: dict[str, Any], _at: str) -> list[str]:
    detail = f" ({facts['detail']})" if facts["detail"] else ""
    asked = "" if facts["asked"] else ", no request was made"
    after = f"; the host asks to wait {_seconds(facts['retry_after_ms'])}" if facts["retry_after_ms"] else ""
    again = "" if facts["retryable"] else "; another attempt would not help"
    return [f"failed: {facts['reason']}{detail}{asked}{after}{again}{_timing(facts)}"]


def _excluded(facts: dict[str, Any], _at: str) -> list[str]:
    words = EXCLUDED.get(facts["reason"], facts["detail"] or "no more is known")
    return [f"not fetched: {words} ({facts['reason']})"]


def _parsed(facts: dict[str, Any], _at: str) -> list[str]:
    by = f"by {facts['spider']} {facts['spider_version']}".rstrip()
    if facts["error"]:
        return [f"could not be parsed {by}: {facts['error']} {facts['detail']}".rstrip()]
    cut = f" ({facts['links_left_out']:,} of them left out)" if facts["links_left_out"] else ""
    title = f", titled {facts['title']!r}" if facts["title"] else ""
    lines = [f"parsed {by}: {_count(facts['items'], 'item')}, {_count(facts['links_found'], 'link')}{cut}{title}"]
    if source := _ENCODING_SOURCES.get(facts.get("encoding_source", "")):
        lines.append(f"its characters were read as {facts['encoding']}: {source}")
    if wishes := facts.get("wishes"):
        said = ", ".join(f"{name} {_WISH.get(value, value)}" for name, value in wishes.items())
        obeyed = f"; {_count(facts['unfollowed'], 'link')} not followed for it" if facts["unfollowed"] else ""
        lines.append(f"it asks: {said}{obeyed}")
    return lines


#: Of a use that is spoken of.
_WISH: dict[Any, str] = {True: "allowed", False: "refused"}


_STEPS: dict[str, Callable[[dict[str, Any], str], list[str]]] = {
    "seed": _seed,
    "discovered": _discovered,
    "redirected": _redirected,
    "robots": _robots,
    "issued": _issued,
    "fetched": _fetched,
    "failed": _failed,
    "excluded": _excluded,
    "parsed": _parsed,
}


def hint_words(hint: dict[str, Any]) -> str:
    """One hint, as a sentence."""
    match hint["hint"]:
        case "spelling":
            return f"never seen in this spelling; did you mean {' or '.join(hint['urls'])}?"
        case "unfollowed":
            return f"linked from {hint['via']}, which asks not to follow it (nofollow), and that was obeyed"
        case "linked":
            return f"linked from {hint['via']}, which was read {hint['at'][:19]}; {_STATES[hint['state']]}"
        case "out_of_bounds":
            return f"it would not be fetched: {EXCLUDED.get(hint['reason'], hint['reason'])} ({hint['reason']})"
        case "other_crawl":
            return f"another crawl knows it: penstock explain … --crawl {hint['crawl']}"
        case "unread":
            return f"a link to it may have been overlooked: {_unread(hint)}"
    over = "" if hint["state"] in ("finished", "cancelled") else " so far"
    return f"no page of this crawl that was read{over} links to it, and it is no seed"


def _unread(hint: dict[str, Any]) -> str:
    parts = {
        "waiting": "pages are fetched but not parsed",
        "unreadable": "pages could not be parsed",
        "cut": "pages have more links than are followed",
    }
    return ", ".join(f"{hint[name]:,} {words}" for name, words in parts.items() if hint[name])


def _timing(facts: dict[str, Any]) -> str:
    return f"; took {_seconds(facts['elapsed_ms'])}, after {_seconds(facts['waited_ms'])} with a fetcher"


def _seconds(ms: float) -> str:
    return f"{ms:.0f} ms" if ms < 1_000 else f"{ms / 1000:,.1f} s"


def _count(number: int, word: str) -> str:
    return f"{number:,} {word}{'' if number == 1 else 's'}"


def _ms_between(since: str, until: str) -> float:
    return (datetime.fromisoformat(until) - datetime.fromisoformat(since)).total_seconds() * 1000
