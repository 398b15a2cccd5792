"""The archive → one `.warc.gz` file: all answers as they were kept, each with its metadata record behind it.

Ahead of the first record of a crawl stands the warcinfo record that all of them name.
"""

import logging
from collections.abc import Iterator

import msgspec
from sqlalchemy import Engine

from contract.crawls import CrawlSpec
from contract.warc_ids import warcinfo_id
from storage.archive.archive import info_record
from storage.archive.metadata import metadata_record
from storage.archive.reader import ArchiveReader, LostBody
from storage.store.event_store import Recorded
from storage.store.history import spec_of

log = logging.getLogger(__name__)


#: Lost bodies that are named one by one.
MOST_NAMED = 10


class Answer(msgspec.Struct, frozen=True):
    """An answer as it leaves the archive: its event, its gzip members, the response's first, and what goes ahead."""

    event: Recorded
    ahead: bytes
    members: bytes


def warc_members(reader: ArchiveReader, crawl: str | None) -> Iterator[bytes]:
    """A head without a byte, then for each answer its members, with what goes ahead."""
    yield b""
    for answer in kept_answers(reader, crawl):
        yield answer.ahead + answer.members


def kept_answers(reader: ArchiveReader, crawl: str | None) -> Iterator[Answer]:
    """Each answer that is kept of a crawl, or of all; ahead of a crawl's first one goes its warcinfo record.

    What is lost is left out; the log has the first ones, and at the end how many there were.
    """
    left_out, begun = 0, set[str]()
    for event in reader.kept(crawl):
        try:
            members = reader.read(event.place) + metadata_record(event.message)
        except LostBody as error:
            left_out += 1
            if left_out <= MOST_NAMED:
                log.error("left out %s: %s", event.message.payload.url, error, extra={"action": "body_lost"})
            continue
        is_first = event.message.envelope.crawl not in begun
        begun.add(event.message.envelope.crawl)
        yield Answer(event, crawl_record(reader.engine, event) if is_first else b"", members)
    if left_out:
        log.error("left out %d pages, whose bodies the archive has lost", left_out, extra={"action": "bodies_lost"})


def crawl_record(engine: Engine, first: Recorded) -> bytes:
    """The warcinfo record of the crawl of this event, its first one."""
    crawl = first.message.envelope.crawl
    spec = spec_of(engine, crawl) or CrawlSpec(name=crawl)
    facts = {
        "isPartOf": " ".join(spec.name.split()),
        "description": f"crawl {crawl}",
        "http-header-user-agent": spec.user_agent,
        "robots": "obey" if spec.obey_robots else "ignore",
    }
    return info_record(warcinfo_id(crawl), f"{first.message.envelope.time[:19]}Z", facts)
