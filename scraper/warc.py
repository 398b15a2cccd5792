"""A page at rest: a complete WARC/1.1 `response` record as a gzip member, and behind it another with its `request`.

Takes an answer's parts, gives the bytes that Redis carries and the archive keeps as they are; and reads them back.
The body is stored decoded, so the headers that spoke of its encoding and length on the wire move to `X-Archive-Orig-*`.
What reads pages reads the first member alone, so that those without a request are read as well.
Source: https://iipc.github.io/warc-specifications/specifications/warc-format/warc-1.1/
"""

import base64
import hashlib
import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

import msgspec

from contract.warc_ids import record_id, warcinfo_id
from scraper.errors import DamagedRecord
from scraper.http.deflate import LEVEL, engine

#: zlib's word for "with a gzip header and trailer".
_GZIP = 31
#: Headers that are true of the bytes on the wire and not of the stored body.
_OF_THE_WIRE = frozenset(("content-encoding", "content-length", "transfer-encoding", "trailer"))
_ORIGINAL = "X-Archive-Orig-"
_BREAKS = re.compile(r"[\r\n\0]+")


class StoredPage(msgspec.Struct, frozen=True, kw_only=True):
    """What a record holds: the answer to a request for `url`, its body decoded; header names as the host wrote them."""

    url: str
    status: int
    headers: list[tuple[str, str]]
    body: bytes

    @property
    def content_type(self) -> str:
        """The Content-Type headers, joined by commas; empty where there is none."""
        return ", ".join(value for name, value in self.headers if name.lower() == "content-type")


def digest_of(body: bytes) -> str:
    """`sha256:` and the hex digits of a decoded body's SHA-256."""
    return f"sha256:{hashlib.sha256(body).hexdigest()}"


def write_record(
    *,
    url: str,
    event_id: str,
    status: int,
    headers: Sequence[tuple[str, str]],
    body: bytes,
    digest: str,
    started_at: int,
    reason: str = "",
    http_version: str = "1.1",
    address: str = "",
    request: bytes = b"",
    is_cut: bool = False,
    crawl: str = "",
) -> bytes:
    """The record as a gzip member, and that of the `request`'s head, if it is given.

    `started_at` in Unix ms, `address` the IP address that answered; `is_cut` where `body` is a body's beginning.
    `digest` is as `digest_of` has it; in the record it is in base32, which all tools verify.
    """
    block = _http_head(status, reason, http_version, _stored_headers(headers, len(body)))
    when = datetime.fromtimestamp(started_at / 1000, UTC).isoformat(timespec="milliseconds")
    id = record_id(event_id)
    common = f"WARC-Target-URI: {url}\r\nWARC-Date: {when[:23]}Z\r\n"
    if crawl:
        common += f"WARC-Warcinfo-ID: {warcinfo_id(crawl)}\r\n"
    if address:
        common += f"WARC-IP-Address: {address}\r\n"
    about = f"WARC-Payload-Digest: {_in_base32(digest)}\r\n" + ("WARC-Truncated: length\r\n" if is_cut else "")
    member = _member("response", f"WARC-Record-ID: {id}\r\n{common}{about}", block, body)
    if not request:
        return member
    fields = f"WARC-Record-ID: {record_id(event_id + '.request')}\r\nWARC-Concurrent-To: {id}\r\n{common}"
    return member + _member("request", fields, request)


def _in_base32(digest: str) -> str:
    algorithm, _, digits = digest.partition(":")
    return f"{algorithm}:{base64.b32encode(bytes.fromhex(digits)).decode()}"


def _member(kind: str, fields: str, *block: bytes) -> bytes:
    # SHA-1 guards against damage only, takes half the time of others, and is what every tool knows.
    hashed = hashlib.sha1(usedforsecurity=False)
    for part in block:
        hashed.update(part)
    head = (
        f"WARC/1.1\r\nWARC-Type: {kind}\r\n{fields}"
        f"WARC-Block-Digest: sha1:{base64.b32encode(hashed.digest()).decode()}\r\n"
        f"Content-Type: application/http;msgtype={kind}\r\n"
        f"Content-Length: {sum(map(len, block))}\r\n\r\n"
    )
    return bytes(engine.compress(b"".join((head.encode(), *block, b"\r\n\r\n")), LEVEL, _GZIP))


def _stored_headers(headers: Iterable[tuple[str, str]], size: int) -> list[tuple[str, str]]:
    stored = []
    for name, value in headers:
        untrue = name.lower() in _OF_THE_WIRE and not (name.lower() == "content-length" and value == str(size))
        stored.append((_ORIGINAL + name if untrue else name, value))
    if not any(name.lower() == "content-length" for name, _ in stored):
        stored.append(("Content-Length", str(size)))
    return stored


def _http_head(status: int, reason: str, version: str, headers: Iterable[tuple[str, str]]) -> bytes:
    lines = "".join(f"{name}: {_BREAKS.sub(' ', value)}\r\n" for name, value in headers)
    text = f"HTTP/{version} {status:03d} {_BREAKS.sub(' ', reason)}\r\n{lines}\r\n"
    return text.encode("latin-1", "replace")


def read_record(raw: bytes) -> StoredPage:
    """The page in the first gzip member; raises `DamagedRecord` for bytes that `write_record` has not made."""
    try:
        record = bytes(engine.decompress(raw, _GZIP))
        head, _, rest = record.partition(b"\r\n\r\n")
        fields = dict(_fields(head.decode()))
        block = memoryview(rest)[: int(fields["Content-Length"])]
        start = rest.index(b"\r\n\r\n")
        status_line, _, lines = bytes(block[:start]).decode("latin-1").partition("\r\n")
        return StoredPage(
            url=fields["WARC-Target-URI"],
            status=int(status_line.split(" ", 2)[1]),
            headers=_fields(lines),
            body=bytes(block[start + 4 :]),
        )
    except (engine.error, KeyError, ValueError, IndexError) as error:
        raise DamagedRecord(f"not a WARC record of one page: {error}") from error


def _fields(text: str) -> list[tuple[str, str]]:
    pairs = (line.partition(":") for line in text.split("\r\n"))
    return [(name, value.strip()) for name, colon, value in pairs if colon]
