"""Ready patterns leave out what applications make without end, and no page that a person would call one."""

import pytest

from contract.crawls import CrawlSpec
from contract.errors import Refused
from contract.settings import Settings
from penstock.deny_presets import PRESETS, expanded
from penstock.plan import make_plan
from scheduler.patterns import Patterns, check_patterns
from scraper.spider import Spider

#: URLs as the applications write them, that each preset is for.
LEFT_OUT = {
    "wiki-actions": [
        "http://w.test/index.php?title=Main_Page&action=edit",
        "http://w.test/index.php?title=Main_Page&oldid=17",
        "http://w.test/w/index.php?title=A&diff=next&oldid=2",
        "http://w.test/wiki/Special:RecentChanges?days=7",
        "http://w.test/index.php?title=Special%3AWhatLinksHere/A",
        "http://w.test/wiki/Spezial:Alle_Seiten",
        "http://w.test/doku.php?id=start&do=revisions",
        "http://w.test/doku.php?id=start&rev=1700000000",
        "http://w.test/FrontPage?action=AttachFile",
        "http://w.test/twiki/bin/rdiff/Main/WebHome",
        "http://t.test/trac/wiki/Start?action=diff&version=4",
    ],
    "sort-links": [
        "http://d.test/pub/?C=N;O=D",
        "http://d.test/pub/?C=M&O=A",
        "http://s.test/shop?sort=price",
        "http://s.test/list?page=2&order_by=name",
        "http://s.test/list?sortBy=date",
    ],
    "calendars": [
        "http://c.test/calendar/2031-04",
        "http://c.test/events/2019-02/",
        "http://c.test/events/month/?tribe-bar-date=2050-01-01",
        "http://c.test/?ical=1",
        "http://c.test/agenda?month=4&yr=2042",
    ],
    "sessions": [
        "http://f.test/viewtopic.php?t=1&sid=0123456789abcdef",
        "http://f.test/a;jsessionid=0A1B2C?x=1",
        "http://f.test/?PHPSESSID=abc",
        "http://f.test/(S(abcdefghijklmnopqrstuvwx))/default.aspx",
    ],
    "print-views": [
        "http://p.test/article/7?print=1",
        "http://p.test/article/7?printable=yes",
        "http://p.test/index.php?id=4&tmpl=component",
        "http://p.test/article/7/print/",
        "http://p.test/showthread/print.php?t=4",
    ],
}
#: Pages that look alike, and are wanted.
KEPT = [
    "http://w.test/wiki/Main_Page",
    "http://w.test/index.php?title=Category:Birds",
    "http://w.test/doku.php?id=wiki:syntax",
    "http://w.test/twiki/bin/view/Main/WebHome",
    "http://w.test/wiki/Specialist:Care",
    "http://s.test/orders/7",
    "http://s.test/?page=2",
    "http://s.test/sorting-machines?colour=red",
    "http://c.test/events/summer-fair",
    "http://c.test/2019/02/a-post",
    "http://c.test/calendar/",
    "http://f.test/viewtopic.php?t=1",
    "http://f.test/sessions/2024/keynote",
    "http://p.test/printing-house",
    "http://p.test/products/printer-paper",
    "http://p.test/fingerprint?x=1",
]


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_leaves_out_what_it_is_for_and_nothing_that_looks_alike(name):
    patterns = Patterns(PRESETS[name], "deny")

    assert [url for url in LEFT_OUT[name] if not patterns.match(url)] == []
    assert [url for url in KEPT if patterns.match(url)] == []


def test_all_presets_together_are_patterns_of_a_crawl():
    check_patterns(CrawlSpec(name="all", deny=expanded(PRESETS)))


def test_presets_stand_in_the_crawls_record_behind_its_own_patterns():
    plan = make_plan(Settings(deny=("/x/",), deny_preset=("sort-links",)), ["http://a.test/"])

    assert plan.spec.deny == ("/x/", *PRESETS["sort-links"])


def test_a_spider_names_presets_too_unless_the_command_line_does():
    spider = Spider("books", ["http://a.test/"], deny=["/x/"], deny_preset=["sessions"])

    assert make_plan(Settings(), [], spider=spider).spec.deny == ("/x/", *PRESETS["sessions"])
    assert make_plan(Settings(deny_preset=("sort-links",)), [], spider=spider).spec.deny[1:] == PRESETS["sort-links"]


@pytest.mark.parametrize(("name", "hint"), [("sort-link", "did you mean sort-links"), ("forums", "wiki-actions, sort")])
def test_a_preset_that_there_is_not_is_one_clear_line(name, hint):
    with pytest.raises(Refused, match=hint):
        expanded([name])
