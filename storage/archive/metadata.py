"""page.fetched, page.failed → a WARC `metadata` record: what the answer's own record does not say of its request.

Made anew from the event wherever it is wanted, so that it is the same bytes each time. It names the response's record,
whose id follows from the event's.
Source: WARC/1.1, sections 6.6 and 5.7; the names of fields are Heritrix's where it has such.
"""

import re
from datetime import UTC, datetime

from isal import igzip

from contract.envelope import Message
from contract.pages import PageFailed, PageFetched, RobotsFetched, body_of
from contract.warc_ids import record_id, warcinfo_id

_LEVEL = 1
#: Unix time of the end of the year 9999.
_LAST_MS = 253_402_300_799_000
_BREAKS = re.compile(r"[\r\n\0]+")


def metadata_record(message: Message) -> bytes:
    """The record of a page.fetched, a page.failed or a robots.fetched with a body, as a gzip member."""
    page, id = message.payload, message.envelope.id
    fields = _fields(message.envelope.crawl, page).encode("utf-8", "replace")
    # Whatever an event claims: a time that no calendar has must not keep a page from being recorded.
    seconds = min(max(page.started_at, 0), _LAST_MS) / 1000
    when = datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
    head = (
        "WARC/1.1\r\nWARC-Type: metadata\r\n"
        f"WARC-Record-ID: {record_id(id + '.metadata')}\r\n"
        f"WARC-Concurrent-To: {record_id(id)}\r\nWARC-Warcinfo-ID: {warcinfo_id(message.envelope.crawl)}\r\n"
        f"WARC-Target-URI: {_line(page.url)}\r\nWARC-Date: {when[:23]}Z\r\n"
        f"Content-Type: application/warc-fields\r\nContent-Length: {len(fields)}\r\n\r\n"
    )
    return igzip.compress(head.encode("utf-8", "replace") + fields + b"\r\n\r\n", _LEVEL, mtime=0)


def _fields(crawl: str, page: PageFetched | PageFailed | RobotsFetched) -> str:
    if isinstance(page, RobotsFetched):
        return f"crawl: {_line(crawl)}\r\nattempt: {page.attempt}\r\nfetchTimeMs: {page.elapsed_ms}\r\n"
    via, body = f"via: {_line(page.via)}\r\n" if page.via else "", body_of(page)
    return (
        f"crawl: {_line(crawl)}\r\n{via}depth: {page.depth}\r\nhops: {page.hops}\r\nattempt: {page.attempt}\r\n"
        f"fetchTimeMs: {page.elapsed_ms}\r\nwaitedMs: {page.waited_ms}\r\nwireBytes: {body.wire if body else 0}\r\n"
    )


def _line(text: str) -> str:
    return _BREAKS.sub(" ", text)
