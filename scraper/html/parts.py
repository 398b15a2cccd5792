"""What the parts of a page look like from outside: whether main text may stand in them.

Takes elements, gives `Part`s, which know where their lines begin and end. A word in a class or an id is a claim like
any other: `main_text` believes it only where most of the page's text is elsewhere.
"""

import re
from functools import lru_cache
from typing import Any

#: Elements that hold no main text, whatever is in them, and those that may.
ASIDE_ALWAYS = frozenset(("nav", "menu", "dialog", "footer"))
_ASIDE = ASIDE_ALWAYS | {"aside", "form"}
#: Words in classes and ids of what stands beside the main text, and of what holds it.
_BESIDE = re.compile(
    r"comment|disqus|respond|discuss|sidebar|related|recommend|recirc|promo|shar(?:e|ing)|social|foot(?!note)|menu"
    r"|nav(?:igation|bar|i)?\Z|breadcrumb|widget|newsletter|subscri|signup|login|popup|modal|overlay|cookie|consent"
    r"|banner|advert|\Aads?\Z|sponsor|outbrain|taboola|paginat|pager|\Atags?\Z|author|byline|masthead|trending|popular"
    r"|\Amore\Z|\Aalso\Z|hidden|skip|print|tool|rating|credit|copyright|caption|meta\Z|teaser|donat|toc\Z|gallery"
    r"|carousel|slider"
)
_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+")
_OF_TEXT = re.compile(
    r"article ?body|entry ?content|main ?content|story ?body|\b(?:article|content|main|story|post|body)\b"
)
_MAYBE_TEXT = re.compile(r"article|body|content|entry|main|post|text|story|column|page|blog|prose")
#: How many names of classes, and words in them, a process remembers: a site has the same ones on all its pages.
_REMEMBERED = 16_384


class Part:
    """A block of a page: the lines from `start` up to `end`. `beside`: it says that it is no main text."""

    __slots__ = ("beside", "end", "likely", "parent", "start", "tag")

    def __init__(self, node: Any, tag: str, parent: "Part | None", start: int) -> None:
        self.tag, self.parent, self.start, self.end = tag, parent, start, start
        attributes = node.attrs
        name, id = attributes.sget("class"), attributes.sget("id")
        self.beside, self.likely = _hints(tag, name if not id else f"{name} {id}")
        if tag == "footer" and self.beside and self._is_in("blockquote"):
            self.beside = False

    def _is_in(self, tag: str) -> bool:
        part = self.parent
        while part is not None and part.tag != tag:
            part = part.parent
        return part is not None


@lru_cache(_REMEMBERED)
def _hints(tag: str, name: str) -> tuple[bool, bool]:
    """Whether an element with this tag and names says that it stands beside the main text, and that it may hold it."""
    words = " ".join(_WORD.findall(name)).lower()
    beside = any(map(_is_beside, words.split())) and not _OF_TEXT.search(words)
    likely = not beside and _MAYBE_TEXT.search(words) is not None
    return (
        tag in _ASIDE or (beside and tag not in ("body", "main", "article")),
        likely or tag == "main" or tag == "article",
    )


@lru_cache(_REMEMBERED)
def _is_beside(word: str) -> bool:
    return _BESIDE.search(word) is not None
