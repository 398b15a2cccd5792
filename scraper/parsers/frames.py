"""What the supervisor and its children say to each other: length-prefixed MessagePack over pipes.

The supervisor sends `Job`s, the child answers each with a `Result`, in the same order; its first word is `READY`.
A child is not trusted, for a page may have taken it over: a frame that is too long or does not fit is `BrokenFrame`.
"""

import struct
from collections.abc import Iterator

import msgspec

from contract.crawls import CrawlSpec
from contract.errors import PenstockError
from contract.pages import Item, Wishes
from scraper.robots.groups import product_token

#: Longest frame, in bytes. More than any page with its items and links can come to (see links.py and reading.py).
MAX_FRAME_BYTES = 128 * 1024 * 1024
_LENGTH = struct.Struct("<I")
#: What a child says when it can take pages.
READY = _LENGTH.pack(0)


class BrokenFrame(PenstockError):
    """Raised when the bytes from the other side are not a frame."""


class Job(msgspec.Struct, frozen=True, array_like=True):
    """A page to read: `raw` is its WARC record as a gzip member; `spider` names the extractor, None the generic one.

    `links` False: nobody asks for its links, so that they are neither looked for nor counted. `detect_encoding`: where
    it declares no encoding, one is guessed. `args` are what a person gave the spider. `token` is the name by which a
    page may speak of us; `follow_nofollow`: its links are wanted though it asks not to follow them;
    `obey` names what else it may ask of us (`scraper.parsers.obeying`).
    """

    url: str
    raw: bytes
    depth: int = 0
    spider: str | None = None
    max_links: int = 10_000
    links: bool = True
    detect_encoding: bool = False
    args: dict[str, str] = {}
    token: str = "penstock"
    follow_nofollow: bool = False
    obey: tuple[str, ...] = ()


def job_of(url: str, raw: bytes, depth: int, spec: CrawlSpec) -> Job:
    """A page of a crawl with this specification, to be read for the first time."""
    return Job(
        *(url, raw, depth, spec.spider, spec.max_links_per_page, True, spec.detect_encoding, spec.args),
        *(product_token(spec.user_agent), spec.follow_nofollow, spec.obey),
    )


class Result(msgspec.Struct, array_like=True, kw_only=True):
    """What a page said. `links` are absolute URLs, `refresh` is where a meta refresh leads.

    `items` is a JSON array of `Item`s, as bytes, since the supervisor only passes it on. `error` is a word, None where
    all went well; `last` says that the child takes no further page.
    """

    title: str | None = None
    links: tuple[str, ...] = ()
    refresh: str | None = None
    links_found: int = 0
    links_left_out: int = 0
    items: bytes = b"[]"
    spider: str = "generic"
    spider_version: str = ""
    error: str | None = None
    detail: str = ""
    elapsed_ms: float = 0.0
    last: bool = False
    encoding: str = ""
    encoding_source: str = ""
    wishes: Wishes | None = None
    unfollowed: tuple[str, ...] = ()

    def decoded_items(self) -> tuple[Item, ...]:
        """The items as structs; raises msgspec.DecodeError if the child sent something else."""
        return _items.decode(self.items)


_items = msgspec.json.Decoder(tuple[Item, ...])
_encoder = msgspec.msgpack.Encoder()
jobs = msgspec.msgpack.Decoder(Job)
results = msgspec.msgpack.Decoder(Result)


def frame(message: Job | Result) -> bytes:
    """A message as bytes with their length before them."""
    body = _encoder.encode(message)
    return _LENGTH.pack(len(body)) + body


def length_of(head: bytes | bytearray) -> int:
    """The length that the first four bytes of a frame speak of; raises `BrokenFrame` for an absurd one."""
    length: int = _LENGTH.unpack(head)[0]
    if length > MAX_FRAME_BYTES:
        raise BrokenFrame(f"a frame of {length} bytes")
    return length


class Inbox:
    """Bytes as they come, frames as they were sent."""

    def __init__(self) -> None:
        self._data = bytearray()

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The frames that are whole by now, without their lengths; raises `BrokenFrame`."""
        self._data += data
        start = 0
        while len(self._data) - start >= _LENGTH.size:
            end = start + _LENGTH.size + length_of(self._data[start : start + _LENGTH.size])
            if len(self._data) < end:
                break
            # By a view, because a slice would be copied twice, and a page's text is long.
            yield bytes(memoryview(self._data)[start + _LENGTH.size : end])
            start = end
        del self._data[:start]
