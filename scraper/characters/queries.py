"""The query of a link or of a form, in the encoding of its document, as browsers send it.

Takes what a document says, gives it with its query percent-encoded. A link's path stays as it is written, since every
path is sent as UTF-8.
Sources: https://html.spec.whatwg.org/#encoding-parsing-a-url, https://url.spec.whatwg.org/#query-state,
https://url.spec.whatwg.org/#urlencoded-serializing
"""

from collections.abc import Iterable

from scraper.characters.encoders import encode
from scraper.characters.labels import REPLACEMENT, UTF_16

#: Encodings whose documents send their queries as UTF-8.
_AS_UTF_8 = frozenset(("utf-8", REPLACEMENT, *UTF_16))
#: What the query of a http or https URL may not hold as it is, beside controls and what is no ASCII.
_QUERY_ESCAPED = frozenset(b" \"#<>'")
#: What a form leaves as it is.
_FORM_PLAIN = frozenset(b"*-._0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
#: What the URL standard leaves out at the ends of a link.
_SPACE = "".join(map(chr, range(0x21)))
#: What it leaves out wherever it stands.
_LEFT_OUT = str.maketrans("", "", "\t\n\r")


def with_query_in(href: str, encoding: str) -> str:
    """A link whose query is spelled in its document's encoding; in all else it is as it was written."""
    if encoding in _AS_UTF_8 or href.isascii():
        return href
    rest, hash, fragment = href.strip(_SPACE).partition("#")
    before, mark, query = rest.partition("?")
    if query.isascii():
        return href
    written = encode(query.translate(_LEFT_OUT), encoding, _as_reference_escaped)
    return f"{before}{mark}{''.join(map(_in_query, written))}{hash}{fragment}"


def _as_reference_escaped(character: str) -> bytes:
    return b"%%26%%23%d%%3B" % ord(character)


def _in_query(byte: int) -> str:
    return f"%{byte:02X}" if byte < 0x21 or byte > 0x7E or byte in _QUERY_ESCAPED else chr(byte)


def form_query(fields: Iterable[tuple[str, str]], encoding: str = "utf-8") -> str:
    """The query that a form of a document in this encoding sends by GET, without its question mark."""
    return "&".join(f"{_in_form(name, encoding)}={_in_form(value, encoding)}" for name, value in fields)


def _in_form(text: str, encoding: str) -> str:
    written = encode(text, encoding, _as_reference)
    return "".join(chr(byte) if byte in _FORM_PLAIN else "+" if byte == 0x20 else f"%{byte:02X}" for byte in written)


def _as_reference(character: str) -> bytes:
    return b"&#%d;" % ord(character)
