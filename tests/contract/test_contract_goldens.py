"""What was written once is read for ever: golden messages, and the upcast of an old version."""

from typing import Any

import msgspec
import pytest

from contract import codec
from contract.envelope import Envelope
from contract.errors import Undecodable
from contract.pages import PageFailed
from tests.contract.goldens import FOLDER, GOLDENS, golden_bytes

EACH_GOLDEN = pytest.mark.parametrize("name", GOLDENS)


def test_every_version_of_every_message_has_a_golden_file():
    wanted = {f"{type}.v{n}" for type, kind in codec.KINDS.items() for n in range(1, kind.VERSION + 1)}
    there = {path.stem for path in FOLDER.glob("*.json")}

    assert wanted <= there, "add it to tests/contract/goldens.py and run python -m tests.contract.goldens"
    assert there == GOLDENS.keys(), "tests/contract/goldens.py says what each golden file means"


@EACH_GOLDEN
def test_a_golden_file_means_what_it_meant_on_its_first_day(name):
    assert codec.decode(golden_bytes(name)) == GOLDENS[name]


@EACH_GOLDEN
def test_a_golden_message_keeps_its_meaning_and_its_bytes_on_its_way_through_the_codec(name):
    message = codec.decode(golden_bytes(name))
    again = codec.encode(message)

    assert codec.decode(again) == message
    assert codec.encode(codec.decode(again)) == again


@EACH_GOLDEN
def test_what_is_said_in_a_golden_file_is_said_in_the_same_words_today(name):
    said = msgspec.json.decode(golden_bytes(name))
    if said.get("dataversion", 1) != codec.KINDS[said["type"]].VERSION:
        return  # an old version is only read, never written

    assert _left_out(said, msgspec.json.decode(codec.encode(GOLDENS[name]))) == []


def _left_out(old: Any, today: Any, place: str = "$") -> list[str]:
    """Where `today` lacks something that `old` has, or has it otherwise; it may have more."""
    if isinstance(old, dict) and isinstance(today, dict):
        return [fault for key in old for fault in _left_out(old[key], today.get(key), f"{place}.{key}")]
    return [] if old == today else [place]


@pytest.mark.parametrize("type", codec.KINDS)
def test_the_golden_files_of_a_message_say_every_field_that_it_has(type):
    kind = codec.KINDS[type]
    messages = [GOLDENS[name] for name in GOLDENS if name.split("-")[0] == f"{type}.v{kind.VERSION}"]
    wanted = _names(Envelope, _fields(Envelope) - {"dataversion"}) | _names(kind, _fields(kind))
    said = {name for message in messages for part in (message.envelope, message.payload) for name in _said_names(part)}

    assert wanted <= said, f"left at their default: {wanted - said}; add a golden file that sets them"


def _said_names(part: Any) -> set[str]:
    return _names(type(part), _said(part))


def _names(kind: type, fields: set[str]) -> set[str]:
    return {f"{kind.__name__}.{field}" for field in fields}


def _fields(kind: Any) -> set[str]:
    return set(kind.__struct_fields__)


def _said(part: Any) -> set[str]:
    """The fields of a struct that are not at their default, and are no structs that leave one of theirs there."""
    return {field.name for field in msgspec.structs.fields(part) if _is_said(getattr(part, field.name), field)}


def _is_said(value: Any, field: msgspec.structs.FieldInfo) -> bool:
    if isinstance(value, msgspec.Struct):
        return _said(value) == _fields(value)
    if isinstance(value, tuple) and value and isinstance(value[0], msgspec.Struct):
        return _said(value[0]) == _fields(value[0])
    return bool(value != field.default) if field.default is not msgspec.NODEFAULT else bool(value)


# -- upcasting


#: A `page.failed` of before version 1: one word for reason and status, and seconds where today there are ms.
VERSION_0 = {
    "url": "http://a.test/x", "host": "http://a.test", "fingerprint": "00000000000000ff",
    "depth": 1, "hops": 0, "attempt": 2, "via": None, "error": "http 503", "again": True, "after_seconds": 2.5,
}  # fmt: skip


@pytest.fixture
def upcast_of_version_0():
    """`page.failed` is read from version 0 on, for the length of one test."""
    codec.UPCASTS["page.failed", 0] = failed_from_0
    yield
    del codec.UPCASTS["page.failed", 0]


def failed_from_0(old: dict[str, Any]) -> dict[str, Any]:
    """Version 0 → 1: `error` becomes `reason` and `status`, `again` is called `retryable`, seconds become ms."""
    word, _, status = old.pop("error").partition(" ")
    return {
        **old,
        "reason": f"{word}_{status}" if status else word,
        "status": int(status) if status else None,
        "retryable": old.pop("again"),
        "retry_after_ms": round(old.pop("after_seconds") * 1000),
    }


def message_of_version(number: int, data: dict[str, Any]) -> bytes:
    """The bytes of a `page.failed` of that version."""
    attributes = {"specversion": "1.0", "id": "1", "source": "scraper.fetch", "type": "page.failed"}
    return msgspec.json.encode(
        {**attributes, "time": "2026-01-01T00:00:00Z", "crawl": "c", "dataversion": number, "data": data}
    )


def test_an_old_version_is_upcast_when_it_is_read(upcast_of_version_0):
    message = codec.decode(message_of_version(0, VERSION_0))

    assert message.payload == PageFailed(
        url="http://a.test/x", host="http://a.test", fingerprint="00000000000000ff", depth=1, hops=0, attempt=2,
        via=None, reason="http_503", status=503, retryable=True, retry_after_ms=2_500,
    )  # fmt: skip


def test_what_was_upcast_is_written_in_the_words_of_today(upcast_of_version_0):
    message = codec.decode(message_of_version(0, VERSION_0))

    assert codec.decode(codec.encode(message)).payload == message.payload


@pytest.mark.parametrize("missing", ["error", "again", "url"])
def test_an_old_message_that_lacks_something_is_set_aside_like_any_other_damaged_one(upcast_of_version_0, missing):
    damaged = {name: value for name, value in VERSION_0.items() if name != missing}

    with pytest.raises(Undecodable):
        codec.decode(message_of_version(0, damaged))


@pytest.mark.parametrize("number", [0, 2])
def test_a_version_without_an_upcast_is_refused_by_its_number(number):
    with pytest.raises(Undecodable, match=f"unknown version {number} of message type 'page.failed'"):
        codec.decode(message_of_version(number, VERSION_0))
