"""Finding the spider that a crawl names; whatever is wrong is one line."""

from pathlib import Path

import pytest

from contract.errors import Refused
from scraper.html.generic import Generic
from scraper.parsers.frames import Job
from scraper.parsers.reading import Reader
from scraper.spiders import load, load_spider
from tests.scraper.pages import record_of

SPIDER = "from scraper import Spider\nspider = Spider('found')\n"


def written(folder: Path, text: str, name: str = "mine.py") -> str:
    (folder / name).write_text(text)
    return str(folder / name)


def test_without_a_reference_it_is_the_generic_extractor():
    assert isinstance(load(None), Generic)


def test_a_file_with_one_spider_needs_no_attribute(tmp_path):
    assert load_spider(written(tmp_path, SPIDER)).name == "found"


def test_a_relative_file_is_looked_for_in_the_working_folder(tmp_path, monkeypatch):
    written(tmp_path, SPIDER)
    monkeypatch.chdir(tmp_path)

    assert load("mine.py").name == "found"
    assert load("./mine.py:spider").name == "found"


def test_one_of_several_is_named_by_its_attribute(tmp_path):
    file = written(tmp_path, SPIDER + "other = Spider('other')\n")

    assert load_spider(f"{file}:other").name == "other"
    with pytest.raises(Refused, match=r"several spiders in .*mine.py:spider, .*mine.py:other"):
        load_spider(file)


def test_two_names_of_one_spider_are_one(tmp_path):
    assert load_spider(written(tmp_path, SPIDER + "alias = spider\n")).name == "found"


def test_a_module_in_the_working_folder_is_found(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(tmp_path))
    written(tmp_path, SPIDER, "spider_module_of_a_test.py")

    assert load_spider("spider_module_of_a_test:spider").name == "found"
    assert load_spider("spider_module_of_a_test").name == "found"


def test_a_spider_may_import_its_neighbours(tmp_path):
    written(tmp_path, "NAME = 'from a neighbour'\n", "neighbour_of_a_test.py")
    file = written(tmp_path, "from neighbour_of_a_test import NAME\nfrom scraper import Spider\ns = Spider(NAME)\n")

    assert load_spider(file).name == "from a neighbour"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("def broken(:\n", r"cannot load .*mine.py: SyntaxError: .* \(mine.py:1\)"),
        ("x = 1\n\nx()\n", r"cannot load .*mine.py: TypeError: 'int' object is not callable \(mine.py:3\)"),
        ("import no_such_library\n", r"ModuleNotFoundError: No module named 'no_such_library' \(mine.py:1\)"),
        ("x = 1\n", "no Spider in"),
        ("", "no Spider in"),
        (
            "from scraper import Spider\ns = Spider('s')\n@s.page('no-slash')\ndef f(p): ...\n",
            "not a pattern for pages",
        ),
    ],
)
def test_a_file_that_is_no_spider_is_one_clear_line(tmp_path, text, message):
    with pytest.raises(Refused, match=message) as caught:
        load_spider(written(tmp_path, text))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ("no/such/file.py", "no such spider file: no/such/file.py"),
        ("no_such_module_at_all:spider", "no module named 'no_such_module_at_all'"),
        ("json:spider", "no such spider: json has no spider$"),
        ("json:loads", "names no Spider: loads is function"),
        ("a b", "not a spider: 'a b'; name it as FILE.py or module:attribute"),
        ("", "not a spider"),
    ],
)
def test_a_reference_that_leads_nowhere_is_one_clear_line(reference, message):
    with pytest.raises(Refused, match=message) as caught:
        load_spider(reference)
    assert "\n" not in str(caught.value)


ASKING = """
from penstock import Page, Spider
spider = Spider("asking")
spider.seeds = (f"http://site.test/{spider.args.get('part', 'all')}",)

@spider.page("/**")
def page(page: Page):
    yield {"part": spider.args.get("part")}
"""


def test_arguments_are_there_while_the_file_is_read_and_when_a_page_is(tmp_path):
    file = written(tmp_path, ASKING)
    asked, plain = load_spider(file, {"part": "books"}), load_spider(file)

    assert (asked.seeds, plain.seeds) == (("http://site.test/books",), ("http://site.test/all",))
    assert (asked.args, plain.args) == ({"part": "books"}, {})


def test_a_parser_that_reads_for_two_crawls_of_one_spider_tells_their_arguments_apart(tmp_path):
    file, reader, raw = written(tmp_path, ASKING), Reader(), record_of("<p>text</p>")
    jobs = [Job("http://site.test/", raw, spider=file, args={"part": part}) for part in ("a", "b", "a")]

    assert [reader.read(job).items for job in jobs] == [
        b'[{"type":"page","data":{"part":"%b"}}]' % part for part in (b"a", b"b", b"a")
    ]
