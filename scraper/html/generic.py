"""The generic extractor, for crawls without a spider.

Takes a page, gives one item of type `page`: title, description, canonical, language, headings, text, opengraph
(Twitter cards too), jsonld, and flags where something was left out. What a page says about itself is a claim: the
canonical URL is a hint only.
"""

from typing import Any

from scraper.html.claims import claims
from scraper.html.jsonld import read_jsonld
from scraper.html.links import resolve
from scraper.html.main_text import main_text
from scraper.items import Given
from scraper.page import Page
from scraper.spider import source_version

#: Characters of text that are kept of a page at most; more is cut off, and said in `flags`.
MAX_TEXT_CHARS = 100_000


class Generic:
    """The extractor that needs no spider."""

    name = "generic"
    version = source_version(__file__)
    follow = surveys = True
    error_pages = ()

    def extract(self, page: Page) -> Given:
        """One item of type `page` for HTML, none for anything else."""
        if page.is_html and page.status < 400:
            yield "page", describe(page)

    #: Nothing of it need be looked at first.
    given = extract


def describe(page: Page) -> dict[str, Any]:
    """What any page says about itself, as a JSON object."""
    survey = page.survey
    canonical = survey.hrefs.canonical
    description, properties = claims(survey.hrefs.metas)
    jsonld, flags = read_jsonld(survey.scripts)
    flags.extend(page.flags)
    text = main_text(survey)
    if len(text) > MAX_TEXT_CHARS:
        flags.append("text_cut")
    return {
        "title": page.title,
        "description": description,
        "canonical": resolve(canonical, page.base) if canonical is not None else None,
        "language": survey.language,
        "headings": survey.headings,
        "opengraph": properties,
        "jsonld": jsonld,
        "text": text[:MAX_TEXT_CHARS],
        "flags": flags,
    }
