"""The archive → one `.warc.gz` file: a crawl's responses as they were kept, each with its metadata record behind it."""

import logging
from collections.abc import Iterator

from storage.archive.archive import warcinfo
from storage.archive.metadata import metadata_record
from storage.archive.reader import ArchiveReader, LostBody

log = logging.getLogger(__name__)


#: Lost bodies that are named one by one.
MOST_NAMED = 10


def warc_members(reader: ArchiveReader, crawl: str | None, *, name: str) -> Iterator[bytes]:
    """The warcinfo record of a file of this name, then the members of each page.

    A page whose body is lost is left out; the log has the first ones, and at the end how many there were.
    """
    yield warcinfo(name)
    left_out = 0
    for event in reader.kept(crawl):
        try:
            yield reader.read(event.place) + metadata_record(event.message)
        except LostBody as error:
            left_out += 1
            if left_out <= MOST_NAMED:
                log.error("left out %s: %s", event.message.payload.url, error, extra={"action": "body_lost"})
    if left_out:
        log.error("left out %d pages, whose bodies the archive has lost", left_out, extra={"action": "bodies_lost"})
