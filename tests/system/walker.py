"""A plain breadth-first walk by the standard library alone: the second opinion on what a site holds."""

from collections import deque
from html.parser import HTMLParser
from urllib.error import HTTPError
from urllib.parse import urldefrag, urljoin, urlsplit
from urllib.request import Request, urlopen


class _Links(HTMLParser):
    def __init__(self, base: str) -> None:
        super().__init__()
        self.base, self.found = base, list[str]()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        href = dict(attrs).get("href")
        if tag == "base" and href:
            self.base = urljoin(self.base, href)
        if tag == "a" and href is not None:
            self.found.append(urldefrag(urljoin(self.base, href.strip()))[0])


def walk(start: str) -> dict[str, int]:
    """HTML pages of the start's host that answer 200: URL → bytes of its body."""
    seen, queue, pages = {start}, deque([start]), dict[str, int]()
    while queue:
        url = queue.popleft()
        try:
            with urlopen(Request(url, headers={"User-Agent": "walker"}), timeout=10) as answer:
                body, final = answer.read(), answer.geturl()
                is_html = answer.headers.get_content_type() == "text/html"
        except HTTPError:
            continue
        if not is_html or urlsplit(final).netloc != urlsplit(start).netloc:
            continue
        pages[final] = len(body)
        links = _Links(final)
        links.feed(body.decode("utf-8", "replace"))
        for link in links.found:
            if _same_site(link, start) and link not in seen:
                seen.add(link)
                queue.append(link)
    return pages


def _same_site(link: str, start: str) -> bool:
    return urlsplit(link).scheme in ("http", "https") and urlsplit(link).netloc == urlsplit(start).netloc
