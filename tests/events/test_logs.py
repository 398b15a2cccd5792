"""One line per record, whatever the record says; no password in any of them."""

import io
import logging
import sys

import pytest

from events.logs import LineFormatter, configure_logs, masked, visible


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain Ünï \U0001f600", "plain Ünï \U0001f600"),
        ("a\nb\r\tc", "a\\nb\\r\\tc"),
        ("\x1b]0;evil\x07", "\\x1b]0;evil\\x07"),
        ("\x9b31m\x7f\x00", "\\x9b31m\\x7f\\x00"),
        ("\u202egnp.exe\u2066\u2028", "\\u202egnp.exe\\u2066\\u2028"),
        ("\ud800", "\\ud800"),
    ],
)
def test_control_and_direction_characters_are_shown_not_sent(text, shown):
    assert visible(text) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("redis://user:secret@h:6379/0", "redis://user:***@h:6379/0"),
        ("at redis://:p@ss@word@h/0 now", "at redis://:***@h/0 now"),
        ("postgresql+psycopg://u:s%40@h/d", "postgresql+psycopg://u:***@h/d"),
        ("http://a.test:80/x@y", "http://a.test:80/x@y"),
        ("two http://a:b@c http://d:e@f", "two http://a:***@c http://d:***@f"),
    ],
)
def test_passwords_in_urls_are_masked(text, shown):
    assert masked(text) == shown


def record(message: str, *args: object, **more: object) -> logging.LogRecord:
    """A record as a stage makes it."""
    made = logging.LogRecord("scheduler.settle", logging.WARNING, "f", 1, message, args, None)
    made.__dict__.update(more)
    return made


def test_a_page_cannot_forge_a_line():
    line = LineFormatter().format(record("title: %s", "x\n2026-11-23 12:00:00 INFO all is well", action="page_read"))

    assert "\n" not in line
    assert line.partition(" WARNING ")[2].startswith("scheduler.settle action=page_read title: x\\n2026")


def test_a_traceback_is_folded_into_its_line():
    try:
        raise ValueError("bad\nthing at redis://:secret@h")
    except ValueError:
        line = LineFormatter().format(record("it broke", exc_info=sys.exc_info()))

    assert "\n" not in line
    assert "secret" not in line
    assert "ValueError" in line


def test_all_records_go_to_one_stream():
    root = logging.getLogger()
    handlers, level, to = root.handlers[:], root.level, io.StringIO()
    try:
        configure_logs("INFO", to=to)
        logging.getLogger("scraper.fetch").info("hello")
        logging.getLogger("scraper.fetch").debug("not this")
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)

    assert to.getvalue().endswith("INFO scraper.fetch hello\n")
    assert to.getvalue().count("\n") == 1
