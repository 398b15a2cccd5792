"""The bounds of a crawl are said in one way everywhere, and stand in its specification."""

import pytest

from contract.crawls import FIELDS, CrawlSpec
from contract.errors import Refused
from contract.settings import Settings
from penstock.api.creating import NewCrawl
from penstock.plan import make_plan
from scraper.spider import Spider

SEEDS = ["http://a.test/"]
BOUNDS = {
    "max_pages": 9,
    "max_depth": 8,
    "max_pages_per_host": 7,
    "max_links_per_page": 6,
    "max_url_length": 500,
    "max_hops": 4,
    "max_attempts": 3,
}


def bounds_of(spec: CrawlSpec) -> dict[str, int]:
    return {name: getattr(spec, name) for name in BOUNDS}


def test_settings_and_spiders_have_the_same_bounds_and_settings_go_before():
    spider = Spider("books", SEEDS, **BOUNDS)

    assert bounds_of(make_plan(Settings(**BOUNDS), SEEDS).spec) == BOUNDS
    assert bounds_of(make_plan(Settings(), [], spider=spider).spec) == BOUNDS
    assert make_plan(Settings(max_hops=1), [], spider=spider).spec.max_hops == 1


def test_every_word_for_a_field_is_known_to_settings_and_api():
    assert set(FIELDS) <= set(Settings.__struct_fields__)
    assert set(FIELDS) <= set(NewCrawl.model_fields)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("max_attempts", 0),
        ("max_hops", -1),
        ("max_links_per_page", 0),
        ("max_url_length", 0),
        ("max_pages_per_host", -1),
    ],
)
def test_a_bound_out_of_range_is_one_line_that_names_it(name, value):
    with pytest.raises(Refused, match=f"^{name} must be from") as error:
        make_plan(Settings(**{name: value}), SEEDS)

    assert error.value.field == name


def test_a_wish_that_there_is_not_is_one_line_with_those_that_there_are():
    with pytest.raises(Refused, match="no wish 'nofollow' to obey: there are nofollow-links, noindex, canonical"):
        make_plan(Settings(obey=("noindex", "nofollow")), SEEDS)
