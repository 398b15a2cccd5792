"""Bytes → characters, as browsers do it.

Takes a body and its Content-Type header, gives the encoding's name and the text; `scraper.characters` knows how.
"""

from scraper.characters.choice import MARKS, encoding_of_body
from scraper.characters.decoders import decode


def encoding_of(body: bytes, content_type: str = "") -> str:
    """The name of a body's encoding, as far as it can be told before it is parsed."""
    return encoding_of_body(body, content_type).name


def decoded(body: bytes, encoding: str) -> str:
    """The text of a body, without its byte order mark; what cannot be read becomes U+FFFD."""
    mark = next((mark for mark, name in MARKS if name == encoding), b"")
    return decode(body.removeprefix(mark), encoding)


def markup(body: bytes, encoding: str) -> bytes:
    """What an HTML parser that reads UTF-8 wants: bodies that are that as they are, all others written so."""
    if encoding == "utf-8" and _is_utf_8(body):
        return body.removeprefix(MARKS[0][0])
    return decoded(body, encoding).encode("utf-8", "replace")


def _is_utf_8(body: bytes) -> bool:
    # Asked though the parser takes any bytes: it would join the halves of a character over an element between them.
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True


def collapsed(text: str) -> str:
    """The text with each run of white space made one space, and none at its ends."""
    # The same as " ".join(text.split()), in less than half the time where lines have single spaces only.
    lines = " ".join(filter(None, map(str.strip, text.split("\n"))))
    return " ".join(lines.split()) if any(space in lines for space in _ODD_SPACES) else lines


#: What is left of a line's white space that is no single space: two of them, and all that `str.split` takes for one.
_ODD_SPACES = ("  ", *(mark for mark in map(chr, range(1, 0x3001)) if mark.isspace() and mark != " "))
