"""The shape of what a crawl found, by which a person sees that something is odd: copies, depths, pages of scripts.

Takes an engine and a crawl's id; owns nothing. One look over the pages of the crawl, made when it is over.
"""

import msgspec
from sqlalchemy import Engine, case, distinct, func, select

from storage.sql import tables


class Shape(msgspec.Struct, frozen=True, kw_only=True):
    """Counts of pages that were answered with 2xx, and what stands out among them.

    `copies` have the same body as another page that was fetched before; `deepest` is that of the most links from a
    seed. `bare` HTML pages have no links. `left_out` are URLs by the reason why they were not asked for; `given_up`
    counts hosts, and their URLs, that refused for too long.
    """

    pages: int = 0
    copies: int = 0
    html: int = 0
    bare: int = 0
    depth: int = 0
    deepest: str = ""
    left_out: dict[str, int] = {}
    given_up: tuple[int, int] = (0, 0)


def shape_of(engine: Engine, crawl: str) -> Shape:
    """The shape of this crawl."""
    page = tables.pages.c
    ok = (page.crawl == crawl) & (page.outcome == "fetched") & page.location.is_(None)
    is_html = page.content_type.like("text/html%")
    counts = select(
        func.count(),
        func.count(page.digest) - func.count(distinct(page.digest)),
        func.coalesce(func.sum(case((is_html, 1), else_=0)), 0),
        func.coalesce(func.sum(case((is_html & (page.links_found == 0) & page.parse_error.is_(None), 1), else_=0)), 0),
    ).where(ok)
    deepest = select(page.depth, page.url).where(ok).order_by(page.depth.desc(), page.url).limit(1)
    excluded = (page.crawl == crawl) & (page.outcome == "excluded")
    reasons = select(page.reason, func.count()).where(excluded).group_by(page.reason)
    refused = (page.crawl == crawl) & (page.outcome == "failed") & (page.reason == "host_refuses")
    hosts = select(func.count(distinct(page.host)), func.count()).where(refused)
    with engine.connect() as connection:
        pages, copies, html, bare = connection.execute(counts).one()
        depth, url = connection.execute(deepest).one_or_none() or (0, "")
        left_out = {row[0]: row[1] for row in connection.execute(reasons).all()}
        given_up = tuple(connection.execute(hosts).one())
    return Shape(
        pages=pages, copies=copies, html=html, bare=bare, depth=depth or 0, deepest=url, left_out=left_out,
        given_up=(given_up[0], given_up[1]),
    )  # fmt: skip
