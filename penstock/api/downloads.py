"""GET /crawls/{id}/download/{what}: pages, items or failures of a crawl as one file, as `penstock export` writes it.

Rows are read as the client takes them, in constant memory: who stops taking stops the reading.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, Iterator
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse

from penstock.api.crawls import CrawlId, known_crawl
from penstock.api.house import TheHouse
from penstock.api.problems import documented
from storage.exports.export import chunks

router = APIRouter(tags=["results"])

_TYPES = {"csv": "text/csv; charset=utf-8", "jsonl": "application/jsonl"}
_FILE: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The file.",
        "content": {type.partition(";")[0]: {"schema": {"type": "string"}} for type in _TYPES.values()},
    }
}
#: What a file's name keeps of a crawl's.
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")


@router.get(
    "/crawls/{crawl}/download/{what}",
    status_code=200,
    response_class=StreamingResponse,
    responses={**_FILE, **documented(404, 422)},
)
async def download(
    house: TheHouse,
    crawl: CrawlId,
    what: Literal["pages", "items", "failures"],
    format: Annotated[Literal["csv", "jsonl"], Query(description="CSV, or a JSON object a line.")] = "csv",
) -> StreamingResponse:
    """All of them in one file, as they are recorded now; the data of an item is JSON in CSV too."""
    name = _UNSAFE.sub("-", (await known_crawl(house, crawl)).name)[:80].strip("-.") or "crawl"
    parts = chunks(house.engine, what, crawl=crawl, format=format)
    headers = {"Content-Disposition": f'attachment; filename="{name}-{what}.{format}"', "Cache-Control": "no-store"}
    return StreamingResponse(_taken(parts), media_type=_TYPES[format], headers=headers)


async def _taken(parts: Iterator[bytes]) -> AsyncGenerator[bytes]:
    while (part := await asyncio.to_thread(next, parts, None)) is not None:
        yield part
