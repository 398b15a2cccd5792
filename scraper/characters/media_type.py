"""What a Content-Type header says: the media type, and the charset.

Takes the values of all Content-Type headers of an answer, joined by commas; the last that is a media type counts, and
a charset holds on for a later value of the same type that names none.
Sources: https://fetch.spec.whatwg.org/#concept-header-extract-mime-type, https://mimesniff.spec.whatwg.org/
"""

import re
from collections.abc import Iterator
from functools import lru_cache

import msgspec

_SPACE = "\t\n\r "
_TOKEN = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
_ESSENCE = re.compile(rf"{_TOKEN}/{_TOKEN}")
#: A quoted value may lack its end; what stands behind it, up to the next semicolon, does not count.
_PARAMETER = re.compile(r""";[\t\n\r ]*([^;=]*)(?:=(?:"((?:\\.|[^"\\])*\\?)(?:"|\Z)[^;]*|([^;]*)))?""", re.DOTALL)
_VALUES = re.compile(r"""((?:"(?:\\.|[^"\\])*(?:"|\\?\Z)|[^,"])*)(?:,|\Z)""", re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)


class MediaType(msgspec.Struct, frozen=True):
    """A media type: `essence` is `type/subtype` in lower case, `charset` the word that came with it."""

    essence: str = ""
    charset: str | None = None


@lru_cache(4_096)
def media_type(content_type: str) -> MediaType:
    """What the header says; an empty essence where it says nothing that is a media type."""
    found = MediaType()
    for value in _VALUES.findall(content_type):
        said = _parsed(value.strip(_SPACE))
        if said is None or said.essence == "*/*":
            continue
        same = said.essence == found.essence
        found = MediaType(said.essence, found.charset) if same and said.charset is None else said
    return found


def _parsed(value: str) -> MediaType | None:
    essence, semicolon, rest = value.partition(";")
    if not _ESSENCE.fullmatch(essence.rstrip(_SPACE)):
        return None
    charsets = (word for name, word in _parameters(semicolon + rest) if name == "charset")
    return MediaType(essence.rstrip(_SPACE).lower(), next(charsets, None))


def _parameters(text: str) -> Iterator[tuple[str, str]]:
    for name, quoted, plain in _PARAMETER.findall(text):
        word = _ESCAPED.sub(r"\1", quoted) if quoted else plain.rstrip(_SPACE)
        if word:
            yield name.lower(), word
