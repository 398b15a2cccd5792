"""What a page is read in that declares nothing, and what is recorded of it."""

import pytest

from scraper.characters.choice import Encoding
from scraper.characters.detector import NoDetector, guessed
from scraper.page import Page
from scraper.parsers.reading import Reader
from tests.scraper.pages import job_of, page_of, stored_page

pytest.importorskip("chardetng_py", reason="there is no wheel of it for this Python")

RUSSIAN = "<title>Новости</title><p>Сегодня в городе открылась новая библиотека, в которой сто тысяч книг."
JAPANESE = "<title>お知らせ</title><p>本日、市内に新しい図書館が開館しました。蔵書は十万冊です。"


def detecting(body: bytes, *, url: str = "http://site.test/", content_type: str = "text/html") -> Page:
    return Page(stored_page(body, url=url, content_type=content_type), detect=True)


@pytest.mark.parametrize(
    ("text", "codec", "encoding"),
    [
        (RUSSIAN, "cp1251", "windows-1251"),
        # it does not tell the two KOI8 apart, and this one has more letters
        (RUSSIAN, "koi8-r", "koi8-u"),
        (JAPANESE, "euc_jp", "euc-jp"),
        (JAPANESE, "cp932", "shift_jis"),
        (JAPANESE, "iso2022_jp", "iso-2022-jp"),
    ],
)
def test_the_encoding_of_a_page_that_declares_none_is_guessed_where_that_is_asked_for(text, codec, encoding):
    page = detecting(text.encode(codec))

    assert page.encoding_found == Encoding(encoding, "detector")
    assert page.title == text[7:].partition("<")[0]


def test_without_being_asked_nothing_is_guessed():
    page = page_of(RUSSIAN.encode("cp1251"), content_type="text/html")

    assert page.encoding_found == Encoding("windows-1252", "nothing")


@pytest.mark.parametrize(
    ("body", "content_type", "found"),
    [
        (RUSSIAN.encode(), "text/html", Encoding("utf-8", "nothing")),
        (RUSSIAN.encode("cp1251"), "text/html; charset=koi8-r", Encoding("koi8-r", "header")),
        (b"<meta charset=koi8-r>" + RUSSIAN.encode("cp1251"), "text/html", Encoding("koi8-r", "document")),
        (RUSSIAN.encode("cp1251") + b"<meta charset=koi8-r>", "text/html", Encoding("koi8-r", "document")),
        (b"plain", "text/html", Encoding("utf-8", "nothing")),
        (b"\x1b$ is no escape of Japanese", "text/html", Encoding("utf-8", "nothing")),
    ],
)
def test_a_guess_comes_after_everything_that_says_something(body, content_type, found):
    assert detecting(body, content_type=content_type).encoding_found == found


def test_the_country_of_the_host_tells_between_two_that_fit():
    word = "naïve Größe".encode("cp1252")

    assert guessed(word, "http://site.de/") == "windows-1252"
    for url in ("http://[::1]/", "http://127.0.0.1:80/", "http://LOCALHOST./", "http://пример.рф/", "nonsense"):
        assert guessed(word, url)


def test_what_was_read_how_is_recorded():
    body = RUSSIAN.encode("cp1251")
    job = job_of(body, content_type="text/html")
    asked = type(job)(job.url, job.raw, detect_encoding=True)

    read = Reader().read(asked)
    assert (read.title, read.encoding, read.encoding_source) == ("Новости", "windows-1251", "detector")
    read = Reader().read(job)
    assert (read.encoding, read.encoding_source) == ("windows-1252", "nothing")
    read = Reader().read(job_of(b"\x89PNG\r\n", content_type="image/png"))
    assert (read.encoding, read.encoding_source) == ("", "")


def test_a_parser_without_the_library_says_so_of_each_page(monkeypatch):
    job = job_of(RUSSIAN.encode("cp1251"), content_type="text/html")

    def missing(*_, **__):
        raise NoDetector("it needs a library")

    monkeypatch.setattr("scraper.characters.detector.check_detector", missing)
    read = Reader().read(type(job)(job.url, job.raw, detect_encoding=True))

    assert (read.error, read.detail) == ("detector_missing", "it needs a library")
