"""The body of each page of the web, as bytes: a function of the web and the page's number alone."""

from collections.abc import Iterator
from html import escape
from random import Random

from msgspec.json import encode

from penstock.site.graph import Kind, Resource, Web
from penstock.site.robots import is_disallowed
from penstock.site.spelling import spelled
from penstock.site.words import NAMES, paragraphs

_LINKS_IN_A_PARAGRAPH = 5
_CANONICAL_EVERY = 3
_BASE_EVERY = 17
_NOFOLLOW_EVERY = 9
_OTHER_SCHEMES_EVERY = 10
_OTHER_SCHEMES = (
    b'<p><a href="mailto:keeper@weir.invalid">Write</a> <a href="tel:+100">Call</a> '
    b'<a href="javascript:void(0)">Fold</a> <a href="">Here</a> <a name="end">End</a></p>\n'
)


def body_of(web: Web, resource: Resource, *, url: str) -> bytes:
    """The body that a resource answers with at `url`: HTML in UTF-8."""
    if resource.kind is Kind.PAGE:
        return page_body(web, resource.number)
    if resource.kind is Kind.TRAP:
        return _trap_body(url)
    titles = {
        Kind.PRIVATE: "Not for robots" if is_disallowed(_path(url)) else f"Press report {resource.number}",
        Kind.REDIRECT: "It is elsewhere",
        Kind.MISSING: "There is no such page",
    }
    href = escape(resource.location or "/")
    return _plain_page(titles[resource.kind], f'<p><a href="{href}">Go on</a></p>')


def _path(url: str) -> str:
    return "/" + url.split("/", 3)[3]


def _trap_body(url: str) -> bytes:
    day = url.rpartition("/")[2]
    href = str(int(day) + 1) if day else "deeper/"
    return _plain_page(f"Always one more: {day}", f'<p><a href="{href}">next</a></p>')


def _plain_page(title: str, body: str) -> bytes:
    head = f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title></head>\n'
    return f"{head}<body><h1>{title}</h1>{body}</body></html>\n".encode()


def page_body(web: Web, number: int) -> bytes:
    """The body of page `number`."""
    random = Random(f"{web.options.seed}/body/{number}")
    base = _base_url(web, number)
    links = list(_link_paragraphs(web, number, base=base, random=random))
    chunks = [_head(web, number, base=base).encode()]
    pool = paragraphs(web.options.seed)
    room = web.options.page_kb * 1024 - len(chunks[0]) - sum(map(len, links))
    while room > 0 or links:
        paragraph = pool[int(random.random() * len(pool))]
        chunks.append(paragraph)
        room -= len(paragraph)
        if links and len(chunks) % 2:
            chunks.append(links.pop(0))
    if number % _OTHER_SCHEMES_EVERY == 4 and base == web.url(number):
        chunks.append(_OTHER_SCHEMES)
    chunks.append(b"</main></body></html>\n")
    return b"".join(chunks)


def _base_url(web: Web, number: int) -> str:
    if number % _BASE_EVERY == 5:
        return f"http://{web.host_of(number)}/from/here/"
    return web.url(number)


def _link_paragraphs(web: Web, number: int, *, base: str, random: Random) -> Iterator[bytes]:
    links = web.links(number)
    for start in range(0, len(links), _LINKS_IN_A_PARAGRAPH):
        anchors = (_anchor(link, base=base, random=random) for link in links[start : start + _LINKS_IN_A_PARAGRAPH])
        yield f"<p>See also {', '.join(anchors)}.</p>\n".encode()


def _anchor(link: str, *, base: str, random: Random) -> str:
    pick = int(random.random() * 2**32)
    rel = ' rel="nofollow"' if pick // 40 % _NOFOLLOW_EVERY == 0 else ""
    name = NAMES[pick // 400 % len(NAMES)]
    return f'<a href="{spelled(link, base=base, pick=pick)}"{rel}>the {name}</a>'


def _head(web: Web, number: int, *, base: str) -> str:
    url, title = escape(web.url(number)), escape(web.title(number))
    description = f"What the keepers wrote about {title}."
    lines = [
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">',
        f'<base href="{base}">' if base != web.url(number) else "",
        f"<title>{title}</title>",
        f'<meta name="description" content="{description}">',
        f'<link rel="canonical" href="{url}">' if number % _CANONICAL_EVERY == 0 else "",
        f'<meta property="og:type" content="article"><meta property="og:title" content="{title}">',
        f'<meta property="og:url" content="{url}"><meta property="og:description" content="{description}">',
        f'<script type="application/ld+json">{_linked_data(web, number)}</script>',
        f'</head>\n<body><nav><a href="/">Home</a></nav><main>\n<h1>{title}</h1>',
    ]
    return "\n".join(filter(None, lines))


def _linked_data(web: Web, number: int) -> str:
    article = {
        "@context": "https://schema.org",
        "@type": "Article",
        "headline": web.title(number),
        "url": web.url(number),
        "position": number,
        "author": {"@type": "Person", "name": "A. Keeper"},
    }
    return encode(article).decode()
