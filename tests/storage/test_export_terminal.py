"""Exports that a person has shown on a terminal: nothing in them moves its cursor, and files are as they were."""

import json
import os
import pty
import subprocess
import tty

import pytest

from contract.pages import Item
from tests import builders
from tests.storage.helpers import write
from tests.system.commands import COMMAND, environ

EVIL = "a\x1b[2J\u009b31m\u200eb\u061c\u202e\nc"
MOVING = {ord(character) for character in EVIL} - {ord(character) for character in "a[2J31mbc\n"}


@pytest.fixture
def data(sqlite_engine, tmp_path):
    """A data folder with one item, whose title is up to something."""
    items = (Item(type="book", data={"title": EVIL}),)
    started = builders.crawl_started()
    write(sqlite_engine, tmp_path / "archive", started, builders.page_fetched(), builders.page_parsed(items=items))
    return tmp_path


@pytest.mark.parametrize(
    "words",
    [
        *(("items", "--format", "csv"), ("items", "--flat", "--format", "csv")),
        *(("items",), ("items", "--flat"), ("events",), ("pages",)),
    ],
)
def test_control_and_direction_characters_are_spelled_out_on_a_terminal(data, words):
    shown, status = on_a_terminal("export", *words, "--data", str(data))

    assert status == 0, shown
    assert {ord(character) for character in shown} & MOVING == set()
    if words != ("pages",):
        assert "\\u200eb\\u061c\\u202e\\nc" in shown
    if "csv" not in words:
        assert all(json.loads(line) for line in shown.splitlines())


def test_in_a_file_and_a_pipe_they_are_as_they_were_recorded(data):
    said = ("--flat", "--format", "csv", "--data", str(data))
    piped = subprocess.run([*COMMAND, "export", "items", *said], env=environ(), capture_output=True, check=True).stdout

    assert EVIL in piped.decode()


def test_warc_is_not_thrown_at_a_terminal(data):
    shown, status = on_a_terminal("export", "warc", "--data", str(data))

    assert status == 2
    assert shown == "penstock: WARC is not for a terminal: give a file with -o, or send it on with |\n"


def on_a_terminal(*words: str) -> tuple[str, int]:
    """All that a command shows on a terminal, and its exit status."""
    leader, terminal = pty.openpty()
    tty.setraw(terminal)  # so that line ends stay what they are
    process = subprocess.Popen([*COMMAND, *words], env=environ(), stdin=terminal, stdout=terminal, stderr=terminal)
    os.close(terminal)
    shown = b""
    while chunk := _read(leader):
        shown += chunk
    os.close(leader)
    return shown.decode().replace("\r\n", "\n"), process.wait(20)


def _read(leader: int) -> bytes:
    try:
        return os.read(leader, 65_536)
    except OSError:  # how Linux says that nobody has the other end any more
        return b""
