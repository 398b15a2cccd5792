"""Help on what is no command: topic → its text. Kept short; docs/ has the rest."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator

_SPIDERS = """A spider says what to keep of which pages. It is a Python file:

    from penstock import Page, Spider

    spider = Spider("books", seeds=["https://books.toscrape.com/"], delay=0.5)

    @spider.page("/catalogue/*/index.html")
    def book(page: Page):
        yield {"title": page.text("h1"), "price": page.text(".price_color")}

Try it:    penstock inspect URL --spider books.py
Run it:    penstock crawl --spider books.py
Again:     penstock reparse books --spider books.py    (asks the site for nothing)
"""

_PATTERNS = """--allow and --deny are regular expressions (RE2), searched anywhere in the URL: no look-around,
no back-references. Letters of any script match, escaped or not; ^ is before http://.
A spider's patterns are held against the path, or against the whole URL where they begin with http:

    /book/*                      /book/7, /book/7?page=2; not /book/7/cover
    /book/**                     /book/7/cover
    /list?page=*                 /list?page=2
    https://*.example.com/**     any page of any host below example.com

* is anything but /, ** is anything, every other character is itself.
"""

_STATUS = """0    finished, or done what was asked
1    finished, but no page could be fetched; or: not found, not well (explain, doctor)
2    wrong usage, or something for you to mend: one line says what
130  interrupted by Ctrl-C; the same command goes on
143  ended by SIGTERM, with nothing half done left behind
"""

_FILES = """Everything of a crawl lies in the data folder, .penstock unless --data or PENSTOCK_DATA say otherwise:

    penstock.db   what is recorded: events, pages, items (SQLite; PENSTOCK_DATABASE_URL for PostgreSQL)
    archive/      every answer, as WARC (PENSTOCK_ARCHIVE_URL for a bucket)
    logs/         what each process said, and what spiders print
    redis/        the embedded server's file; it can be made anew from penstock.db
"""


def _settings() -> str:
    """Every setting with what it does, from the comments in its source."""
    head = (
        "A setting may stand on the command line, in the environment (PENSTOCK_DELAY=0.5), or in a TOML file\n"
        "(penstock.toml, or PENSTOCK_CONFIG); the first wins over the second, and that over the third.\n"
    )
    return "\n".join([head, *(f"PENSTOCK_{name.upper()}\n    {text}" for name, text in described_settings())])


def described_settings() -> Iterator[tuple[str, str]]:
    """Name and description of each setting, in the order of the source."""
    from contract.settings import Settings

    said: list[str] = []
    for line in inspect.getsource(Settings).splitlines():
        if comment := re.match(r"    #: ?(.*)", line):
            said.append(comment[1])
        elif field := re.match(r"    (\w+): ", line):
            yield field[1], " ".join(said)
            said = []


TOPICS: dict[str, Callable[[], str]] = {
    "spiders": lambda: _SPIDERS,
    "patterns": lambda: _PATTERNS,
    "settings": _settings,
    "files": lambda: _FILES,
    "exit-status": lambda: _STATUS,
}
