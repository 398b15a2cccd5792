"""The archive → one `.warc.gz` file: a crawl's responses as they were kept, each with its metadata record behind it."""

import logging
from collections.abc import Iterator

from storage.archive import warcinfo
from storage.archive_reader import ArchiveReader, LostBody
from storage.metadata import metadata_record

log = logging.getLogger(__name__)


def warc_members(reader: ArchiveReader, crawl: str | None, *, name: str) -> Iterator[bytes]:
    """The warcinfo record of a file of this name, then the members of each page; a lost body is left out and logged."""
    yield warcinfo(name)
    for event in reader.pages(crawl):
        assert event.place is not None, "pages have a place"
        try:
            member = reader.read(event.place)
        except LostBody as error:
            log.error("left out %s: %s", event.message.payload.url, error, extra={"action": "body_lost"})
            continue
        yield member + metadata_record(event.message)
