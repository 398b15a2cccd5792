"""What goes wrong in a spider names the author's line, in a test of the spider as in a crawl, and costs no link."""

import re

import pytest

from contract.errors import Refused
from scraper.page import Page
from scraper.parsers.reading import Reader
from scraper.spiders import load_spider
from tests.scraper.test_parse_reading import job_of

HEAD = """import dataclasses, json, pathlib
from scraper import Spider
spider = Spider("mine", follow=False)
@dataclasses.dataclass
class Book:
    title: str
@spider.page("/**")
def thing(page):
"""


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("json.loads('{')", r"JSONDecodeError: .* \(mine.py:9, in decoder.py:\d+\)"),
        ("yield {'n': 1}\n    yield pathlib.Path('x')", r"TypeError: thing gave a PosixPath; .* \(mine.py:10\)"),
        (
            "yield Book('x')",
            r"TypeError: thing gave a Book; .*: dataclasses.asdict\(...\) makes one of it \(mine.py:9\)",
        ),
        (
            "yield {'n': 1}\n    yield {'file': pathlib.Path('x')}",
            r"NotJson: thing: field 'file' cannot be written as JSON: there is a PosixPath in it; .* \(mine.py:10\)",
        ),
        ("return Book('x')", r"TypeError: thing gave a Book; .* \(mine.py:7\)"),
    ],
)
def test_an_error_names_the_authors_line_and_is_the_same_in_a_test(tmp_path, body, says):
    (tmp_path / "mine.py").write_text(f"{HEAD}    {body}\n")
    found = Reader().read(job_of("<p>x", spider=str(tmp_path / "mine.py")))

    assert found.error == "extractor_failed"
    assert re.fullmatch(says, found.detail), found.detail
    with pytest.raises((TypeError, ValueError, Refused)) as caught:
        list(load_spider(str(tmp_path / "mine.py")).extract(Page.from_text("<p>x")))
    assert found.detail.startswith(f"{caught.type.__name__}: {str(caught.value)[:40]}")


def test_a_decorator_without_parentheses_is_a_sentence(tmp_path):
    (tmp_path / "mine.py").write_text(HEAD.replace('@spider.page("/**")', "@spider.page") + "    yield {}\n")

    with pytest.raises(Refused, match=r"@spider.page above thing needs a pattern, such as @spider.page\('/thing/\*'\)"):
        load_spider(str(tmp_path / "mine.py"))


def test_a_function_runs_once_for_a_page_however_many_of_its_patterns_fit(tmp_path):
    (tmp_path / "mine.py").write_text(
        HEAD.replace('@spider.page("/**")', '@spider.page("/**")\n@spider.page("/*")') + "    yield {'n': 1}\n"
    )
    spider = load_spider(str(tmp_path / "mine.py"))

    assert list(spider.extract(Page.from_text("<p>x", url="http://a.test/x"))) == [("thing", {"n": 1})]
    assert spider.patterns == ("/**", "/*")


def test_what_was_asked_for_before_an_error_and_by_other_functions_stays_asked_for(tmp_path):
    other = '@spider.page("/**")\ndef other(page):\n    page.follow("/other")\n    yield {"n": 2}\n'
    for broken in ("raise ValueError", "yield {'f': pathlib.Path('x')}", "yield 7"):
        (tmp_path / "mine.py").write_text(f"{HEAD}    page.follow('/first')\n    {broken}\n{other}")
        found = Reader().read(job_of("<p>x", spider=str(tmp_path / "mine.py")))

        assert (found.error, found.items) == ("extractor_failed", b"[]")
        assert found.links == ("http://site.test/first", "http://site.test/other")
