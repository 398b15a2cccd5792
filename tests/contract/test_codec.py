"""Messages to bytes and back; what cannot be read is said to be so, never anything else."""

import contextlib
import re
import typing
from types import NoneType, UnionType
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contract import codec, topology
from contract.commands import CrawlPause, PageFetch
from contract.crawls import CrawlFinished, CrawlSpec
from contract.envelope import Message, Payload, new_message, now_text
from contract.errors import Undecodable
from contract.pages import BodyRef, Item, Link, PageExcluded, PageParsed
from tests.builders import TIME, make_message, page_parsed

GOLDEN = (
    b'{"id":"e1","source":"scheduler.settle","type":"crawl.finished","time":"2026-11-23T12:00:00.000Z","crawl":"c1",'
    b'"correlationid":"c1","causationid":"e0","specversion":"1.0","datacontenttype":"application/json",'
    b'"data":{"fetched":1,"failed":2,"excluded":3,"version":4}}'
)


def sample(kind: Any) -> Any:
    """Some value of a field's type, never its default where that can be helped."""
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin in (typing.Union, UnionType):
        return sample(next(one for one in arguments if one is not NoneType))
    if origin is typing.Literal:
        return arguments[-1]
    if origin is tuple:
        return (
            tuple(map(sample, arguments)) if arguments[-1] is not ... else (sample(arguments[0]), sample(arguments[0]))
        )
    if origin is dict and arguments[1] is not Any:
        return {"ключ": sample(arguments[1])}
    if origin is dict:
        return {"ключ": [1, 2.5, None, True, {"deep": "\u2028"}]}
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return kind(**{name: sample(hint) for name, hint in typing.get_type_hints(kind).items() if name.islower()})
    return {str: 'Ünï"\\\n', int: 7, float: 0.5, bool: True}[kind]


@pytest.mark.parametrize("name", sorted(codec.KINDS))
def test_every_kind_comes_back_as_it_was(name):
    payload = sample(codec.KINDS[name])
    message = new_message(payload, id="e1", source="test", crawl="c1", subject="s", cause=None, time=TIME)

    assert codec.decode(codec.encode(message)) == message


def test_bytes_are_fixed_for_ever():
    cause = make_message(CrawlPause(), id="e0").envelope
    payload = CrawlFinished(fetched=1, failed=2, excluded=3, version=4)
    message = new_message(payload, id="e1", source="scheduler.settle", crawl="c1", cause=cause, time=TIME)

    assert codec.encode(message) == GOLDEN
    assert codec.decode(GOLDEN) == message


def test_attributes_are_those_of_cloudevents():
    message = new_message(sample(PageParsed), id="e1", source="scraper.parse", crawl="c1", subject="http://a.test/")
    wire = msgspec.json.decode(codec.encode(message))

    assert wire["specversion"] == "1.0"
    assert all(re.fullmatch("[a-z0-9]{1,20}", name) for name in wire)
    assert all(value not in ("", None) for value in wire.values())
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", wire["time"])
    assert set(wire) >= {"id", "source", "type", "specversion", "time", "subject", "datacontenttype", "data"}


def test_the_time_is_utc_with_milliseconds():
    assert re.fullmatch(r"2\d{3}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", now_text())


@pytest.mark.parametrize("name", sorted(codec.KINDS))
def test_type_names_follow_the_grammar(name):
    kind = codec.KINDS[name]

    assert re.fullmatch(r"[a-z]+\.[a-z]+", name)
    assert name == kind.TYPE
    if name in topology.EVENTS:
        assert name.endswith("ed")


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{}",
        b"null",
        b"[]",
        b"\xff\xfe",
        b"\x00" * 100,
        b'{"id":1}',
        GOLDEN[:-1],
        GOLDEN.replace(b"crawl.finished", b"crawl.forgotten"),
        GOLDEN.replace(b'"specversion"', b'"dataversion":9,"specversion"'),
        GOLDEN.replace(b'"specversion"', b'"dataversion":0,"specversion"'),
        GOLDEN.replace(b'"fetched":1', b'"fetched":"many"'),
        GOLDEN.replace(b'"fetched":1,', b""),
        GOLDEN.replace(b'{"fetched":1,"failed":2,"excluded":3,"version":4}', b"[" * 100_000),
        GOLDEN.replace(b'"e1"', b'"\\ud800"'),
        GOLDEN.replace(b'"e1"', b'"\xed\xa0\x80"'),
    ],
)
def test_what_is_no_message_of_ours_is_undecodable(raw):
    with pytest.raises(Undecodable):
        codec.decode(raw)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200) | st.integers(0, len(GOLDEN)).map(lambda at: GOLDEN[:at] + b'"' + GOLDEN[at:]))
def test_garbage_is_undecodable_or_a_message_and_never_an_error_of_another_kind(raw):
    with contextlib.suppress(Undecodable):
        assert isinstance(codec.decode(raw), Message)


def test_a_field_that_a_later_version_added_is_ignored():
    raw = GOLDEN.replace(b'"fetched":1', b'"fetched":1,"burnt":4').replace(b'"id"', b'"colour":"red","id"')

    assert codec.decode(raw) == codec.decode(GOLDEN)


class PageSeen(Payload, frozen=True):
    """A kind that has been changed twice: `url` was `href`, and before that in a list."""

    TYPE = "page.seen"
    VERSION = 3
    url: str


@pytest.fixture
def page_seen(monkeypatch):
    """The registry with PageSeen and its upcasts in it."""
    monkeypatch.setitem(codec.KINDS, "page.seen", PageSeen)
    monkeypatch.setitem(codec._payloads, "page.seen", msgspec.json.Decoder(PageSeen))
    monkeypatch.setitem(codec.UPCASTS, ("page.seen", 1), lambda data: {"href": data["hrefs"][0]})
    monkeypatch.setitem(codec.UPCASTS, ("page.seen", 2), lambda data: {"url": data["href"]})


@pytest.mark.usefixtures("page_seen")
@pytest.mark.parametrize(("version", "data"), [(1, {"hrefs": ["u"]}), (2, {"href": "u"}), (3, {"url": "u"})])
def test_old_versions_are_upcast_step_by_step(version, data):
    assert codec.decode(_seen(version, data)).payload == PageSeen(url="u")


@pytest.mark.usefixtures("page_seen")
@pytest.mark.parametrize(("version", "data"), [(1, {"hrefs": []}), (1, []), (2, {}), (2, 5), (4, {"url": "u"})])
def test_an_old_version_that_cannot_be_upcast_is_undecodable(version, data):
    with pytest.raises(Undecodable):
        codec.decode(_seen(version, data))


def _seen(version: int, data: Any) -> bytes:
    wire = {"specversion": "1.0", "id": "e", "source": "s", "type": "page.seen", "time": TIME, "crawl": "c"}
    return msgspec.json.encode({**wire, "dataversion": version, "data": data})


@pytest.mark.parametrize("bad", ["\0", "\ud800", "a\0b\ud83d"])
def test_nul_and_lone_surrogates_become_replacement_characters_everywhere(bad):
    clean = re.sub("[\0\ud800-\udfff]", "\ufffd", bad)
    item = Item(type=bad, data={bad: [bad, {"x": bad}]})
    message = page_parsed(title=bad, items=(item,), links=(Link("http://a.test/"),))

    page = codec.decode(codec.encode(message)).payload

    assert page.title == clean
    assert page.items == (Item(type=clean, data={clean: [clean, {"x": clean}]}),)
    assert page.links == (Link("http://a.test/"),)


def test_a_backslash_before_u0000_is_no_nul():
    message = page_parsed(title="\\u0000")

    assert codec.decode(codec.encode(message)).payload.title == "\\u0000"


def test_whole_surrogate_pairs_and_other_control_characters_are_kept():
    title = "\U0001f600\x1b[31m\x9b\u202e"

    assert codec.decode(codec.encode(page_parsed(title=title))).payload.title == title


def test_defaults_of_an_older_producer_are_filled_in():
    raw = codec.encode(make_message(PageFetch(url="http://a.test/", host="http://a.test")))
    wire = msgspec.json.decode(raw)
    wire["data"] = {"url": "http://a.test/", "host": "http://a.test"}

    assert codec.decode(msgspec.json.encode(wire)).payload == PageFetch(url="http://a.test/", host="http://a.test")


def test_the_samples_reach_every_field():
    assert sample(BodyRef) == BodyRef(digest='Ünï"\\\n', size=7, wire=7, stored=7)
    assert sample(CrawlSpec).scope == "any"
    assert sample(PageExcluded).robots is True
