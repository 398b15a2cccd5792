"""The pool of parser processes against pages that end their reader; no page takes a neighbour with it."""

import asyncio
import os
import resource
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from scraper.inspect_page import parse_once
from scraper.parsers.children import Children, NoParser
from tests.scraper.pages import job_of, stored_page

GOOD = "<title>good</title>"
#: 100 KB that take half a minute and gigabytes: every `x` opens all the elements before it anew.
FORMATTING = "".join(f"<{tag} i{i}>" for tag in "bi" for i in range(4000)) + "x</b>" * 4000

#: A spider whose functions do what hostile pages make native code do.
HOSTILE = """
import os, re, signal, time
from scraper import Spider
spider = Spider("hostile")

@spider.page("/**")
def any_page(page):
    word = page.title
    if word == "segfault":
        os.kill(os.getpid(), signal.SIGSEGV)
    elif word == "sleep":
        time.sleep(60)
    elif word == "exit":
        os._exit(3)
    elif word == "spin":
        re.match("(a+)+$", "a" * 60 + "b")
    elif word == "memory":
        bytearray(2 * 1024**3)
    elif word == "talk":
        print("hello" * 1000)
        os.write(1, b"\\\\xff" * 100)
    elif word == "grow":
        spider.kept = bytearray(os.urandom(1)) * (300 * 1024**2)
    elif word == "pid":
        yield {"pid": os.getpid(), "cwd": os.getcwd(), "input": os.read(0, 1).decode()}
"""


@pytest.fixture
def hostile(tmp_path: Path) -> str:
    file = tmp_path / "hostile.py"
    file.write_text(HOSTILE)
    return str(file)


@pytest.fixture
async def children() -> AsyncIterator[Children]:
    async with Children(1, page_seconds=3, cpu_seconds=1) as made:
        yield made


def says(word: str, spider: str):
    return job_of(f"<title>{word}</title><a href='/next'>", spider=spider)


async def read(children: Children, *jobs):
    return await asyncio.gather(*(children.submit(job) for job in jobs))


async def test_results_come_in_the_order_in_which_pages_were_given(children):
    results = await read(children, *(job_of(f"<title>{i}</title>") for i in range(20)))

    assert [result.title for result in results] == [str(i) for i in range(20)]


async def test_a_page_that_ends_its_parser_is_blamed_after_a_second_try_and_no_other_is(children, hostile):
    pages = [says(word, hostile) for word in ("one", "segfault", "two", "exit", "three")]

    one, bad, two, left, three = await read(children, *pages)

    assert (bad.error, left.error) == ("parser_crashed", "parser_crashed")
    assert "SIGSEGV" in bad.detail
    assert "exit status 3" in left.detail
    assert [(good.title, good.error) for good in (one, two, three)] == [("one", None), ("two", None), ("three", None)]


async def test_a_page_over_its_wall_clock_time_ends_as_a_timeout(hostile):
    async with Children(1, page_seconds=0.5) as children:
        good, slow, after = await read(children, *(says(word, hostile) for word in ("a", "sleep", "b")))

    assert (good.error, slow.error, after.error) == (None, "parse_timeout", None)


async def test_a_regular_expression_without_an_end_is_stopped_by_the_kernel(children, hostile):
    bad, good = await read(children, says("spin", hostile), says("good", hostile))

    assert (bad.error, good.error) == ("parse_timeout", None)


async def test_a_page_that_wants_too_much_memory_ends_as_that(children, hostile):
    bad, good = await read(children, says("memory", hostile), says("good", hostile))

    assert (bad.error, good.error) == ("parse_memory", None)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(FORMATTING, id="formatting elements"),
        pytest.param("<div>" * 200_000, id="nested divs"),
        pytest.param("<a " + " ".join(f"a{i}" for i in range(100_000)) + ">", id="attributes"),
    ],
)
async def test_markup_that_blows_up_the_parser_is_an_outcome(children, body):
    bad, good = await read(children, job_of(body), job_of(GOOD))

    assert bad.error in ("parse_timeout", "parse_memory")
    assert (good.title, good.error) == ("good", None)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss < 1_000_000


async def test_a_parser_that_somebody_kills_costs_no_page(children, hostile):
    [first] = await read(children, says("pid", hostile))
    future = children.submit(says("sleep-not", hostile))
    os.kill(first.decoded_items()[0].data["pid"], signal.SIGKILL)

    results = [await future, *await read(children, says("good", hostile))]

    assert [result.error for result in results] == [None, None]


async def test_what_a_spider_prints_does_not_reach_the_supervisor(children, hostile):
    talked, good = await read(children, says("talk", hostile), says("good", hostile))

    assert (talked.error, good.error) == (None, None)


async def test_a_spider_works_in_the_users_folder_and_has_no_input(children, hostile):
    [result] = await read(children, says("pid", hostile))

    [item] = result.decoded_items()
    assert item.data["cwd"] == os.getcwd()
    assert item.data["input"] == ""


async def test_a_parser_that_has_grown_is_replaced_between_two_pages(children, hostile):
    before, grown, after = [(await read(children, says(word, hostile)))[0] for word in ("pid", "grow", "pid")]

    assert grown.error is None
    assert before.decoded_items()[0].data["pid"] != after.decoded_items()[0].data["pid"]


async def test_two_children_work_side_by_side(hostile):
    async with Children(2, page_seconds=1) as children:
        results = await read(children, says("sleep", hostile), *(says("good", hostile) for _ in range(5)))

    assert [result.error for result in results] == ["parse_timeout", *[None] * 5]


async def test_no_child_outlives_the_pool(children, hostile):
    async with Children(2) as short:
        [result] = await read(short, says("pid", hostile))
        sleeping = short.submit(says("sleep", hostile))

    with pytest.raises(ProcessLookupError):
        os.kill(result.decoded_items()[0].data["pid"], 0)
    assert not sleeping.done()


async def test_children_that_cannot_start_are_an_error_of_the_installation(tmp_path, monkeypatch):
    (tmp_path / "sitecustomize.py").write_text("import os; os._exit(7)")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))

    async with Children(1) as children:
        with pytest.raises(NoParser, match="exit status 7"):
            await children.submit(job_of(GOOD))


async def test_a_pool_says_what_it_is_doing(children):
    await read(children, job_of(GOOD))

    assert repr(children) == "<Children: 1 of 1 alive, 0 at work, 0 pages wait>"


async def test_a_single_page_can_be_read_outside_of_a_crawl():
    result = await parse_once(stored_page("<title>T</title><p>text<a href=/x>"))

    assert (result.title, result.links) == ("T", ("http://site.test/x",))
    assert result.decoded_items()[0].data["text"] == "text"
