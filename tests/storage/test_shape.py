"""The shape of a crawl, and what is said of it."""

from pathlib import Path

import pytest
from sqlalchemy import Engine

from contract.pages import BodyRef
from penstock.remarks import remarks
from storage.read_models.shape import Shape, shape_of
from tests import builders
from tests.builders import CRAWL
from tests.storage.helpers import write

A = "http://site.test/"


def body(number: int) -> BodyRef:
    return BodyRef(digest=f"sha256:{number:064x}", size=9, wire=9, stored=9)


def test_copies_depths_and_what_was_left_out_are_counted(engine: Engine, tmp_path: Path):
    pages = [builders.page_fetched(f"{A}{n}", body=body(n % 3), depth=n) for n in range(12)]
    bare = builders.page_parsed(A + "0", links_found=0)
    others = [builders.page_parsed(f"{A}{n}", links_found=4) for n in range(1, 12)]
    moved = builders.page_fetched(A + "moved", status=301, location=A, body=body(0), depth=99)
    left_out = [builders.page_excluded(f"{A}x{n}", reason="same_body") for n in range(4)]
    refused = [builders.page_failed(f"{A}r{n}", reason="host_refuses", retryable=False) for n in range(2)]
    write(engine, tmp_path / "archive", builders.crawl_started(), *pages, bare, *others, moved, *left_out, *refused)

    assert shape_of(engine, CRAWL) == Shape(
        pages=12, copies=9, html=12, bare=1, depth=11, deepest=A + "11", left_out={"same_body": 4}, given_up=(1, 2)
    )


def test_a_crawl_without_a_page_has_a_shape(engine: Engine, tmp_path: Path):
    write(engine, tmp_path / "archive", builders.crawl_started())

    assert shape_of(engine, CRAWL) == Shape()


@pytest.mark.parametrize(
    ("shape", "words"),
    [
        (Shape(pages=100, copies=38, html=100), ["38% of the pages (38) have the same body"]),
        (Shape(pages=1_000, copies=38, html=1_000), []),
        (Shape(pages=9, copies=8, html=9), []),
        (Shape(left_out={"same_body": 1_200, "robots": 9}), ["1,200 URLs", "--same-body 0"]),
        (Shape(depth=147, deepest=A + "?from=9"), ["147 links from a seed: http://site.test/?from=9"]),
        (Shape(pages=3, html=3, bare=2), ["2 of 3 HTML pages have no links"]),
        (Shape(pages=1, html=1, bare=1), ["the only HTML page has no links"]),
        (Shape(given_up=(12, 300)), ["12 hosts refused", "300 URLs"]),
        (Shape(pages=100, copies=3, html=90, bare=4, depth=6, left_out={"robots": 4}), []),
    ],
)
def test_what_stands_out_is_said_and_nothing_else(shape: Shape, words: list[str]):
    said = "\n".join(remarks(shape))

    assert all(word in said for word in words)
    assert bool(said) == bool(words)
