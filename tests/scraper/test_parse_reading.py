"""Reading one page: whatever a page or a spider does, there is a result that can be sent on."""

import json
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scraper.items import MAX_ITEMS_BYTES
from scraper.parsers.frames import MAX_FRAME_BYTES, BrokenFrame, Inbox, Job, Result, frame, jobs, results
from scraper.parsers.reading import MAX_TITLE_CHARS, Reader
from tests.scraper.pages import job_of

BODY = "<title>T</title><a href='/next'>n</a>"


@pytest.fixture
def spider(tmp_path: Path):
    """Writes a spider with one function of this body; gives its reference."""

    def write(body: str, options: str = "") -> str:
        lines = "\n    ".join(body.splitlines())
        text = f"import datetime, decimal, uuid\nfrom scraper import Spider\nspider = Spider('mine'{options})\n"
        (tmp_path / "mine.py").write_text(f"{text}@spider.page('/**')\ndef thing(page):\n    {lines}\n")
        return str(tmp_path / "mine.py")

    return write


def read(body: str | bytes = BODY, **job) -> Result:
    result = Reader().read(job_of(body, **job))
    assert results.decode(frame(result)[4:]) == result
    return result


def test_a_spiders_items_carry_its_name_and_version(spider):
    result = read(spider=spider("yield {'title': page.title}\nyield {'n': 1}", ", version='7'"))

    assert [(item.type, item.data) for item in result.decoded_items()] == [
        ("thing", {"title": "T"}),
        ("thing", {"n": 1}),
    ]
    assert (result.spider, result.spider_version, result.error) == ("mine", "7", None)
    assert (result.title, result.links) == ("T", ("http://site.test/next",))


def test_followed_pages_come_after_the_links(spider):
    result = read(spider=spider("yield page.follow('/more', '/next', 'javascript:x')"))

    assert result.links == ("http://site.test/next", "http://site.test/more")
    assert result.links_found == 2


def test_links_that_nobody_asks_for_are_not_looked_for_but_the_extractor_may(spider):
    job = job_of(BODY, spider=spider("yield {'links': page.links()}\npage.follow('/more')"))

    result = Reader().read(msgspec.structs.replace(job, links=False))

    assert (result.links, result.links_found) == ((), 0)
    assert [item.data for item in result.decoded_items()] == [{"links": ["http://site.test/next"]}]


def test_a_spider_that_does_not_follow_hands_on_only_what_it_asks_for(spider):
    result = read(spider=spider("page.follow('/more')", ", follow=False"))

    assert result.links == ("http://site.test/more",)


def test_followed_pages_count_against_the_limit(spider):
    result = read(spider=spider("page.follow('/1', '/2', '/3')"), max_links=2)

    assert (len(result.links), result.links_found, result.links_left_out) == (2, 4, 2)


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        ("x = page.text('h9').strip()", "AttributeError: 'NoneType' object has no attribute 'strip' (mine.py:6)"),
        ("yield {'ok': 1}\nraise ValueError('two\\nlines')", "ValueError: two lines (mine.py:7)"),
        ("page.text('a[')", "BadSelector: not a CSS selector: 'a[' (mine.py:6)"),
        ("return 'text'", "TypeError: thing gave a str; it may give dicts and page.follow(...)"),
        ("yield {'ok': 1, 'node': page.css('a')[0]}", "NotJson: thing: field 'node' cannot be written as JSON"),
        ("yield {'f': lambda: 1}", "NotJson: thing: field 'f' cannot be written as JSON"),
        ("yield {('a', 'b'): 1}", "NotJson: thing: an item cannot be written as JSON"),
        ("x = {}\nx['x'] = x\nyield x", "NotJson: thing: field 'x' cannot be written as JSON"),
        ("yield {'big': 'x' * 9_000_000}", "NotJson: the items of one page are more than"),
        ("def f(): return f()\nf()", "RecursionError: maximum recursion depth exceeded"),
        ("import sys\nsys.exit(3)", "SystemExit: 3 (mine.py:7)"),
    ],
)
def test_an_error_in_a_spider_is_one_line_and_the_links_are_kept(spider, body, detail):
    result = read(spider=spider(body))

    assert result.error == "extractor_failed"
    assert result.detail == detail if "(mine.py" in detail else result.detail.startswith(detail)
    assert "\n" not in result.detail
    assert (result.links, result.items, result.title) == (("http://site.test/next",), b"[]", "T")


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("datetime.date(2026, 11, 23)", "2026-11-23"),
        ("datetime.datetime(2026, 11, 23, 12, tzinfo=datetime.UTC)", "2026-11-23T12:00:00Z"),
        ("{1}", [1]),
        ("(1, 'a', None)", [1, "a", None]),
        ("decimal.Decimal('1.50')", "1.50"),
        ("uuid.UUID(int=1)", "00000000-0000-0000-0000-000000000001"),
        ("'a\\x00b\\ud83d'", "a\ufffdb\ufffd"),
        ("'a\\x00b'", "a\ufffdb"),
        ("'\\\\u0000'", "\\u0000"),
        ("10**30", 10**30),
    ],
)
def test_values_become_json_where_there_is_a_plain_way(spider, value, written):
    result = read(spider=spider(f"yield {{'value': {value}}}"))

    assert result.error is None, result.detail
    assert json.loads(result.items) == [{"type": "thing", "data": {"value": written}}]


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ("b'bytes'", "there is a bytes in it; make it text, a number, a list or a dict"),
        ("[{'deep': bytearray(1)}]", "there is a bytearray in it; make it text, a number, a list or a dict"),
        ("float('nan')", "there is nan in it, which is no number of JSON; give None where there is none"),
        ("(0.5, -float('inf'))", "there is -inf in it, which is no number of JSON; give None where there is none"),
        ("{0: 2}", "there is the key 0 in it; make keys text"),
        ("[float('nan'), 'a\\ud83d']", "there is nan in it, which is no number of JSON; give None where there is none"),
    ],
)
def test_values_that_json_would_bend_are_refused_by_field(spider, value, why):
    result = read(spider=spider(f"yield {{'value': {value}}}"))

    assert (result.error, result.items) == ("extractor_failed", b"[]")
    assert f"thing: field 'value' cannot be written as JSON: {why} (mine.py:" in result.detail


def test_a_key_that_is_no_text_is_refused_in_the_item_itself(spider):
    assert "an item cannot be written as JSON: there is the key 1 in it" in read(spider=spider("yield {1: 2}")).detail


def test_a_spider_that_is_not_here_costs_no_links():
    result = read(spider="no/such/spider.py")

    assert (result.error, result.detail) == ("spider_unusable", "no such spider file: no/such/spider.py")
    assert (result.title, result.links) == ("T", ("http://site.test/next",))


def test_a_spider_is_loaded_once(spider, tmp_path):
    reader, file = Reader(), spider("yield {'n': 1}")
    reader.read(job_of(BODY, spider=file))
    (tmp_path / "mine.py").unlink()

    assert reader.read(job_of(BODY, spider=file)).error is None


def test_a_damaged_record_is_an_outcome():
    assert Reader().read(Job("http://a.test/", b"no gzip")).error == "body_damaged"


def test_a_title_is_one_line_of_bounded_length():
    result = read(f"<title>\n a\t\x1b]0;x\x07 {'long ' * 1000}")

    assert result.title
    assert result.title.startswith("a \x1b]0;x\x07 long long")
    assert len(result.title) == MAX_TITLE_CHARS


@pytest.mark.parametrize("content_type", ["text/plain", "application/json", "image/png", "application/pdf"])
def test_what_is_no_html_has_neither_links_nor_items(content_type):
    result = read("<title>x</title><a href=/x>", content_type=content_type)

    assert (result.title, result.links, result.items, result.error) == (None, (), b"[]", None)


def test_items_have_room_in_a_frame():
    assert MAX_ITEMS_BYTES * 2 < MAX_FRAME_BYTES


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(
    st.text(alphabet="<>abp/=\"' !-\0&;x\x01é😀", max_size=200),
    st.sampled_from(["", "text/html", "text/html; charset=gbk"]),
)
def test_any_body_gives_a_result_that_can_be_sent(body, content_type):
    result = read(body, content_type=content_type)

    assert result.error is None
    msgspec.json.decode(result.items)


# -- frames


@given(st.lists(st.binary(max_size=20)), st.integers(1, 7))
def test_frames_come_out_as_they_went_in_however_the_bytes_are_cut(raws, step):
    data = b"".join(frame(Job("u", raw)) for raw in raws)
    inbox = Inbox()
    found = [body for i in range(0, len(data), step) for body in inbox.feed(data[i : i + step])]

    assert [jobs.decode(body).raw for body in found] == raws


def test_a_frame_of_absurd_length_is_refused():
    with pytest.raises(BrokenFrame):
        list(Inbox().feed(b"\xff\xff\xff\xff"))
