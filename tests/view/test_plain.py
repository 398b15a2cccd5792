"""Where nobody can draw: plain lines for logs and pipes, or nothing."""

import io
import time

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


ROBOTS = {"host": "http://a.test", "until_ms": 12_000, "reason": "robots", "why": "http_503", "queued": 0}
RATE = {"host": "http://b.test", "until_ms": 601_000, "reason": "rate_limit", "why": "http_429", "queued": 1_204}


def clock(ms):
    return time.strftime("%H:%M:%S", time.localtime(ms / 1000))


@pytest.mark.parametrize(
    ("limited", "number", "said"),
    [
        ([], 0, "pages/s"),
        ([ROBOTS], 1, f"; 1 host waits for robots.txt: http://a.test (http_503, until {clock(12_000)}, in 11.0 s)"),
        ([ROBOTS], 3, f"; 3 hosts wait for robots.txt: http://a.test (http_503, until {clock(12_000)}, in 11.0 s)"),
        (
            [RATE],
            1,
            f"; 1 host is rate limited: http://b.test (http_429, until {clock(601_000)}, in 10 min, 1,204 URLs queued)",
        ),
        (
            [{**RATE, "until_ms": 900, "queued": 1}, ROBOTS],
            7,
            "; 1 host is rate limited: http://b.test (http_429, asked again now, 1 URL queued); 6 more wait",
        ),
    ],
)
def test_a_line_says_of_which_hosts_nothing_is_asked_and_until_when(limited, number, said):
    assert line_of(made_state(limited=limited, limited_hosts=number, now_ms=1_000)).endswith(said)
