"""Who answers for a crawl: asked for once, at a terminal alone; told to sites in User-Agent and From."""

import os
import pty
import subprocess

import pytest

from contract.crawls import DEFAULT_USER_AGENT
from contract.errors import Refused
from contract.settings import Settings, load
from penstock.contact import ask_contact
from penstock.doctor.machine import contact
from penstock.plan import make_plan
from scraper.http.client import Client
from tests.scraper.raw_server import answer, raw_server
from tests.system.commands import COMMAND, environ, penstock

SEEDS = ["https://site.test/"]


@pytest.fixture
def person(tmp_path, monkeypatch):
    """Sit at a terminal in an empty folder, with nothing set; what is written to the terminal is typed."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("PENSTOCK_")]:
        monkeypatch.delenv(name)
    ours, theirs = pty.openpty()
    with open(theirs, closefd=False) as reads, open(theirs, "w", closefd=False) as writes:

        def types(line: str) -> None:
            monkeypatch.setattr("sys.stdin", reads)  # here, because pytest takes both between two phases of a test
            monkeypatch.setattr("sys.stderr", writes)
            os.write(ours, line.encode() + b"\n")

        yield types
        monkeypatch.undo()
    os.close(ours)
    os.close(theirs)


@pytest.mark.parametrize("said", ["ops@shop.test", ""])
def test_a_person_is_asked_once_and_the_answer_is_kept_before_the_other_settings(person, tmp_path, said):
    (tmp_path / "penstock.toml").write_text("workers = 3\n")
    person(said)

    assert ask_contact(load(), SEEDS) == said
    assert (load().contact, load().workers) == (said, 3)
    assert ask_contact(load(), SEEDS) == said  # which would wait for ever if it asked


def test_nobody_is_asked_who_is_set_or_crawls_this_machine_alone(person):
    person("not asked for")
    assert ask_contact(Settings(contact="a@b.test"), SEEDS) == "a@b.test"
    assert ask_contact(Settings(user_agent="Mine/1"), SEEDS) == ""
    assert ask_contact(Settings(), ["http://127.0.0.1:8/", "http://localhost/"]) == ""


def test_a_script_is_never_asked(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with open(os.devnull) as nothing:
        monkeypatch.setattr("sys.stdin", nothing)
        assert ask_contact(Settings(), SEEDS) == ""
    assert not (tmp_path / "penstock.toml").exists()


@pytest.mark.parametrize("bad", ["two words", "a\nb", "x", "(me)", "ü@a.test"])
def test_what_no_header_can_hold_is_refused_in_one_line(bad):
    with pytest.raises(Refused, match=r"^the contact must be a mail address or a URL[^\n]*$"):
        make_plan(Settings(contact=bad), SEEDS)


@pytest.mark.parametrize(
    ("given", "agent", "sender"),
    [
        ({"contact": "ops@shop.test"}, "Penstock/0.1 (+ops@shop.test)", b"From: ops@shop.test\r\n"),
        ({"contact": "https://shop.test/bot"}, "Penstock/0.1 (+https://shop.test/bot)", None),
        ({"contact": "ops@shop.test", "user_agent": "Mine/1"}, "Mine/1", None),
        ({}, DEFAULT_USER_AGENT, None),
    ],
)
async def test_sites_are_told_who_answers_for_the_crawl(given, agent, sender):
    spec = make_plan(Settings(**given), SEEDS).spec
    async with raw_server(answer()) as server, Client(Settings(allow_private=True)) as client:
        await client.get(server.url, user_agent=spec.user_agent)

    assert spec.user_agent == agent
    assert f"User-Agent: {agent}\r\n".encode() in server.requests[0]
    assert (sender in server.requests[0]) if sender else b"From:" not in server.requests[0]


def test_the_doctor_says_that_nobody_is_named():
    assert [contact(Settings(**given)).level for given in ({}, {"contact": "a@b.test"}, {"user_agent": "x"})] == [
        *("warn", "ok", "ok")
    ]


def test_a_person_whose_seeds_are_the_spiders_is_asked_too(tmp_path):
    """The host is none, so that nothing is crawled once the answer is there."""
    (tmp_path / "books.py").write_text("from scraper import Spider\nspider = Spider('b', ['https://site.invalid/'])\n")
    ours, theirs = pty.openpty()
    os.write(ours, b"ops@shop.test\n")
    words = [*COMMAND, "crawl", "--spider", "books.py", "--data", "data"]
    clean = {name: value for name, value in environ().items() if name != "PENSTOCK_CONTACT"}
    done = subprocess.run(words, stdin=theirs, stderr=theirs, stdout=subprocess.DEVNULL, cwd=tmp_path, env=clean)
    os.close(ours)
    os.close(theirs)

    assert done.returncode == 2
    assert 'contact = "ops@shop.test"' in (tmp_path / "penstock.toml").read_text()


async def test_a_page_is_inspected_in_somebodys_name():
    async with raw_server(answer(b"<title>Hello</title>", "Content-Type: text/html")) as server:
        done = await penstock("inspect", f"{server.url}/", "--allow-private", "--contact", "ops@shop.test")

    assert done.status == 0, done
    assert b"(+ops@shop.test)" in server.requests[-1]
