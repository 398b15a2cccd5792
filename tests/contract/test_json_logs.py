"""Log lines as JSON: one object a line, whatever is in it, that says crawl, URL key and stage."""

import asyncio
import io
import json
import logging
import warnings

import pytest
import structlog
from msgspec.structs import replace

from contract.bus import Consumer, publish
from contract.concerning import concerning
from contract.envelope import Message
from contract.json_logs import json_formatter
from contract.logs import configure_logs
from contract.topology import FETCH, PARSE
from tests import builders

TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


@pytest.fixture
def lines():
    """All that is logged during a test, as JSON; called for the lines so far."""
    root = logging.getLogger()
    handlers, level, to = root.handlers[:], root.level, io.StringIO()
    configure_logs("INFO", to=to, format="json")
    try:
        yield lambda: [json.loads(line) for line in to.getvalue().splitlines()]
    finally:
        logging.captureWarnings(False)
        structlog.reset_defaults()
        root.handlers[:] = handlers
        root.setLevel(level)


def test_a_line_says_when_where_and_what(lines):
    logging.getLogger("scraper.fetch").warning("no answer from %s", "a.test", extra={"action": "timeout"})

    [line] = lines()
    assert line.pop("time").endswith("Z")
    assert line == {
        "level": "warning", "logger": "scraper.fetch", "action": "timeout", "message": "no answer from a.test",
    }  # fmt: skip


def test_lines_inside_a_block_say_which_message_they_concern(lines):
    message = builders.page_fetched()
    with concerning("scraper.parse", message):
        logging.getLogger("some.library").info("inside")
    logging.getLogger("some.library").info("outside")

    inside, outside = lines()
    assert (inside["stage"], inside["crawl"]) == ("scraper.parse", builders.CRAWL)
    assert inside["url_key"] == message.payload.fingerprint
    assert not {"stage", "crawl", "url_key"} & outside.keys()


async def test_a_dead_letter_says_whose_it_was_and_in_which_trace(lines, bus):
    plain = builders.page_fetched()
    await publish(bus, Message(replace(plain.envelope, traceparent=TRACE), plain.payload))
    async with Consumer(bus, PARSE) as consumer:
        [delivery] = await consumer.take(1)
        await consumer.bury(delivery, "bad")

    [line] = lines()
    assert (line["action"], line["stage"], line["crawl"]) == ("buried", "scraper.parse", builders.CRAWL)
    assert line["trace_id"] == "4bf92f3577b34da6a3ce929d0e0e4736"


def test_no_page_can_forge_a_line_or_move_a_cursor(lines):
    said = 'x"}\n{"level": "info", \x1b]0;evil\x07 \u202egnp.exe \u2028 \x9b31m Ünï'
    logging.getLogger("scraper.parse").info("title: %s", said)

    # A lone surrogate goes to the formatter alone: what is logged here, a test runner has to send on.
    text = json_formatter().format(logging.makeLogRecord({"msg": said + "\ud800", "levelname": "INFO"}))
    [line] = lines()
    assert line["message"] == f"title: {said}"
    assert not any(sign in text for sign in "\n\x1b\x07\u202e\u2028\x9b\ud800")
    assert "Ünï" in text


def test_passwords_are_masked_wherever_they_stand(lines):
    log = logging.getLogger("contract.bus")
    try:
        raise ValueError("at redis://:secret@h/0")
    except ValueError:
        log.exception("away: %s", "redis://u:secret@h:6379/0")

    [line] = lines()
    assert "secret" not in str(line)
    assert "redis://u:***@h" in line["message"]
    assert "ValueError: at redis://:***@h/0" in line["exception"]


def test_a_spider_may_log_by_structlog_and_bind_what_it_likes(lines):
    with structlog.contextvars.bound_contextvars(shop="books"):
        structlog.get_logger("my.spider").info("a price", amount=12.5)

    [line] = lines()
    assert (line["logger"], line["message"], line["shop"], line["amount"]) == ("my.spider", "a price", "books", 12.5)


def test_warnings_are_lines_too(lines):
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn("mind the gap", stacklevel=1)

    [line] = lines()
    assert line["logger"] == "py.warnings"
    assert "mind the gap" in line["message"]


async def test_a_task_keeps_what_it_concerns_while_others_run(lines):
    async def say(number):
        with concerning(FETCH.name, builders.page_fetched(f"http://a.test/{number}", crawl=f"c{number}")):
            await asyncio.sleep(0)
            logging.getLogger("scraper.fetch").info("of %d", number)

    await asyncio.gather(*map(say, range(5)))

    assert {line["crawl"]: line["message"] for line in lines()} == {f"c{n}": f"of {n}" for n in range(5)}
