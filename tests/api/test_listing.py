"""Lists over HTTP: crawls, pages, items, failures, hosts; filtered, page by page; and the story of a URL."""

import asyncio

import pytest

from contract.crawls import CrawlCancelled, CrawlPaused
from contract.pages import Item
from storage.sql.database import open_database
from tests import builders
from tests.storage.helpers import write

CRAWL = builders.CRAWL
AT = f"/crawls/{CRAWL}"
SITE = "http://site.test"


def at(second):
    """A time of so many seconds after the first."""
    return f"2026-11-23T12:00:{second:02}.000Z"


@pytest.fixture
async def told(api, settings):
    """A client of a server that has a crawl with five pages, two of which have no good end, recorded."""
    engine = open_database(settings)
    messages = [builders.crawl_started(f"{SITE}/0", time=at(0))]
    for number in range(3):
        url = f"{SITE}/{number}"
        items = tuple(Item(type=type, data={"n": number}) for type in ("book", "author"))
        messages += [
            builders.page_fetched(url, time=at(number)),
            builders.page_parsed(url, time=at(number), title=f"Page {number}", items=items),
        ]
    messages += [
        builders.page_failed(f"{SITE}/3", time=at(3), retryable=False, status=404, reason="http_error"),
        builders.page_excluded("http://other.test/", time=at(4)),
        builders.page_fetched("http://other.test/5", time=at(5)),
        builders.page_parsed("http://other.test/5", time=at(5), items=(), error="extractor_failed", detail="Boom"),
        builders.robots_fetched(SITE, time=at(0)),
    ]
    await asyncio.to_thread(write, engine, settings.folder / "archive", *messages)
    engine.dispose()
    return api


async def walked(client, path, name, **query):
    """All rows behind a path, a page of them after the other."""
    found, cursor = [], None
    while True:
        answer = await client.get(path, params={**query, **({"cursor": cursor} if cursor else {})})
        assert answer.status_code == 200, answer.text
        page = answer.json()
        found += page[name]
        if (cursor := page["next"]) is None:
            return found


async def test_pages_come_latest_first_and_each_once(told):
    pages = await walked(told, f"{AT}/pages", "pages", limit=2)

    assert [page["url"].rpartition("/")[2] for page in pages] == ["5", "", "3", "2", "1", "0"]
    assert [page["outcome"] for page in pages] == ["fetched", "excluded", "failed", "fetched", "fetched", "fetched"]
    assert (pages[3]["title"], pages[3]["items"], pages[3]["status"]) == ("Page 2", 2, 200)
    assert (pages[0]["error"], pages[3]["error"]) == ("extractor_failed: Boom", None)


@pytest.mark.parametrize(
    ("query", "urls"),
    [
        ({"outcome": "failed"}, ["3"]),
        ({"status": 404}, ["3"]),
        ({"host": "http://other.test"}, ["5", ""]),
        ({"reason": "scope"}, [""]),
        ({"outcome": "fetched", "host": SITE, "limit": 1}, ["2", "1", "0"]),
        ({"reason": "nul\0"}, []),
    ],
)
async def test_pages_are_filtered(told, query, urls):
    pages = await walked(told, f"{AT}/pages", "pages", **query)

    assert [page["url"].rpartition("/")[2] for page in pages] == urls


@pytest.mark.parametrize(
    ("text", "urls"), [("PAGE 1", [f"{SITE}/1"]), ("other", ["http://other.test/5", "http://other.test/"]), ("%", [])]
)
async def test_pages_are_found_by_a_part_of_their_url_or_title(told, text, urls):
    found = (await told.get(f"{AT}/pages", params={"text": text})).json()["pages"]

    assert [page["url"] for page in found] == urls


@pytest.mark.parametrize(
    ("what", "format", "type", "lines", "part"),
    [
        ("pages", "csv", "text/csv; charset=utf-8", 7, SITE),
        ("pages", "jsonl", "application/jsonl", 6, SITE),
        ("items", "csv", "text/csv; charset=utf-8", 7, "author"),
        ("items", "jsonl", "application/jsonl", 6, "author"),
        ("failures", "csv", "text/csv; charset=utf-8", 3, "http_error"),
    ],
)
async def test_all_of_a_list_can_be_had_as_one_file(told, what, format, type, lines, part):
    answer = await told.get(f"{AT}/download/{what}", params={"format": format})

    assert (answer.status_code, answer.headers["content-type"]) == (200, type)
    assert answer.headers["content-disposition"].endswith(f'-{what}.{format}"')
    assert len(answer.text.splitlines()) == lines
    assert part in answer.text
    assert (await told.get(f"{AT}/download/{what}", params={"format": "parquet"})).status_code == 422
    assert (await told.get(f"/crawls/none/download/{what}")).status_code == 404


async def test_items_come_with_the_page_that_they_are_of(told):
    items = await walked(told, f"{AT}/items", "items", limit=1)
    books = await walked(told, f"{AT}/items", "items", type="book")

    assert [(item["data"]["n"], item["type"]) for item in items] == [
        (number, type) for number in (2, 1, 0) for type in ("book", "author")
    ]
    assert [(item["url"], item["spider_version"]) for item in books] == [(f"{SITE}/{n}", "1") for n in (2, 1, 0)]


async def test_failures_are_pages_that_failed_and_pages_that_could_not_be_read(told):
    failures = await walked(told, f"{AT}/failures", "failures", limit=1)

    assert [(each["reason"], each["status"]) for each in failures] == [("extractor_failed", 200), ("http_error", 404)]
    assert [each["url"] for each in await walked(told, f"{AT}/failures", "failures", reason="http_error")] == [
        f"{SITE}/3"
    ]
    assert await walked(told, f"{AT}/failures", "failures", host="http://none.test") == []


async def test_hosts_come_by_name_with_what_is_known_of_them_now(told, bus):
    await bus.redis.hset(bus.keys.host(SITE), mapping={"in_flight": 1, "next_at": 9_999_999_999_999})

    hosts = await walked(told, "/hosts", "hosts", limit=1)

    assert [host["host"] for host in hosts] == ["http://other.test", SITE]
    assert (hosts[1]["requests"], hosts[1]["errors"], hosts[1]["robots_verdict"]) == (5, 1, "allow")
    assert (hosts[1]["in_flight"], hosts[1]["next_at"]) == (1, 9_999_999_999_999)
    assert (hosts[0]["in_flight"], hosts[0]["next_at"]) == (0, None)


async def test_crawls_come_newest_first_and_by_state(told, settings):
    engine = open_database(settings)
    for number in range(3):
        crawl = f"c{number}"
        messages = [builders.crawl_started(crawl=crawl, time=at(10 + number), name=crawl)]
        messages += [builders.life(CrawlPaused, 2, crawl=crawl)] if number == 1 else []
        messages += [builders.life(CrawlCancelled, 2, crawl=crawl)] if number == 2 else []
        await asyncio.to_thread(write, engine, settings.folder / "archive", *messages)
    engine.dispose()

    assert [crawl["id"] for crawl in await walked(told, "/crawls", "crawls", limit=2)] == ["c2", "c1", "c0", CRAWL]
    assert [crawl["id"] for crawl in await walked(told, "/crawls", "crawls", state="paused")] == ["c1"]
    assert [crawl["id"] for crawl in await walked(told, "/crawls", "crawls", state="running", limit=1)] == ["c0", CRAWL]


async def test_a_crawl_that_the_frontier_does_not_know_has_the_counts_of_sql(told):
    crawl = (await told.get(AT)).json()

    counts = crawl["counts"]
    assert (crawl["state"], crawl["complete"]) == ("running", False)
    assert (counts["discovered"], counts["fetched"], counts["failed"], counts["excluded"]) == (6, 4, 1, 1)
    assert (counts["parsed"], counts["items"], counts["queued"]) == (4, 6, 0)


@pytest.mark.parametrize(
    "query",
    [
        {"cursor": "nonsense"},
        {"cursor": "é"},
        {"cursor": "WyJhIl0"},
        {"cursor": "WyJcdTAwMDAiLCJBQUFBIl0"},
        {"cursor": ""},
        {"limit": 0},
        {"limit": 1_001},
        {"limit": "many"},
        {"outcome": "unknown"},
        {"status": 10**30},
    ],
)
@pytest.mark.parametrize("path", [f"{AT}/pages"])
async def test_what_is_no_query_is_a_problem_that_names_its_field(told, path, query):
    answer = await told.get(path, params=query)

    assert (answer.status_code, answer.json()["field"]) == (422, next(iter(query)))


async def test_a_cursor_of_another_list_is_refused(told):
    cursor = (await told.get("/hosts?limit=1")).json()["next"]

    for path in ("/crawls", f"{AT}/pages", f"{AT}/items"):
        assert (await told.get(path, params={"cursor": cursor})).status_code == 422


async def test_the_story_of_a_url_is_told_in_facts_and_words(told):
    story = (await told.get("/explain", params={"url": f"{SITE}/2#top"})).json()

    assert (story["url"], story["crawl"], story["name"]) == (f"{SITE}/2", CRAWL, "site")
    assert {step["what"] for step in story["steps"]} == {"robots", "issued", "fetched", "parsed"}
    [fetched] = [step for step in story["steps"] if step["what"] == "fetched"]
    assert fetched["status"] == 200
    assert fetched["words"].startswith("fetched: 200 text/html, 1,000 bytes")


@pytest.mark.parametrize(
    ("query", "status", "words"),
    [
        ({"url": f"{SITE}/never"}, 404, "it is no seed"),
        ({"url": "https://site.test/2"}, 404, f"did you mean {SITE}/2?"),
        ({"url": f"{SITE}/2", "crawl": "none"}, 404, "no crawl 'none'"),
        ({"url": f"{SITE}/2", "crawl": "\0"}, 404, "no crawl"),
        ({"url": "nothing"}, 422, "is not a URL"),
        ({}, 422, "url"),
    ],
)
async def test_where_nothing_is_known_of_a_url_it_is_said_why(told, query, status, words):
    answer = await told.get("/explain", params=query)

    assert answer.status_code == status, answer.text
    assert words in answer.json()["detail"]


async def test_before_anything_was_crawled_all_lists_are_empty(api):
    assert (await api.get("/crawls")).json() == {"crawls": [], "next": None}
    assert (await api.get("/hosts")).json() == {"hosts": [], "next": None}
    assert (await api.get("/spiders")).json() == {"spiders": []}
    assert (await api.get("/explain", params={"url": SITE})).status_code == 404


async def test_a_crawls_name_stands_wherever_its_id_may_and_means_the_newest_of_that_name(told, settings):
    engine = open_database(settings)
    older = "20261122-120000-aaaaaa"
    message = builders.crawl_started(f"{SITE}/0", crawl=older, time="2026-11-22T12:00:00.000Z")
    await asyncio.to_thread(write, engine, settings.folder / "archive", message)
    engine.dispose()
    by_id, by_name = await told.get(AT), await told.get(f"/crawls/{(await told.get(AT)).json()['name']}")

    assert by_name.json() == by_id.json()
    assert (await told.get("/crawls/nobody")).status_code == 404
