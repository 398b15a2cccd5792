"""One line per record, whatever the record says; no password in any of them."""

import contextlib
import io
import logging
import sys
import unicodedata

import pytest

from contract.logs import LineFormatter, configure_logs, masked, visible
from contract.safe_text import without_credentials

#: The rest of Unicode's Bidi_Control (PropList.txt), whose class is that of letters: ALM, LRM, RLM.
MARKS = "\u061c\u200e\u200f"
DIRECTING = ("LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain Ünï \U0001f600", "plain Ünï \U0001f600"),
        ("a\nb\r\tc", "a\\nb\\r\\tc"),
        ("\x1b]0;evil\x07", "\\x1b]0;evil\\x07"),
        ("\x9b31m\x7f\x00", "\\x9b31m\\x7f\\x00"),
        ("\u202egnp.exe\u2066\u2028", "\\u202egnp.exe\\u2066\\u2028"),
        ("\u200eLRM \u200fRLM \u061cALM", "\\u200eLRM \\u200fRLM \\u061cALM"),
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
        ("see https://token@host/x", "see https://***@host/x"),
        ("postgresql://reader@h/d", "postgresql://reader@h/d"),
        ("http://a.test/x@y http://b.test?m=x@y", "http://a.test/x@y http://b.test?m=x@y"),
        ("two http://a:b@c http://d:e@f", "two http://a:***@c http://d:***@f"),
    ],
)
def test_passwords_in_urls_are_masked(text, shown):
    assert masked(text) == shown


@pytest.mark.parametrize(
    ("url", "bare"),
    [
        ("http://user:secret@h:80/a", "http://h:80/a"),
        ("https://token@h/", "https://h/"),
        ("https://a@b:c@h?x=y", "https://h?x=y"),
        ("http:\\\\user:secret@h/", "http:\\\\h/"),
        ("http://h/mail@example.com?to=a@b#c@d", "http://h/mail@example.com?to=a@b#c@d"),
        ("mailto:a@b", "mailto:a@b"),
    ],
)
def test_a_url_is_kept_without_user_name_and_password(url, bare):
    assert without_credentials(url) == bare


def test_every_character_that_moves_text_about_is_shown():
    moving = [chr(n) for n in range(0x11_0000) if unicodedata.bidirectional(chr(n)) in DIRECTING]
    moving += [chr(n) for n in range(0x1_0000) if unicodedata.category(chr(n)) in ("Cc", "Cs", "Zl", "Zp")]

    assert [char for char in (*moving, *MARKS) if visible(char) == char] == []


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
    to = io.StringIO()
    with kept_logging():
        configure_logs("INFO", to=to)
        logging.getLogger("scraper.fetch").info("hello")
        logging.getLogger("scraper.fetch").debug("not this")

    assert to.getvalue().endswith("INFO scraper.fetch hello\n")
    assert to.getvalue().count("\n") == 1


def test_a_person_sees_a_sentence_and_no_traceback(capfd):
    with kept_logging():
        configure_logs("WARNING", format="person")
        try:
            raise ValueError("bad\nthing at redis://:secret@h")
        except ValueError:
            logging.getLogger("asyncio").exception("Task exception was never retrieved\nfuture: <Task …>")

    assert capfd.readouterr().err == (
        "penstock: Task exception was never retrieved (ValueError: bad\\nthing at redis://:***@h)\n"
    )


def test_a_log_that_cannot_be_written_is_one_line_on_the_terminal(capfd):
    with kept_logging(), open("/dev/full", "w") as full:
        configure_logs("INFO", to=full)
        for number in range(3):
            logging.getLogger("scraper.fetch").info("line %d", number)
        with contextlib.suppress(OSError):
            full.close()

    assert capfd.readouterr().err == "penstock: lines are missing from /dev/full: No space left on device\n"


def test_a_record_that_cannot_be_formatted_is_no_traceback_either(capfd):
    with kept_logging():
        configure_logs("INFO", to=io.StringIO())
        logging.getLogger("spider").info("%d pages", "many")

    told = capfd.readouterr().err
    assert told.count("\n") == 1
    assert "Traceback" not in told


@contextlib.contextmanager
def kept_logging():
    """Python's logging as it was, after the block."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
