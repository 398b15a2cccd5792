"""What stands on the streams keeps the published schemas, and is a CloudEvent to the CloudEvents SDK."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from cloudevents.core.formats.json import JSONFormat
from jsonschema import Draft202012Validator, ValidationError
from msgspec import structs

from contract import codec
from contract.bus import Bus, publish
from contract.commands import CrawlStart
from contract.crawls import CrawlSpec
from contract.envelope import Envelope
from contract.topology import STREAMS
from tests import builders
from tests.contract.goldens import GOLDENS, golden_bytes
from tests.scheduler.harness import Answering, Web, running

SCHEMAS = Path(__file__).resolve().parents[2] / "docs" / "contract" / "schemas"
EXAMPLES = (
    *(builders.crawl_started(), builders.seeds_added(), builders.crawl_finished()),
    *(builders.page_fetched(), builders.page_failed(), builders.page_excluded()),
    *(builders.robots_fetched(), builders.page_parsed()),
    builders.make_message(CrawlStart(spec=CrawlSpec(name="a"), seeds=())),
)
OUTSIDER = "another.program"


def validator_of(raw: bytes) -> Draft202012Validator:
    """The committed schema of this message's type and version."""
    said = json.loads(raw)
    schema = json.loads((SCHEMAS / f"{said['type']}.v{said.get('dataversion', 1)}.json").read_bytes())
    return Draft202012Validator(schema)


@pytest.mark.parametrize("path", sorted(SCHEMAS.iterdir()), ids=lambda path: path.stem)
def test_a_schema_is_a_schema(path):
    Draft202012Validator.check_schema(json.loads(path.read_bytes()))


@pytest.mark.parametrize("name", GOLDENS)
def test_a_golden_message_keeps_the_schema_of_its_version(name):
    raw = golden_bytes(name)

    validator_of(raw).validate(json.loads(raw))


@pytest.mark.parametrize("message", EXAMPLES, ids=lambda message: message.envelope.type)
def test_a_message_with_defaults_and_empty_fields_keeps_its_schema(message):
    raw = codec.encode(message)

    validator_of(raw).validate(json.loads(raw))


def harmed(*way: str, to: Any) -> dict[str, Any]:
    """The golden `page.fetched` with one value changed, or left out if `to` is None."""
    said: dict[str, Any] = json.loads(golden_bytes("page.fetched.v1"))
    *path, last = way
    place = said
    for step in path:
        place = place[step]
    if to is None:
        del place[last]
    else:
        place[last] = to
    return said


@pytest.mark.parametrize(
    ("way", "to"),
    [
        (("id",), None),
        (("id",), ""),
        (("data",), None),
        (("type",), "page.failed"),
        (("specversion",), "0.3"),
        (("dataversion",), 2),
        (("subject",), ["null"]),
        (("data", "url"), None),
        (("data", "status"), "200"),
        (("data", "body", "digest"), None),
        (("data", "flags"), [1]),
    ],
)
def test_a_message_that_is_none_breaks_the_schema(way, to):
    with pytest.raises(ValidationError):
        validator_of(golden_bytes("page.fetched.v1")).validate(harmed(*way, to=to))


@pytest.mark.parametrize("way", [("tomorrow",), ("data", "tomorrow"), ("data", "body", "tomorrow")])
def test_a_field_that_comes_later_breaks_no_schema_and_no_reader(way):
    said = harmed(*way, to={"any": "thing"})

    validator_of(golden_bytes("page.fetched.v1")).validate(said)
    assert codec.decode(json.dumps(said).encode()) == GOLDENS["page.fetched.v1"]


# -- CloudEvents


@pytest.mark.parametrize("name", Envelope.__struct_fields__)
def test_an_attribute_has_a_name_that_cloudevents_allows(name):
    assert re.fullmatch("[a-z0-9]{1,20}", name)


@pytest.mark.parametrize("name", GOLDENS)
def test_the_cloudevents_sdk_reads_every_kind_of_message(name):
    event = JSONFormat().read(None, golden_bytes(name))

    envelope = GOLDENS[name].envelope
    assert (event.get_id(), event.get_source(), event.get_type()) == (envelope.id, envelope.source, envelope.type)
    assert event.get_specversion() == "1.0"
    assert event.get_subject() == envelope.subject
    assert event.get_time().isoformat() == "2026-11-23T14:15:31.042000+00:00"
    assert event.get_extension("crawl") == event.get_extension("correlationid") == envelope.crawl
    assert event.get_extension("causationid") == envelope.causationid
    assert event.get_data() == json.loads(golden_bytes(name))["data"]


@pytest.mark.parametrize("name", GOLDENS)
def test_what_the_cloudevents_sdk_writes_is_a_message_to_us(name):
    event = JSONFormat().read(None, golden_bytes(name))
    raw = JSONFormat().write(event)

    validator_of(raw).validate(json.loads(raw))
    message = codec.decode(raw)
    assert message.payload == GOLDENS[name].payload
    spelled_otherwise = message.envelope.time.replace("042000Z", "042Z")  # to the microsecond
    assert structs.replace(message.envelope, time=spelled_otherwise) == GOLDENS[name].envelope


# -- messages from a scheduler at work, most of which are worded by its scripts


A = "http://a.test/"
WEB = {A: {A + "1", A + "deep", "http://b.test/"}, A + "1": Answering(status=301, to=A + "2"), A + "2": {A + "3"}}


async def test_everything_that_a_crawl_puts_on_the_streams_keeps_its_schema_and_is_a_cloudevent(bus):
    for stream in STREAMS:  # as long as this group has not acked, nothing is forgotten
        await bus.redis.xgroup_create(bus.keys.stream(stream), OUTSIDER, id="0")

    await crawl_and_cancel(bus)

    found = {stream: await read_as_outsider(bus, stream) for stream in STREAMS}
    assert [stream for stream in STREAMS if not found[stream]] == []
    for raw in (raw for entries in found.values() for raw in entries):
        validator_of(raw).validate(json.loads(raw))
        assert JSONFormat().read(None, raw).get_id() == codec.decode(raw).envelope.id


async def crawl_and_cancel(bus: Bus) -> None:
    """Two crawls: one from its start to its end, one that is given up in the middle."""
    async with running(bus, Web(WEB)) as run:
        run.hold.add(A + "2")
        crawl = await run.start(A, max_depth=1, obey_robots=True, more=True)
        await run.add(crawl, A + "1", last=True)
        await run.pause(crawl)
        await run.resume(crawl)
        await run.let_go(A + "2")
        await run.finished(crawl)
        other = await run.start("http://a.test/unknown", delay_seconds=600.0)
        await run.cancel(other)
        await publish(bus, GOLDENS["frontier.restore.v1"])
        await run.drained()


async def read_as_outsider(bus: Bus, stream: str) -> list[bytes]:
    """All messages of a stream, read the way docs/contract/README.md shows."""
    key = bus.keys.stream(stream)
    answer = await bus.redis.xreadgroup(OUTSIDER, "one", {key: ">"}, count=10_000)
    return [fields[b"e"] for entries in dict(answer or {}).values() for _, fields in entries]
