"""GET /explain: the life of one URL in one crawl, as facts and in the words of `penstock explain`."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict
from sqlalchemy import Engine

from penstock.api.crawls import no_crawl
from penstock.api.house import TheHouse
from penstock.api.limits import LONGEST_URL
from penstock.api.models import Shape
from penstock.api.problems import Trouble, documented
from penstock.commands.explain_words import hint_words, step_words
from penstock.explaining import Explanation, explained
from penstock.seeds import canonical_url
from scheduler.seed import CRAWL_ID
from storage.read_models import crawl_list, queries
from storage.store import hearsay
from storage.store.history import What

router = APIRouter(tags=["results"])


class Step(BaseModel):
    """Something that happened to the URL: when, what, the same in words, and further facts by name."""

    model_config = ConfigDict(extra="allow")
    at: str
    what: What
    words: str


class Explained(Shape):
    """A URL's steps in a crawl, in their order."""

    url: str
    crawl: str
    name: str
    steps: list[Step]


@router.get("/explain", responses=documented(404, 422))
async def explain(
    house: TheHouse,
    url: Annotated[str, Query(min_length=1, max_length=LONGEST_URL)],
    crawl: Annotated[str | None, Query(max_length=100, description="Left out: the latest that knows the URL.")] = None,
) -> Explained:
    """What became of a URL, and why; where nothing is known, the problem's sentence says why that may be."""
    href = canonical_url(url, where=repr(url), field="url").href
    explanation = await asyncio.to_thread(_explanation, house.engine, href, crawl)
    if not explanation.steps:
        words = "; ".join(hint_words(hint) for hint in explanation.hints)
        raise Trouble(404, f"nothing is known of {href} in crawl {explanation.crawl}: {words}", crawl=explanation.crawl)
    steps = [
        Step(**{**step.facts, "at": step.at, "what": step.what, "words": "; ".join(step_words(step))})
        for step in explanation.steps
    ]
    return Explained(url=explanation.url, crawl=explanation.crawl, name=explanation.name, steps=steps)


def _explanation(engine: Engine, url: str, crawl: str | None) -> Explanation:
    id = crawl or next(iter(hearsay.crawls_with(engine, url)), None) or _latest(engine)
    row = queries.find_crawl(engine, id) if CRAWL_ID.fullmatch(id) else None
    if row is None or row.id != id:
        raise no_crawl(id)
    return explained(engine, url, row)


def _latest(engine: Engine) -> str:
    for row in crawl_list.listed(engine, limit=1):
        return row.id
    raise Trouble(404, "nothing has been crawled yet")
