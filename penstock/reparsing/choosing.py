"""The archive → the pages to parse, with their bodies, in portions that fit into memory.

Takes a task, counts the pages that are left out in a tally. Blocks while it reads, so it has a thread of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec
from sqlalchemy import Engine

from contract.pages import PageFailed, PageFetched
from penstock.reparsing.tally import Tally
from scraper.page_patterns import has_status
from scraper.parsers.frames import Job
from scraper.parsers.parsed import event_id
from scraper.spiders import Extractor
from storage.archive.reader import ArchiveReader, LostBody
from storage.reparse import Archived, archived, known
from storage.sql.tables import digest
from storage.store.event_store import Recorded

#: Bodies read at once: this many, and this many bytes as stored, unless a single one is more.
PAGES_A_PORTION, BYTES_A_PORTION = 64, 8 * 1024 * 1024


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """What to parse, and by what.

    `is_over`: no page of this crawl is still to be parsed by itself. `reference` names the extractor to the children.
    `links`: pages are asked for their links too, though the crawl has counted them.
    """

    crawl: str
    is_over: bool
    extractor: Extractor
    reference: str | None
    max_links: int
    detect_encoding: bool = False
    args: dict[str, str] = {}
    token: str = "penstock"
    follow_nofollow: bool = False
    obey: tuple[str, ...] = ()
    links: bool = False


class Chosen(msgspec.Struct, frozen=True):
    """A page to parse: its page.fetched, what a child gets, and the links that the parse before counted, if it did."""

    event: Recorded
    job: Job
    links: tuple[int, int] | None = None


def portions(engine: Engine, reader: ArchiveReader, task: Task, tally: Tally) -> Iterator[list[Chosen]]:
    """The pages to parse in the order of the archive; a portion may be empty."""
    portion: list[Chosen] = []
    size = 0
    for chunk in archived(engine, task.crawl, failed=bool(task.extractor.error_pages)):
        for page in _to_parse(engine, chunk, task, tally):
            if (body := _body(reader, page.event, tally)) is None:
                continue
            portion.append(Chosen(page.event, _job(page, body, task), page.links))
            size += len(body)
            if len(portion) >= PAGES_A_PORTION or size >= BYTES_A_PORTION:
                yield portion
                portion, size = [], 0
        yield portion
        portion, size = [], 0


def _to_parse(engine: Engine, chunk: Sequence[Archived], task: Task, tally: Tally) -> Iterator[Archived]:
    chunk = [page for page in chunk if _is_asked_for(page, task.extractor)]
    pages = [page for page in chunk if not _is_redirect(page)]
    tally.redirects += len(chunk) - len(pages)
    keys = [_key(page, task.extractor) for page in pages]
    recorded = known(engine, keys)
    for page, key in zip(pages, keys, strict=True):
        if key in recorded:
            tally.already_parsed += 1
            tally.superseded += page.parsed_event != key
        elif page.parsed_event is None and not task.is_over:
            # The parse stage is to say which links it has. Were Redis lost before it does, a page.parsed of ours would
            # have a page look done whose links nobody knows.
            tally.waiting += 1
        else:
            yield page


def _is_asked_for(page: Archived, extractor: Extractor) -> bool:
    """Whether an extractor reads pages of this status; what was fetched is read by all, also to find nothing there."""
    outcome: PageFetched | PageFailed = page.event.message.payload
    if isinstance(outcome, PageFetched):
        return True
    return any(has_status(outcome.status or 0, wanted) for wanted in extractor.error_pages)


def _is_redirect(page: Archived) -> bool:
    outcome: PageFetched | PageFailed = page.event.message.payload
    return isinstance(outcome, PageFetched) and outcome.location is not None


def _key(page: Archived, extractor: Extractor) -> bytes:
    """The key of the event that this extractor's parse has."""
    fetched = page.event.message.envelope
    return digest(event_id(fetched.id, spider=extractor.name, version=extractor.version))


def _body(reader: ArchiveReader, event: Recorded, tally: Tally) -> bytes | None:
    try:
        if event.place is None:
            raise LostBody("it was gone before it could be recorded")
        return reader.read(event.place)
    except LostBody as error:
        tally.lost += 1
        tally.note(event.message.payload.url, "body_lost", str(error))
        return None


def _job(archived: Archived, body: bytes, task: Task) -> Job:
    page: PageFetched | PageFailed = archived.event.message.payload
    # What was counted once is not counted again: the links are the crawl's, and this run hands on none.
    has_links = task.links or archived.links is None
    options = (task.max_links, has_links, task.detect_encoding, task.args, task.token)
    return Job(page.url, body, page.depth, task.reference, *options, task.follow_nofollow, task.obey)
