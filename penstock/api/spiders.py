"""GET /spiders: the spiders that a crawl may name."""

from __future__ import annotations

from fastapi import APIRouter

from penstock.api.house import TheHouse
from penstock.api.models import KnownSpider, Spiders

router = APIRouter(tags=["crawls"])


@router.get("/spiders")
async def list_spiders(house: TheHouse) -> Spiders:
    """By name."""
    known = sorted(house.spiders.items())
    return Spiders(
        spiders=[
            KnownSpider(name=name, seeds=list(each.spider.seeds), version=each.spider.version) for name, each in known
        ]
    )
