"""From a body to a parsed document.

Takes HTML as it came, gives the document and the encoding that it was read in. A `<meta>` that the parser meets may say
another than was thought before, wherever it stands; then the body is read once more.
Source: https://html.spec.whatwg.org/#change-the-encoding
"""

from collections.abc import Iterator

from selectolax.lexbor import LexborDocumentOptions, LexborHTMLParser

from scraper.characters.choice import Encoding, Guess, changed, encoding_of_body
from scraper.html.text import markup

_METAS = "meta[charset],meta[http-equiv][content]"


def document_of(body: bytes, content_type: str = "", guess: Guess | None = None) -> tuple[LexborHTMLParser, Encoding]:
    """The document, and what its body is in."""
    encoding = encoding_of_body(body, content_type, guess)
    document = _parsed(body, encoding)
    if encoding.certain:
        return document, encoding
    better = changed(encoding, _metas(document, body))
    return (_parsed(body, better), better) if better else (document, encoding)


def _metas(document: LexborHTMLParser, body: bytes) -> Iterator[dict[str, str | None]]:
    """The attributes of each `<meta>` that may declare something, in order, but the head's first."""
    if document.head:
        yield from (node.attributes for node in document.head.iter() if node.tag == "meta")
    if b"charset" in body.lower():
        yield from (node.attributes for node in document.css(_METAS))


def _parsed(body: bytes, encoding: Encoding) -> LexborHTMLParser:
    # Without events: what they do for browsers (copying chosen options about) is another way to blow up.
    return LexborHTMLParser(markup(body, encoding.name), options=LexborDocumentOptions.WO_EVENTS)
