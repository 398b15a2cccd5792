"""The catalogue of hostile pages, their index, and the good pages beside them, all below `/hostile/`."""

from html import escape
from itertools import chain

from penstock.site import (
    hostile_bodies,
    hostile_encodings,
    hostile_framing,
    hostile_links,
    hostile_markup,
    hostile_redirects,
    hostile_text,
)
from penstock.site.graph import HOSTILE_PATH
from penstock.site.hostile_case import Hostile, html, served
from penstock.site.wire import Script

#: Pages `/hostile/good/1` and so on, which a crawl must bring home whatever the others do.
GOOD_PAGES = 50

_MODULES = (
    hostile_encodings,
    hostile_bodies,
    hostile_framing,
    hostile_redirects,
    hostile_text,
    hostile_markup,
    hostile_links,
)
#: All hostile pages by name.
CATALOGUE: dict[str, Hostile] = {case.name: case for case in chain.from_iterable(module.CASES for module in _MODULES)}


def good_path(number: int) -> str:
    """The path of a good page, from 1 to GOOD_PAGES."""
    return f"{HOSTILE_PATH}good/{number}"


def good_body(number: int) -> bytes:
    """The body of a good page."""
    return html(f"Good page {number}", f"<p>{'Water finds its way. ' * number}</p><a href='{HOSTILE_PATH}'>index</a>")


def hostile_script(path: str) -> Script | None:
    """What serves a path below `/hostile/`; None if nothing is there."""
    name, _, rest = path.removeprefix(HOSTILE_PATH).partition("?")[0].partition("/")
    if not name:
        return served(index_body())
    if name == "good":
        is_one = rest.isascii() and rest.isdecimal() and 1 <= int(rest) <= GOOD_PAGES
        return served(good_body(int(rest))) if is_one else None
    case = CATALOGUE.get(name)
    return case.script if case else None


def index_body() -> bytes:
    """The index: links to the listed hostile pages, with good pages in between and at the end."""
    bad = [f"{HOSTILE_PATH}{case.name}" for case in CATALOGUE.values() if case.listed]
    good = [good_path(number) for number in range(1, GOOD_PAGES + 1)]
    paths = [path for pair in zip(bad, good, strict=False) for path in pair]
    left = bad[len(good) :] + good[len(bad) :]
    links = "\n".join(f'<li><a href="{escape(path)}">{escape(path)}</a></li>' for path in paths + left)
    return html("Hostile pages", f"<ul>{links}</ul>")
