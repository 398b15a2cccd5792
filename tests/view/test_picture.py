"""The live view's picture: it fits every terminal, shows what matters most, and lets no stranger draw on it."""

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from contract.topology import STAGES
from penstock.view.glyphs import ASCII, COLOURFUL, COLOURLESS
from penstock.view.layout import Look
from penstock.view.picture import REMAINS_LINES, picture, remains
from tests.view.states import HOSTILE, hostile_states, made_state

GLYPHS = st.sampled_from([COLOURFUL, COLOURLESS, ASCII])
SIZES = st.tuples(st.integers(1, 220), st.integers(1, 70))


def drawn(state, width, height, glyphs=COLOURFUL, **more):
    return [line.plain for line in picture(state, Look(width=width, height=height, glyphs=glyphs), **more)]


def whole(state, width, height, **more):
    return "\n".join(drawn(state, width, height, **more))


@settings(max_examples=150, deadline=None)
@given(state=hostile_states(), size=SIZES, glyphs=GLYPHS, note=st.sampled_from(HOSTILE))
def test_no_size_and_no_text_makes_it_larger_than_the_terminal_or_sends_a_control_character(state, size, glyphs, note):
    look = Look(width=size[0], height=size[1], glyphs=glyphs)

    for lines in (picture(state, look, notes=[note]), remains(state, look)):
        assert len(lines) <= look.height
        for line in lines:
            assert cell_len(line.plain) <= look.width
            assert {unicodedata.category(character) for character in line.plain}.isdisjoint(
                {"Cc", "Cf", "Cs", "Zl", "Zp"}
            )
            assert glyphs is not ASCII or line.plain.isascii()


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (60, 15), (40, 10), (200, 60), (20, 5), (3, 1)])
def test_every_terminal_sees_the_name_first(size):
    assert drawn(made_state(), *size)[0].strip().startswith("demo"[: size[0]])


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 60)])
def test_a_common_terminal_sees_everything(size):
    seen = whole(made_state(), *size)

    words = ["running", "1:05", "60.6 pages/s", "294 fetched", "1 failed", "2 excluded", "410 to come", "41%"]
    words += ["3 in flight", "6 retried", "278 items", "2.3 MB", "38 ms", "p95 1.3 s"]
    words += ["200", "429", "robots", "h0.test", "9.0", "Page 4", "timeout", "no answer"]
    assert [word for word in words if word not in seen] == []


def test_a_small_terminal_still_sees_the_counts_the_queues_and_the_latest_page():
    seen = whole(made_state(), 40, 10)

    assert [word for word in ("41%", "294 fetched", "fetch 41", "200 278", "a.test/4") if word not in seen] == []


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
def test_stages_stand_in_the_order_of_the_map(size):
    shown = [line.split()[0] for line in drawn(made_state(), *size) if line.strip()]
    names = [stage.name.partition(".")[2] for stage in STAGES if stage.takes or stage.name == "scheduler.dispatch"]

    assert [word for word in shown if word in names] == names


def test_what_waits_to_be_dispatched_is_the_frontiers_queue():
    [line] = [line for line in drawn(made_state(), 80, 24) if line.startswith(" dispatch")]

    assert line.split()[2] == "406"


def test_markup_in_a_title_is_text():
    page = {"url": "http://a.test/", "status": 200, "title": "[bold red]x[/]"}
    lines = picture(made_state(latest=[page]), Look(width=120, height=40, glyphs=COLOURFUL))

    [line] = [line for line in lines if "[bold red]x[/]" in line.plain]
    assert not [span for span in line.spans if "bold" in str(span.style)]


def test_a_reason_that_a_status_code_says_already_is_not_said_twice():
    assert "http_429" not in whole(made_state(), 120, 40)


def test_without_colour_the_segments_of_the_bar_differ_in_shape():
    bar = drawn(made_state(failed=100), 80, 24, glyphs=COLOURLESS)[1]

    assert set(bar.split()[0]) == {"█", "▓", "░"}


def test_what_was_said_meanwhile_is_shown_even_in_a_small_terminal():
    assert whole(made_state(), 40, 8, notes=["the server is gone"]).endswith("the server is gone")


def test_a_paused_crawl_and_one_without_a_state_are_named():
    assert "paused" in drawn(made_state(state="paused"), 80, 24)[0]
    assert "starting" in drawn(made_state(state=""), 80, 24)[0]


def test_what_remains_is_short_and_has_no_rate_of_a_crawl_that_is_over():
    state = made_state(state="finished", complete=True, fetched=704, discovered=707, in_flight=0)
    lines = [line.plain for line in remains(state, Look(width=100, height=50, glyphs=COLOURFUL))]

    assert len(lines) <= REMAINS_LINES
    assert "pages/s" not in "\n".join(lines)
    assert lines[1].endswith("100%")


def test_a_crawl_that_nothing_is_known_of_can_be_drawn():
    empty = type(made_state())(crawl="c", name="n")

    assert "0%" in whole(empty, 80, 24)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"fetched": 50, "failed": 25, "excluded": 900, "discovered": 1_000}, "75%"),
        ({"max_pages": 400, "statuses": {"200": 90, "206": 10, "301": 50, "404": 99}}, "25%"),
        ({"max_pages": 400, "statuses": {"200": 100}, "complete": True}, "100%"),
        ({"max_pages": 10, "statuses": {"200": 12}}, "100%"),
    ],
)
def test_the_bar_ends_where_the_crawl_does_and_what_is_left_out_is_no_progress(changes, said):
    assert drawn(made_state(**changes), 80, 24)[1].endswith(f" {said}")


@pytest.mark.parametrize("size", [(80, 24), (60, 15), (40, 8)])
@pytest.mark.parametrize(("reason", "said"), [("robots", "waits for robots.txt"), ("rate_limit", "is rate limited")])
def test_who_looks_sees_that_nothing_is_asked_of_a_host(size, reason, said):
    limited = [{"host": "http://a.test", "until_ms": 12_000, "reason": reason, "why": "http_429", "queued": 5}]

    assert f"1 host {said}" in whole(made_state(limited=limited, limited_hosts=1, now_ms=1_000), *size)
