"""Where nobody can draw: plain lines for logs and pipes, or nothing."""

import io

import pytest

from penstock.view.plain import NoView, PlainView, line_of
from penstock.watching import view_for
from tests.view.states import HOSTILE, made_state


@pytest.mark.parametrize("wanted", ["auto", "live", "plain"])
def test_without_a_terminal_there_are_plain_lines_whatever_was_asked_for(wanted, capsys):
    assert isinstance(view_for(wanted), PlainView)


def test_who_wants_nothing_sees_nothing(capsys):
    with view_for("none") as view:
        view.show(made_state(complete=True))

    assert isinstance(view, NoView)
    assert capsys.readouterr() == ("", "")


def test_lines_come_on_standard_error_now_and_then_and_at_the_end(capsys):
    with PlainView() as view:
        for number in range(5):
            view.show(made_state(fetched=number))
        view.show(made_state(fetched=9, complete=True))

    said = capsys.readouterr()
    assert said.out == ""
    assert [line.split(":")[1].split(",")[0] for line in said.err.splitlines()] == [" 0 fetched", " 9 fetched"]


@pytest.mark.parametrize("hostile", HOSTILE)
def test_a_state_is_one_line_whatever_the_crawl_is_called(hostile):
    line = line_of(made_state(name=hostile))

    assert io.StringIO(line).readlines() == [line]
    assert line.splitlines() == [line]
    assert "\x1b" not in line


WAITS = {"hosts": 3, "first": [{"host": "http://a.test", "for": "robots", "why": "http_503", "until": 12_000}]}


@pytest.mark.parametrize(
    ("waits", "said"),
    [
        (WAITS, "; 3 hosts wait for robots.txt: http://a.test (http_503, asked again in 11.0 s)"),
        ({**WAITS, "hosts": 1}, "; 1 host waits for robots.txt: http://a.test (http_503, asked again in 11.0 s)"),
        ({}, "pages/s"),
        ({"hosts": 1, "first": []}, "pages/s"),
    ],
)
def test_a_line_says_what_is_waited_for(waits, said):
    assert line_of(made_state(waits=waits, now_ms=1_000)).endswith(said)
