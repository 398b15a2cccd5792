"""Reading one page: a `Job` in, a `Result` out. This is what a child process does, and nothing of it touches a pipe.

Whatever a spider's function raises becomes the result's error, with its links kept; so does a page that is too much.
"""

import time
from collections.abc import Iterable
from typing import Any

import msgspec
from selectolax.lexbor import SelectolaxError

from contract.codec import clean
from contract.errors import Refused
from scraper.characters.detector import NoDetector
from scraper.errors import DamagedRecord
from scraper.html.links import Links
from scraper.items import checked
from scraper.page import Page
from scraper.parsers.frames import Job, Result
from scraper.parsers.obeying import as_wished
from scraper.spiders import Extractor, load, one_line
from scraper.warc import read_record

#: Longest title, in characters.
MAX_TITLE_CHARS = 1_024


class Reader:
    """Reads pages one after another; it keeps the extractors that it has loaded."""

    def __init__(self) -> None:
        self._extractors: dict[tuple[str | None, bytes], Extractor] = {}

    def read(self, job: Job) -> Result:
        """What this page says; never raises, except what ends a process anyway."""
        started = time.perf_counter()
        try:
            result = self._read(job)
        except DamagedRecord as error:
            result = Result(error="body_damaged", detail=one_line(error))
        except NoDetector as error:
            result = Result(error="detector_missing", detail=str(error))
        except (MemoryError, SelectolaxError, RecursionError) as error:
            # Lexbor gives up on any markup only when memory is refused. What is left of the process is not trusted.
            detail = f"reading this page takes more memory than a parser may have ({type(error).__name__})"
            result = Result(error="parse_memory", detail=detail, last=True)
        return msgspec.structs.replace(result, elapsed_ms=round((time.perf_counter() - started) * 1000, 3))

    def _read(self, job: Job) -> Result:
        stored = read_record(job.raw)
        page = Page(stored, url=job.url, depth=job.depth, max_links=job.max_links, detect=job.detect_encoding)
        return as_wished(page, self._read_page(page, job), job)

    def _read_page(self, page: Page, job: Job) -> Result:
        try:
            extractor = self._extractor(job.spider, job.args)
        except Refused as error:
            return _result(page, page.all_links, error="spider_unusable", detail=str(error))
        if extractor.surveys and page.is_html:
            # Links and title are found on the same way.
            _ = page.survey
        # Before the extractor has its turn, for it may cut up the document.
        follows = extractor.follow or page.is_sitemap  # which is there for nothing else
        links = page.all_links if follows and job.links and page.status < 400 else Links()
        title = page.title if page.has_elements else None
        items, failure = _extract(extractor, page)
        return _result(
            page,
            _with_followed(links, page.followed, job.max_links) if job.links else links,
            title=title,
            items=items,
            spider=extractor.name,
            spider_version=extractor.version,
            error="extractor_failed" if failure else None,
            detail=failure,
        )

    def _extractor(self, reference: str | None, args: dict[str, str]) -> Extractor:
        key = (reference, msgspec.json.encode(args) if args else b"")
        found = self._extractors.get(key)
        if found is None:
            found = self._extractors[key] = load(reference, args)
        return found


def _result(page: Page, links: Links, *, title: str | None = None, detail: str = "", **rest: Any) -> Result:
    encoding = page.encoding_read
    return Result(
        title=clean((title or (page.has_elements and page.title) or "")[:MAX_TITLE_CHARS]) or None,
        links=links.urls,
        refresh=links.refresh,
        links_found=links.found,
        links_left_out=links.left_out,
        detail=clean(detail),
        encoding=encoding.name if encoding else "",
        encoding_source=encoding.source if encoding else "",
        **rest,
    )


def _with_followed(links: Links, followed: Iterable[str], limit: int) -> Links:
    if not followed:
        return links
    known = dict.fromkeys(links.urls)
    more = [url for url in followed if url not in known]
    room = max(0, limit - len(links.urls))
    return Links(
        (*links.urls, *more[:room]),
        links.refresh,
        links.found + len(more),
        links.left_out + max(0, len(more) - room),
    )


def _extract(extractor: Extractor, page: Page) -> tuple[bytes, str]:
    """The items as a JSON array, and what went wrong. A page has all of its items or none."""
    try:
        items = [encoded for _, _, encoded in checked(extractor.given(page))]
    except MemoryError:
        raise
    except (Exception, SystemExit) as error:
        return b"[]", one_line(error)
    return b"[%b]" % b",".join(items), ""
