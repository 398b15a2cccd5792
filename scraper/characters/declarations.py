"""What a document says of its own encoding.

Takes a body's beginning, or the attributes of a `<meta>`, gives the encoding that is meant. A word that is no label of
the Encoding Standard counts as not said.
Source: https://html.spec.whatwg.org/#prescan-a-byte-stream-to-determine-its-encoding and what it refers to
"""

import re
from collections.abc import Iterable

from scraper.characters.labels import UTF_16, encoding_named

#: How far a prescan goes, in bytes.
PRESCAN_BYTES = 1024

_MARKUP = re.compile(rb"<(?:(?P<comment>!--)|(?P<meta>meta(?=[\t\n\f\r /]))|(?P<tag>/?[a-z])|[!/?])", re.IGNORECASE)
_NAME_END = re.compile(rb"[\t\n\f\r >]")
_BEFORE_NAME = re.compile(rb"[\t\n\f\r /]*")
_NAME = re.compile(rb"=?[^\t\n\f\r />=]*")
_EQUALS = re.compile(rb"[\t\n\f\r ]*=[\t\n\f\r ]*")
_VALUE = re.compile(rb"""(?:"([^"]*)"|'([^']*)'|(?!["'])([^\t\n\f\r >]*)(?=[\t\n\f\r >]))""")
_CHARSET = re.compile(r"charset[\t\n\f\r ]*=[\t\n\f\r ]*", re.IGNORECASE)
_CHARSET_VALUE = re.compile(r"""(?:"([^"]*)"|'([^']*)'|(?!["'])([^\t\n\f\r ;]+))""")
_XML_VALUE = re.compile(rb"""encoding[\0-\x20]*=[\0-\x20]*(?:"([^"\0-\x20]*)"|'([^'\0-\x20]*)')""")
#: How `<?x` begins in UTF-16.
_XML_IN_UTF_16 = ((b"<\0?\0x\0", "utf-16le"), (b"\0<\0?\0x", "utf-16be"))


class _CutOff(Exception):
    """Raised where the end comes within a tag, which then does not count."""


def prescanned(start: bytes) -> str | None:
    """The encoding that the first bytes of an HTML document declare, by a `<meta>` or an XML declaration."""
    for beginning, encoding in _XML_IN_UTF_16:
        if start.startswith(beginning):
            return encoding
    # Most starts without a declaration have neither word, and looking for tags costs more.
    lower = start.lower()
    if b"charset" not in lower and b"encoding" not in lower:
        return None
    try:
        found = _prescanned(start)
    except _CutOff:
        found = None
    return found or of_xml(start)


def _prescanned(start: bytes) -> str | None:
    at = 0
    while found := _MARKUP.search(start, at):
        if found["comment"]:
            # Its end may begin with its own dashes: `<!-->` is a comment.
            at = _behind(start, b"-->", found.start() + 2)
        elif found["meta"]:
            attributes, at = _attributes(start, found.end())
            if encoding := of_meta(attributes):
                return encoding
        elif found["tag"]:
            end = _NAME_END.search(start, found.end())
            if end is None:
                raise _CutOff
            _, at = _attributes(start, end.start())
        else:
            at = _behind(start, b">", found.start())
    return None


def _behind(start: bytes, end: bytes, at: int) -> int:
    found = start.find(end, at)
    if found < 0:
        raise _CutOff
    return found + len(end)


def _attributes(start: bytes, at: int) -> tuple[list[tuple[str, str]], int]:
    """The attributes of a tag from here on, and where they end."""
    attributes: list[tuple[str, str]] = []
    while True:
        at = _end(_BEFORE_NAME.match(start, at))
        if start[at : at + 1] == b">":
            return attributes, at
        name, value = _NAME.match(start, at), b""
        at = _end(name)
        if equals := _EQUALS.match(start, at):
            found = _VALUE.match(start, equals.end())
            at = _end(found)
            value = next(filter(None, found.groups()), b"") if found else b""
        if at >= len(start):
            raise _CutOff
        attributes.append((_text(name[0] if name else b""), _text(value)))


def _end(found: re.Match[bytes] | None) -> int:
    if found is None:
        raise _CutOff
    return found.end()


def _text(raw: bytes) -> str:
    return raw.decode("latin-1")


def of_meta(attributes: Iterable[tuple[str, str]]) -> str | None:
    """The encoding that a `<meta>` with these attributes declares; the first of two of one name counts."""
    first: dict[str, str] = {}
    for name, value in attributes:
        first.setdefault(name.lower(), value)
    if "charset" in first:
        return _in_markup(encoding_named(first["charset"]))
    if first.get("http-equiv", "").lower() == "content-type":
        return _in_markup(_of_content(first.get("content", "")))
    return None


def _of_content(content: str) -> str | None:
    found = _CHARSET.search(content)
    value = _CHARSET_VALUE.match(content, found.end()) if found else None
    return encoding_named(next(filter(None, value.groups()), "")) if value else None


def _in_markup(encoding: str | None) -> str | None:
    """What is meant by an encoding in which the very declaration could not have been read."""
    if encoding in UTF_16:
        return "utf-8"
    return "windows-1252" if encoding == "x-user-defined" else encoding


def of_xml(start: bytes) -> str | None:
    """The encoding that an XML declaration names."""
    at = start.find(b"encoding")
    if not start.startswith(b"<?xml") or b">" not in start or at < 0:
        return None
    found = _XML_VALUE.match(start, at)
    encoding = encoding_named(_text(next(filter(None, found.groups()), b""))) if found else None
    return "utf-8" if encoding in UTF_16 else encoding


def of_xml_document(body: bytes) -> str | None:
    """The encoding that an XML document declares, in whatever width its declaration is written."""
    for beginning, encoding in _XML_IN_UTF_16:
        if body.startswith(beginning):
            return encoding
    return of_xml(body[:PRESCAN_BYTES])
