"""What a person can get wrong is one clear line that says what to do, the right status, and nothing left running."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from contract.errors import Refused
from penstock.cli.every import app
from penstock.seeds import seed_urls
from tests.system.commands import penstock


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["crawl", "not a url"], "is not a URL"),
        (["crawl", "books.toscrape.com"], "did you mean https://books.toscrape.com/"),
        (["crawl", "example.com:8912/x"], "did you mean https://example.com:8912/x?"),
        (["crawl", "localhost:8912"], "did you mean http://localhost:8912/?"),
        (["crawl", "127.0.0.1:8912"], "did you mean http://127.0.0.1:8912/?"),
        (["crawl", "mailto:me@example.com"], "only http and https"),
        (["crawl", "http://127.0.0.1/", "--allow-private", "--data", __file__], "it is a file, not a folder"),
        (["crawls", "--data", __file__], "is a file, not a folder"),
        (["crawl", "http://127.0.0.1/", "--workers", "5000"], "--workers must be at most 1,000, not 5000"),
        (["crawl", "ftp://example.com/"], "only http and https"),
        (["crawl", "http://no-such-host.invalid/"], "does not resolve"),
        (["crawl", "http://127.0.0.1:1/"], "--allow-private"),
        (["crawl", "http://[::1/"], "is not a URL"),
        (["crawl"], "nothing to crawl"),
        (["crawl", "http://127.0.0.1/", "--allow-private", "--delay", "-1"], "delay"),
        (["crawl", "http://127.0.0.1/", "--allow-private", "--delay", "nan"], "delay"),
        (["crawl", "http://127.0.0.1/", "--allow-private", "--per-host", "0"], "per-host"),
        (["crawl", "http://127.0.0.1/", "--allow-private", "--allow", "("], "regular expression"),
        (
            ["crawl", "http://127.0.0.1/", "--allow-private", "--allow", "^/a"],
            "the allow pattern '^/a' can match no URL",
        ),
        (["crawl", "http://127.0.0.1/", "--allow-private", "--spider", "none.py"], "none.py"),
        (["crawl", "http://127.0.0.1/", "--allow-private", "-a", "part=1"], "-a NAME=VALUE is for a spider"),
        (["crawl", "http://127.0.0.1/", "--allow-private", "-a", "part"], "-a takes NAME=VALUE"),
        (["crawl", "http://127.0.0.1/", "--allow-private", "--seeds-file", "none.txt"], "none.txt"),
        (["crawl", "http://127.0.0.1/", "--allow-private", "--data", "/dev/null/x"], "--data"),
        (["export", "pages", "--crawl", "none"], "no crawl 'none'"),
        (["watch", "none"], "no crawl 'none'"),
        (["scheduler"], "PENSTOCK_REDIS_URL"),
        (["site", "--hosts", "0"], "hosts must be"),
    ],
)
async def test_bad_words_are_one_line_and_status_2(tmp_path: Path, words: list[str], says: str) -> None:
    if "--data" not in words and words[0] not in ("scheduler", "site"):
        words = [*words, "--data", str(tmp_path / "data")]
    done = await penstock(*words)
    assert done.status == 2, done
    assert says in done.err, done
    assert "Traceback" not in done.err


async def test_a_broken_line_of_a_seeds_file_is_named(tmp_path: Path) -> None:
    seeds = tmp_path / "seeds.txt"
    seeds.write_text("\ufeff# mine\r\nhttp://127.0.0.1/\r\n\r\nhttp//typo\r\n", "utf-8")
    done = await penstock("crawl", "--seeds-file", str(seeds), "--allow-private", "--data", str(tmp_path / "data"))
    assert (done.status, "seeds.txt:4" in done.err) == (2, True), done


def test_a_broken_line_of_standard_input_is_named(tmp_path: Path) -> None:
    words = ["crawl", "--seeds-file", "-", "--data", str(tmp_path / "data")]
    with pytest.raises(Refused, match=r"^standard input:4: 'http//typo' is not a URL"):
        CliRunner().invoke(app, words, input="\ufeff# mine\nhttp://a.test/\r\n\nhttp//typo\n", catch_exceptions=False)


def test_a_password_in_a_seed_is_said_to_be_left_out_and_not_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "seeds").write_text("http://u:sesame@a.test/\nHTTP:\\\\u:sesame@b.test/\nhttp://c.test/@d\n")

    found = seed_urls([], file=str(tmp_path / "seeds"))

    assert found == ["http://a.test/", "http://b.test/", "http://c.test/@d"]
    said = "penstock: user names and passwords in URLs are not sent: http://a.test/ and 1 more\n"
    assert capsys.readouterr().err == said


async def test_a_spider_with_a_syntax_error_is_named_with_its_line(tmp_path: Path) -> None:
    spider = tmp_path / "broken.py"
    spider.write_text("from scraper import Spider\nspider = Spider('x'\n")
    done = await penstock("crawl", "--spider", str(spider), "--data", str(tmp_path / "data"))
    assert done.status == 2, done
    assert "broken.py" in done.err
    assert "line 2" in done.err or ":2" in done.err
    assert not (tmp_path / "data" / "cluster.json").exists()


@pytest.mark.parametrize("name", ["PENSTOCK_DELAI", "PENSTOCK_CONCURRENCY"])
async def test_an_unknown_or_wrong_setting_is_named(tmp_path: Path, name: str) -> None:
    done = await penstock("crawls", "--data", str(tmp_path), **{name: "many"})
    assert done.status == 2, done
    assert name.removeprefix("PENSTOCK_").lower() in done.err.lower()


async def test_a_server_that_is_not_there_is_named_and_its_password_is_not(tmp_path: Path) -> None:
    url = "redis://:sesame@127.0.0.1:1/0"
    done = await penstock("crawl", "http://127.0.0.1/", "--data", str(tmp_path), PENSTOCK_REDIS_URL=url)
    assert done.status == 2, done
    assert "no Redis at" in done.err
    assert "sesame" not in done.err


@pytest.mark.soak
async def test_a_port_nobody_listens_on_ends_with_1_and_says_why(tmp_path: Path) -> None:
    done = await penstock("crawl", "http://127.0.0.1:1/", "--allow-private", "--data", str(tmp_path), "--json")
    assert done.status == 1, done
    assert "connect_refused" in done.err
    assert done.json["failed"] == 1
