"""An answer's gzip members → what the index says of its response: key, time, and where it lies. Pure.

Each line is CDXJ: the URL's key, 14 digits of UTC, and a JSON object, as cdxj-indexer writes them.
Source: https://specs.webrecorder.net/cdxj/0.1.0/
"""

import re
from typing import cast

import msgspec
from isal import igzip_lib, isal_zlib

from storage.exports.wacz.surt import surt

#: zlib's word for "with a gzip header and trailer".
_GZIP = 31
#: Bytes inflated at a time. The headers are within the first ones, or the record is not indexed.
_STEP = 256 * 1024
#: isal's stubs take the class for one of its instances.
_DAMAGED = cast(type[Exception], igzip_lib.error)
_MEDIA_TYPE = re.compile(r"[^\s;,]+")


class Response(msgspec.Struct, frozen=True, kw_only=True):
    """What its own headers say of a response's record, and the bytes of its gzip member."""

    url: str
    time: str
    status: str
    media_type: str
    digest: str
    length: int

    @property
    def stamp(self) -> str:
        """Its time as 14 digits, to the second."""
        return re.sub(r"\D", "", self.time)[:14]


def response_of(members: bytes) -> Response | None:
    """What the first of these members holds; None where it is damaged, or no response."""
    try:
        start, length = _first_member(members)
        head, _, block = start.partition(b"\r\n\r\n")
        about = _fields(head.decode("utf-8", "replace"))
        status_line, _, lines = block.partition(b"\r\n\r\n")[0].decode("latin-1").partition("\r\n")
        media_type = _MEDIA_TYPE.match(_fields(lines).get("content-type", ""))
        return Response(
            url=about["warc-target-uri"],
            time=about["warc-date"],
            status=status_line.split(" ")[1],
            media_type=media_type[0] if media_type else "",
            digest=about.get("warc-payload-digest", ""),
            length=length,
        )
    except (_DAMAGED, EOFError, KeyError, IndexError):
        return None


def _first_member(members: bytes) -> tuple[bytes, int]:
    """The beginning of what the first member holds, and the bytes of the member itself."""
    inflater = isal_zlib.decompressobj(_GZIP)
    start = inflater.decompress(members, _STEP)
    while not inflater.eof:
        more = inflater.decompress(inflater.unconsumed_tail, _STEP)
        if not more and not inflater.unconsumed_tail and not inflater.eof:
            raise EOFError
    return start, len(members) - len(inflater.unused_data)


def _fields(text: str) -> dict[str, str]:
    """Headers by lower-case name; the first of a name counts, as for whoever replays it."""
    fields: dict[str, str] = {}
    for line in text.split("\r\n"):
        name, _, value = line.partition(":")
        fields.setdefault(name.strip().lower(), value.strip())
    return fields


def index_line(response: Response, *, offset: int, filename: str) -> bytes:
    """The line for a response whose member begins at this offset of this file."""
    facts = {
        "url": response.url,
        "mime": response.media_type,
        "status": response.status,
        "digest": response.digest,
        "length": str(response.length),
        "offset": str(offset),
        "filename": filename,
    }
    kept = msgspec.json.encode({name: value for name, value in facts.items() if value})
    return f"{surt(response.url)} {response.stamp} ".encode("utf-8", "replace") + kept + b"\n"
