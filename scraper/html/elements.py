"""What HTML's elements do to text, wherever no style sheet says otherwise.

Gives names of elements, for `rendered` and `survey`, so that every text is made by one table.
Sources: https://html.spec.whatwg.org/multipage/rendering.html and, for `innerText`, .../multipage/dom.html
"""


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


#: Elements that begin and end a line (`display: block` and its like).
BLOCKS = _names(
    """
    address article aside blockquote body caption center dd details dialog dir div dl dt fieldset figcaption figure
    footer form h1 h2 h3 h4 h5 h6 header hgroup hr html legend li listing main menu nav ol optgroup option plaintext
    pre search section summary table tbody tfoot thead tr ul xmp
    """
)
#: Those around which an empty line stands.
PARAGRAPHS = frozenset(("p",))
#: Cells of one row are parted by a tab.
ROWS, CELLS = frozenset(("tr",)), frozenset(("td", "th"))
#: White space and line breaks in these are meant.
PREFORMATTED = frozenset(("pre", "listing", "plaintext", "xmp", "textarea"))

#: Elements that are not shown, or show something else than what stands in them.
UNSHOWN = _names(
    """
    annotation annotation-xml area audio base basefont canvas datalist head link meta meter noembed noframes noscript
    object param progress rp script style svg template textarea title video
    """
)
#: Of these, whoever asks for them gets what stands in them, letter for letter.
SOURCE = frozenset(("script", "style"))
