"""Hostile pages full of links that must not be followed, and of spellings that all mean one page."""

from html import escape

from penstock.site.hostile_case import cases, html, served
from penstock.site.wire import Script

#: None of them may lead to a request: wrong as URLs, of another scheme, out of reach, or too long.
BAD_LINKS = (
    "http://weir.invalid:99999/",
    "http://weir.invalid:port/",
    "http://we ir.invalid/",
    "http://a..b/",
    f"http://{'a' * 64}.invalid/",
    f"http://{'abcdefgh.' * 30}invalid/",
    "http://[::1/",
    "http:///",
    "//",
    "http://nul\0.invalid/",
    "http://weir.invalid\\@127.0.0.1:1/",
    "http://2130706433:1/",
    "http://0x7f.1:1/",
    "http://0177.0.0.1:1/",
    "http://127.1:1/",
    "http://0:1/",
    "http://127。0。0。1:1/",
    "http://[::ffff:169.254.169.254]/",
    "http://[64:ff9b::7f00:1]:1/",
    "http://[2002:7f00:1::]:1/",
    "http://[::]:1/",
    "http://0.0.0.0:1/",
    "http://169.254.169.254/latest/meta-data/",
    "http://localhost.:1/",
    "http://weir.localhost:1/",
    "file:///etc/passwd",
    "gopher://127.0.0.1:1/_x",
    "ftp://127.0.0.1/x",
    "data:text/html,<a href=/>x</a>",
    "javascript:alert(1)",
    " JaVaScRiPt:alert(1)",
    "java\nscript:alert(1)",
    "view-source:http://127.0.0.1:1/",
    "blob:http://127.0.0.1:1/x",
    "about:blank",
    "mailto:x@weir.invalid",
    "http://user:secret@weir.invalid/",
    "http://faß.invalid/",
    "http://ⓔxample.invalid/",
    "http://xn--zzzz-.invalid/",
    "http://xn--a.invalid/",
    "/hostile/good/1?" + "x" * 70_000,
    "http://%zz/",
    "http://weir.invalid<script>/",
)
#: All of them are one and the same page, relative to `/hostile/`.
SPELLINGS = (
    "good/11",
    "./good/11",
    "/hostile/good/11#fragment",
    "/hostile/../hostile/./good/11",
    "\\hostile\\good\\11",
    " \n good/\t11 ",
    "/hostile/%2e/good/11",
)


def _page(title: str, links: tuple[str, ...]) -> bytes:
    anchors = "\n".join(f'<p><a href="{escape(link)}">link</a></p>' for link in links)
    return html(title, anchors)


#: Three bytes that would be a lone surrogate, were that allowed in UTF-8.
_HALF = b"\xed\xb3\xbf"
_HALF_A_CHARACTER = html("Half a character", "<a href='/hostile/good/12?HALF'>x</a>").replace(b"HALF", _HALF)

_PAGES: dict[str, Script] = {
    "links_bad": served(_page("Bad links", BAD_LINKS)),
    "links_one_page": served(_page("One page", SPELLINGS)),
    "links_surrogate": served(_HALF_A_CHARACTER),
    "links_forged_log": served(_page("Log", ("/hostile/good/12?%0A2030-01-01%20INFO%20fake",))),
    "links_attack_attribute": served(html("Quote", "<a href='/hostile/good/13?\"onmouseover=alert(1)'>x</a>")),
    "links_reserved": served(_page("Reserved", ("/hostile/good/14?a=%2F%23%25%3B&b=&b=&c",))),
    "links_case_repeated_path": served(_page("Repeated", ("/hostile/good/15",) * 5000)),
}

CASES = cases(_PAGES)
