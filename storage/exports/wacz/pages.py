"""Fetched pages → lines of `pages.jsonl`: URL, time, title, and the text that the generic extractor found.

Title and text are those of the answer that stands: where a page was fetched again, older answers have neither.
Source: https://specs.webrecorder.net/wacz/1.1.1/ (pages.jsonl)
"""

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Self

import msgspec
from sqlalchemy import Engine, and_, select

from storage.exports.wacz.index import Response
from storage.read_models.projections.pages import page_key
from storage.sql import tables
from storage.store.event_store import Recorded

#: Pages whose titles and texts memory holds; a text may have 100,000 characters.
_TOGETHER = 100
_GENERIC = "generic"


class PageList:
    """Takes pages, gives the list's lines once; a context manager that lets go of its file, which has no name."""

    def __init__(self, engine: Engine, folder: Path) -> None:
        self._engine, self._has_text = engine, False
        self._waiting: list[tuple[Recorded, Response]] = []
        self._file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - __exit__ closes it

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._file.close()

    def add(self, event: Recorded, response: Response) -> None:
        """Take a page.fetched, and the response that is kept of it."""
        self._waiting.append((event, response))
        if len(self._waiting) >= _TOGETHER:
            self._write()

    def _write(self) -> None:
        said = _said(self._engine, [page_key(event) for event, _ in self._waiting])
        for event, response in self._waiting:
            line = {"id": event.message.envelope.id, "url": response.url, "ts": _second(response.stamp)}
            line |= said.get(event.key, {})
            self._has_text |= "text" in line
            self._file.write(msgspec.json.encode(line) + b"\n")
        self._waiting = []

    def __iter__(self) -> Iterator[bytes]:
        self._write()
        head = {"format": "json-pages-1.0", "id": "pages", "title": "Pages", "hasText": self._has_text}
        yield msgspec.json.encode(head) + b"\n"
        self._file.seek(0)
        yield from self._file


def _second(stamp: str) -> str:
    day, time = stamp[:8], stamp[8:]
    return f"{day[:4]}-{day[4:6]}-{day[6:]}T{time[:2]}:{time[2:4]}:{time[4:]}Z"


def _said(engine: Engine, keys: Sequence[bytes]) -> dict[bytes, dict[str, str]]:
    """Title and text of these pages, as far as they have them, by the key of the answer that stands."""
    page, item = tables.pages.c, tables.items.c
    mine = and_(item.event == page.parsed_event, item.spider == _GENERIC)
    query = select(page.event, page.title, item.data).join_from(tables.pages, tables.items, mine, isouter=True)
    with engine.connect() as connection:
        rows = connection.execute(query.where(page.key.in_(keys))).all()
    found: dict[bytes, dict[str, str]] = {}
    for event, title, data in rows:
        text = msgspec.json.decode(data).get("text") if data else None
        known = {"title": title, "text": text}
        found.setdefault(event, {}).update({name: value for name, value in known.items() if value})
    return found
