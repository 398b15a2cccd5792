"""Marks and strangers' texts: what is drawn is as wide as it says, and is what was meant."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from penstock.view.glyphs import ASCII, COLOURFUL, COLOURLESS, bar, fitted, glyphs_for, shares, sparkline


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("too long to fit", "too lon…"),
        ("漢字漢字漢字", "漢字漢…"),  # two cells each
        ("a\x1b[31m", "a\\x1b[3…"),
        ("a\nb", "a\\nb"),
        ("👩‍👧", "👩👧"),  # a family, without what joins it
        ("❤️", "❤"),
        ("e\u0301\u0301\u0301\u0301\u0301", "e\u0301\u0301\u0301"),
        ("שלום", "שלום"),
        (None, "None"),
    ],
)
def test_a_strangers_text_is_cut_by_cells_and_loses_what_terminals_disagree_about(text, shown):
    assert fitted(text, 8, COLOURFUL) == shown


def test_no_cells_hold_no_text():
    assert fitted("x", 0, COLOURFUL) == ""


def test_ascii_replaces_what_it_cannot_show():
    assert fitted("naïve 漢", 20, ASCII) == "na?ve ?"


@given(st.lists(st.integers(0, 10**9), min_size=1, max_size=6), st.integers(0, 200))
def test_shares_fill_the_bar_exactly_and_give_a_cell_to_whatever_is_there(counts, cells):
    given_cells = shares(counts, cells)

    assert sum(given_cells) == (cells if any(counts) else 0)
    if cells >= len(counts):
        assert all(bool(cell) == bool(count) for cell, count in zip(given_cells, counts, strict=True))


@pytest.mark.parametrize(
    ("share", "drawn"), [(0.0, ""), (0.0001, "╸"), (0.5, "━━"), (0.6, "━━╸"), (1.0, "━━━━"), (7.0, "━━━━")]
)
def test_a_bar_fills_its_share(share, drawn):
    assert bar(share, 4, COLOURFUL) == drawn


def test_a_sparkline_is_as_high_as_its_largest_value():
    assert sparkline((0.0, 5.0, 10.0), COLOURFUL) == "▁▅█"
    assert sparkline((0.0, 0.0), COLOURFUL) == "▁▁"
    assert sparkline((), COLOURFUL) == ""


@pytest.mark.parametrize("glyphs", [COLOURFUL, COLOURLESS, ASCII])
def test_every_mark_is_one_cell(glyphs):
    marks = [*glyphs.bar, *glyphs.levels, *glyphs.segments, *glyphs.dots, glyphs.ellipsis]

    assert {cell_len(mark) for mark in marks} == {1}


@pytest.mark.parametrize(
    ("encoding", "environ", "has_colour", "glyphs"),
    [
        ("utf-8", {}, True, COLOURFUL),
        ("utf-8", {"LANG": "en_GB.UTF-8"}, False, COLOURLESS),
        ("ascii", {}, True, ASCII),
        ("iso-8859-1", {}, True, ASCII),
        ("no-such-encoding", {}, True, ASCII),
        ("utf-8", {"LC_ALL": "C"}, True, ASCII),
        ("utf-8", {"LANG": "C", "LC_CTYPE": "C.UTF-8"}, True, ASCII),  # as Python leaves LANG=C
        ("utf-8", {"LANG": "C", "LC_CTYPE": "de_DE.UTF-8"}, True, COLOURFUL),
        ("utf-8", {"LANG": "C", "LC_ALL": "C.UTF-8"}, True, COLOURFUL),
    ],
)
def test_marks_are_those_that_the_terminal_can_show(encoding, environ, has_colour, glyphs):
    assert glyphs_for(encoding=encoding, environ=environ, has_colour=has_colour) is glyphs
