"""What a document's elements say about where it leads, as it is written there.

Takes elements on the way through a document (`walk`), gives `raw` links in their order, each once: those of `a`,
`area`, `iframe`, `frame`, of links in drawings, of declared shadow trees and of `srcdoc` documents; the `bases`, where
a refreshing `meta` leads, and what else the head claims. Lexbor keeps no namespaces, so `xlink:href` counts within an
`<svg>` only.
"""

from typing import Any

from scraper.html.refresh import refresh_target
from scraper.html.rendered import inner_document, shadow_tree
from scraper.html.walk import walk


class Hrefs:
    """The links of one document, not resolved yet."""

    #: No text is wanted on the way.
    run = None

    def __init__(self) -> None:
        self.raw: dict[str, None] = {}
        self.bases: list[str] = []
        #: None: no refresh; empty: of the page itself. The first one counts.
        self.refresh: str | None = None
        #: Name, property and content of each `meta` that has a content, and what the document calls its own URL.
        self.metas: list[tuple[str, str, str]] = []
        self.canonical: str | None = None

    def link(self, node: Any) -> Any:
        """An `a` or `area`."""
        attributes = node.attrs
        if "href" in attributes:
            self.raw[attributes.sget("href")] = None
        return node.first_child

    def frame(self, node: Any) -> Any:
        """An `iframe` or `frame`: a link, or the document that it holds."""
        attributes = node.attrs
        if "srcdoc" in attributes:
            return inner_document(node)
        if "src" in attributes:
            self.raw[attributes.sget("src")] = None
        return None

    def base(self, node: Any) -> None:
        """A `base`."""
        if "href" in node.attrs:
            self.bases.append(node.attrs.sget("href"))

    def meta(self, node: Any) -> None:
        """A `meta`: what it claims, and where a refresh leads."""
        attributes = node.attrs
        content = attributes.get("content")
        if self.refresh is None and attributes.sget("http-equiv").lower() == "refresh":
            self.refresh = refresh_target(content or "")
        if content is not None:
            self.metas.append((attributes.sget("name"), attributes.sget("property"), content))

    def rel(self, node: Any) -> None:
        """A `link`, of which the canonical one counts."""
        attributes = node.attrs
        if self.canonical is None and "canonical" in attributes.sget("rel").lower().split():
            self.canonical = attributes.sget("href")

    def drawing(self, node: Any) -> None:
        """An `svg`, whose links may be written in either way; nothing else in it says where the document leads."""
        for one in node.css("a,area,iframe"):
            attributes = one.attrs
            names = ("href", "xlink:href") if one.tag != "iframe" else ("src",)
            if name := next((name for name in names if name in attributes), None):
                self.raw[attributes.sget(name)] = None

    def template(self, node: Any) -> Any:
        """A `template`, whose content counts if it is shown."""
        return shadow_tree(node)

    def passed_by(self, node: Any) -> None:
        """What can hold no element."""


FINDERS: dict[str, Any] = {
    "a": Hrefs.link,
    "area": Hrefs.link,
    "iframe": Hrefs.frame,
    "frame": Hrefs.frame,
    "base": Hrefs.base,
    "meta": Hrefs.meta,
    "link": Hrefs.rel,
    "svg": Hrefs.drawing,
    "template": Hrefs.template,
    "script": Hrefs.passed_by,
    "style": Hrefs.passed_by,
}


def select_hrefs(root: Any, hrefs: Hrefs) -> Hrefs:
    """Add what is below this node of Lexbor's, which selects what is asked for sooner than a walk comes by it.

    The links of shadow trees and inner documents come last.
    """
    trees = [root]
    for tree in trees:
        claims, drawn = (list(hrefs.metas), hrefs.canonical), set[int]()
        for node in tree.css(_SELECTED):
            tag = node.tag
            if drawn and node.mem_id in drawn:
                continue
            if tag == "a":  # as nearly all are; to ask whether it has the attribute takes as long as to read it
                hrefs.raw[node.attrs.sget("href")] = None
                continue
            if tag == "svg":
                drawn.update(one.mem_id for one in node.css(_SELECTED))
            inner = FINDERS[tag](hrefs, node)
            if inner is not None and tag == "template":
                trees.append(node.template_fragments()[0])
            elif inner is not None and tag == "iframe":
                trees.append(inner)
        if tree is not root:  # whose claims are no claims of the page's
            hrefs.metas, hrefs.canonical = claims
    return hrefs


_SELECTED = "a[href],area,iframe,frame,base,meta,link[rel],svg,template"


def find_hrefs(node: Any, hrefs: Hrefs) -> Hrefs:
    """Add what is in this node, its siblings and all below."""
    walk(node, hrefs, FINDERS, {})
    return hrefs
