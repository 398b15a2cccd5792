"""Which encoding a body is in.

Takes a body and its Content-Type header, gives an `Encoding`. The order is that of the standards: byte order mark, the
header's charset, what the document declares of itself, and where nothing is declared UTF-8 if the body is that, else a
detector's guess where one is asked for, else windows-1252.
Sources: https://html.spec.whatwg.org/#determining-the-character-encoding, https://encoding.spec.whatwg.org/#decode
"""

from collections.abc import Callable, Iterable
from typing import Literal

import msgspec

from scraper.characters.declarations import PRESCAN_BYTES, of_meta, of_xml_document, prescanned
from scraper.characters.labels import UTF_16, encoding_named
from scraper.characters.media_type import media_type

#: Byte order marks.
MARKS = ((b"\xef\xbb\xbf", "utf-8"), (b"\xfe\xff", "utf-16be"), (b"\xff\xfe", "utf-16le"))
_LAST_RESORT = "windows-1252"

#: What says so: a byte order mark, the header, the document, a detector, or nothing.
Source = Literal["mark", "header", "document", "detector", "nothing"]


class Encoding(msgspec.Struct, frozen=True):
    """An encoding by its name in `labels`, and what says that the body is in it."""

    name: str
    source: Source = "nothing"

    @property
    def certain(self) -> bool:
        """Whether a `<meta>` that a parser meets may no longer change it."""
        return self.source in ("mark", "header") or self.name in UTF_16


#: A guess at the legacy encoding of a body.
Guess = Callable[[bytes], str | None]


def encoding_of_body(body: bytes, content_type: str = "", guess: Guess | None = None) -> Encoding:
    """What a body is in, as far as it can be told before it is parsed; `guess` is asked where nothing is declared."""
    for mark, name in MARKS:
        if body.startswith(mark):
            return Encoding(name, "mark")
    said = media_type(content_type)
    if said.charset and (found := encoding_named(said.charset)):
        return Encoding(found, "header")
    if found := _declared(body, said.essence):
        return Encoding(found, "document")
    return _undeclared(body, guess)


def _declared(body: bytes, essence: str) -> str | None:
    if essence.endswith(("/xml", "+xml")):
        return of_xml_document(body)
    # What is no type at all may be HTML; what is another type says nothing of itself.
    return prescanned(body[:PRESCAN_BYTES]) if essence in ("", "text/html") or "unknown" in essence else None


def changed(encoding: Encoding, metas: Iterable[dict[str, str | None]]) -> Encoding | None:
    """What a document turns out to be in, by the attributes of the `<meta>`s that its parser met; None: what it is.

    Source: https://html.spec.whatwg.org/#change-the-encoding
    """
    found = next(filter(None, (of_meta((name, value or "") for name, value in meta.items()) for meta in metas)), None)
    return Encoding(found, "document") if found and found != encoding.name and not encoding.certain else None


def _undeclared(body: bytes, guess: Guess | None) -> Encoding:
    is_utf_8 = _is_utf_8(body)
    # ISO-2022-JP is ASCII to the eye, but for its escapes.
    found = guess(body) if guess and (not is_utf_8 or b"\x1b$" in body) else None
    if found and (not is_utf_8 or found == "iso-2022-jp"):
        return Encoding(found, "detector")
    return Encoding("utf-8" if is_utf_8 else _LAST_RESORT)


def _is_utf_8(body: bytes) -> bool:
    try:
        body.decode()
    except UnicodeDecodeError as error:
        # A body that was cut off within its last character is still UTF-8.
        return error.reason == "unexpected end of data" and error.start >= len(body) - 3
    return True
