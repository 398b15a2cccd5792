"""The map and the message classes → an AsyncAPI document: which stage sends and receives what, on which stream.

Source: https://www.asyncapi.com/docs/reference/specification/v3.1.0
"""

from typing import Any

from contract.codec import KINDS
from contract.envelope import Payload
from contract.keys import Keys
from contract.published.schemas import Schema, draft_7, envelope_schema, kind_schema, payload_schemas, plain
from contract.topology import COMMANDS, STAGES, STREAMS, Stage

#: Of the contract as a whole. The first number grows when a type or a field goes, the second when one comes.
VERSION = "1.0.0"
#: Who sends the commands that no stage gives.
PEOPLE = Stage(
    "penstock",
    takes=(),
    gives=tuple(name for name in COMMANDS if not any(name in stage.gives for stage in STAGES)),
    summary="the command line: what people ask for",
)
#: The stream whose entries have a body beside them.
WITH_BODY = "page.fetched"
_DESCRIPTION = """
Every message is one entry of a Redis stream, and each stream holds one type of message. The entry's field `e` is the
message: a CloudEvent in JSON (structured mode), in UTF-8. Each receiving stage is a consumer group of its own name.

docs/contract/README.md says what is promised, and how another program follows the streams.
"""


#: The versions of AsyncAPI in which the document is published: nothing of it is new in the later one, and code
#: generators of today make nothing of that (modelina 5.10.1: one empty model, and no error).
SPECIFICATIONS = ("3.1.0", "3.0.0")


def document(specification: str = SPECIFICATIONS[0]) -> dict[str, Any]:
    """The whole document."""
    return {
        "asyncapi": specification,
        "info": {
            "title": "Penstock",
            "version": VERSION,
            "description": plain(_DESCRIPTION),
            "license": {"name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"},
        },
        "defaultContentType": "application/cloudevents+json",
        "servers": {"redis": _SERVER},
        "channels": {stream: _channel(stream) for stream in STREAMS},
        "operations": _operations(),
        "components": _components(),
    }


_SERVER = {
    "host": "{address}",
    "protocol": "redis",
    "description": "Redis 7 or later, or Valkey; `PENSTOCK_REDIS_URL`.",
    "variables": {"address": {"description": "Host and port.", "default": "127.0.0.1:6379"}},
}
_PARAMETERS = {
    "prefix": {
        "description": "What all keys of one installation begin with; `PENSTOCK_PREFIX`.",
        "default": "penstock",
    },
    "shard": {
        "description": "The hash tag that keeps the keys of one shard together, with its braces.",
        "default": "{0}",
    },
}


def _channel(stream: str) -> dict[str, Any]:
    kind = "command" if stream in COMMANDS else "event"
    return {
        "address": Keys(prefix="{prefix}").stream(stream).replace("{0}", "{shard}"),
        "title": stream,
        "summary": plain(KINDS[stream].__doc__).partition("\n\n")[0],
        "messages": {stream: _ref("components", "messages", stream)},
        "parameters": {name: _ref("components", "parameters", name) for name in _PARAMETERS},
        "tags": [{"name": kind}],
    }


def _operations() -> dict[str, Any]:
    found = {}
    for stage in (PEOPLE, *STAGES):
        for action, streams in (("receive", stage.takes), ("send", stage.gives)):
            for stream in streams:
                found[f"{stage.name}.{action}.{stream}"] = _operation(stage, action, stream)
    return found


def _operation(stage: Stage, action: str, stream: str) -> dict[str, Any]:
    group = {"x-consumer-group": stage.name} if action == "receive" else {}
    return {
        "action": action,
        "channel": _ref("channels", stream),
        "messages": [_ref("channels", stream, "messages", stream)],
        "summary": f"{stage.name}: {stage.summary}",
        "tags": [{"name": stage.name}],
        **group,
    }


def _components() -> dict[str, Any]:
    payloads, parts = payload_schemas(KINDS.values(), place="#/components/schemas/")
    schemas = {"envelope": envelope_schema(), **payloads, **parts}
    return {
        "messages": {kind.TYPE: _message(kind) for kind in KINDS.values()},
        "schemas": {name: _titled(name, draft_7(schema)) for name, schema in schemas.items()},
        "parameters": _PARAMETERS,
    }


def _message(kind: type[Payload]) -> dict[str, Any]:
    summary, _, more = plain(kind.__doc__).partition("\n\n")
    of_kind = kind_schema(kind, data=_ref("components", "schemas", kind.TYPE))
    return {
        "name": kind.TYPE,
        "title": f"{kind.TYPE}, version {kind.VERSION}",
        "summary": summary,
        **({"description": more} if more else {}),
        "contentType": "application/cloudevents+json",
        **({"headers": _BODY_FIELDS} if kind.TYPE == WITH_BODY else {}),
        "payload": {
            "title": f"{title_of(kind.TYPE)}Message",
            "allOf": [_ref("components", "schemas", "envelope"), of_kind],
        },
    }


_BODY_FIELDS = {
    "description": "The entry's other fields. The body is gone once every consumer group is past the entry.",
    "type": "object",
    "properties": {
        "b": {"type": "string", "description": "The key of the body: WARC records, a gzip member each."},
        "s": {"type": "string", "pattern": "^[0-9]+$", "description": "The bytes stored under that key."},
    },
}


def title_of(name: str) -> str:
    """`page.fetched` as generators name a class: `PageFetched`."""
    return "".join(word[:1].upper() + word[1:] for word in name.split("."))


def _titled(name: str, schema: Schema) -> Schema:
    return {"title": title_of(name), **schema}


def _ref(*way: str) -> Schema:
    return {"$ref": "/".join(("#", *way))}
