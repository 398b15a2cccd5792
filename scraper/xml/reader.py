"""Text → an XML document, or the word why not.

Takes the decoded text of a body, gives its root element and flags. lxml is never asked to recover: after one error it
drops characters and makes URLs that nobody wrote. No entity is declared, and nothing from outside is read: a document
that declares entities is refused, because they are expanded in attributes whatever the parser is told. libxml2 bounds
depth (256) and the length of a text (10 MB), the parser process its memory and time.
"""

import re
from html.entities import html5
from typing import Any

from lxml import etree

XHTML = "http://www.w3.org/1999/xhtml"
SVG = "http://www.w3.org/2000/svg"

#: What stands for itself, and ampersands that begin nothing that XML knows without a declaration.
_BARE = re.compile(
    r"(<!\[CDATA\[.*?\]\]>|<!--.*?-->)|&(?!#\d+;|#x[0-9A-Fa-f]+;|(?:amp|lt|gt|quot|apos);)(\w+;)?", re.DOTALL
)
#: Within so many characters a document says what it is.
_PROLOG_CHARS = 2_000
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


def read_xml(text: str, url: str = "") -> tuple[Any, tuple[str, ...]]:
    """The root element, or None where this is no XML, and what is to be said of it.

    `xml_repaired`: it has ampersands, names of HTML characters or controls where XML has none. `xml_not_well_formed`
    and `xml_entities`: it is none, or declares entities.
    """
    if "<!DOCTYPE" in text and "<!ENTITY" in text:
        # Wherever they stand: to tell where a declaration ends is the parser's work, which would be too late.
        return None, ("xml_entities",)
    if "-//W3C//DTD XHTML" in text[:_PROLOG_CHARS]:
        # Names of characters are declared by these, in a file that nobody reads.
        text = _BARE.sub(_character, text)
    if (root := _parsed(text, url)) is not None:
        return root, ()
    # Never for HTML, which its own reader takes as it is.
    if not _is_xhtml(text) and (root := _parsed(_repaired(text), url)) is not None:
        return root, ("xml_repaired",)
    return None, ("xml_not_well_formed",)


def _parsed(text: str, url: str) -> Any:
    parser = etree.XMLParser(
        encoding="utf-8", resolve_entities=False, load_dtd=False, no_network=True, huge_tree=False, recover=False,
        remove_comments=True, remove_pis=True,
    )  # fmt: skip
    try:
        root = etree.fromstring(text.encode("utf-8", "replace"), parser, base_url=url or None)
    except etree.XMLSyntaxError:
        return None
    # A name that nobody declared is an error, also where a parser that does not look outside may pass it by.
    return None if next(root.iter(etree.Entity), None) is not None else root


def _is_xhtml(text: str) -> bool:
    return XHTML in text[:_PROLOG_CHARS]


def _repaired(text: str) -> str:
    return _BARE.sub(_character, _CONTROLS.sub("", text).lstrip())


def _character(found: re.Match[str]) -> str:
    if found[1]:
        return found[1]
    if found[2] and (characters := html5.get(found[2])):
        return "".join(f"&#{ord(character)};" for character in characters)
    return f"&amp;{found[2] or ''}"
