"""The archive → one `.warc.gz` file: all answers as they were kept, each with its metadata record behind it.

Ahead of the first record of a crawl stands the warcinfo record that all of them name.
"""

import logging
from collections.abc import Iterator

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


def warc_members(reader: ArchiveReader, crawl: str | None) -> Iterator[bytes]:
    """A head without a byte, then for each answer its members; ahead of a crawl's first one, its warcinfo record.

    What is lost is left out; the log has the first ones, and at the end how many there were.
    """
    left_out, begun = 0, set[str]()
    yield b""
    for event in reader.kept(crawl):
        try:
            members = reader.read(event.place) + metadata_record(event.message)
        except LostBody as error:
            left_out += 1
            if left_out <= MOST_NAMED:
                log.error("left out %s: %s", event.message.payload.url, error, extra={"action": "body_lost"})
            continue
        if event.message.envelope.crawl not in begun:
            begun.add(event.message.envelope.crawl)
            members = crawl_record(reader.engine, event) + members
        yield members
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
