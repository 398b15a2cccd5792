"""Message classes → JSON Schemas of what stands on the streams: the whole envelope, with its data.

Descriptions are the classes' docstrings. Fields that a schema does not name are allowed everywhere: a reader has to
pass over what it does not know. Source: https://json-schema.org/draft/2020-12
"""

import inspect
from collections.abc import Iterable
from typing import Any

import msgspec

from contract.envelope import Envelope, Payload

Schema = dict[str, Any]

DIALECT = "https://json-schema.org/draft/2020-12/schema"

#: What each attribute of the envelope says.
ATTRIBUTES = {
    "id": "Chosen by the producer; the same fact has the same id, however often it is stated.",
    "source": "The stage that says it, or `penstock` for a command that a person gave.",
    "type": "What kind of message it is; fixed for ever.",
    "time": "When it was said: RFC 3339, in UTC.",
    "crawl": "The id of the crawl that it belongs to.",
    "subject": "The URL or host that it is about.",
    "dataversion": "The version of this type of message; 1 where it is absent.",
    "correlationid": "What all messages of one crawl have in common: the crawl's id.",
    "causationid": "The id of the message that led to this one.",
    "traceparent": "W3C Trace Context: the span in which this was said. Absent where nothing is traced.",
}
_FORMATS = {"time": "date-time", "source": "uri-reference"}


def message_schema(kind: type[Payload]) -> Schema:
    """The schema of one kind of message in its current version, complete in itself."""
    payload, parts = payload_schemas([kind], place="#/$defs/")
    return {
        "$schema": DIALECT,
        "$id": f"urn:penstock:message:{kind.TYPE}:v{kind.VERSION}",
        "title": kind.TYPE,
        **_merged(envelope_schema(), kind_schema(kind, data=payload[kind.TYPE])),
        "$defs": parts,
    }


def _merged(envelope: Schema, of_kind: Schema) -> Schema:
    properties = {
        name: {**about, **of_kind["properties"].get(name, {})} for name, about in envelope["properties"].items()
    }
    return {
        "description": of_kind["description"],
        "type": "object",
        "properties": {**properties, "data": of_kind["properties"]["data"]},
        "required": list(dict.fromkeys([*envelope["required"], *of_kind["required"]])),
    }


def bundle(kinds: Iterable[type[Payload]]) -> Schema:
    """One schema of any message, for tools that know draft-07 alone."""
    kinds = list(kinds)
    payloads, parts = payload_schemas(kinds, place="#/definitions/")
    messages = {
        kind.TYPE: _merged(envelope_schema(), kind_schema(kind, data={"$ref": f"#/definitions/{kind.TYPE}.data"}))
        for kind in kinds
    }
    data = {f"{name}.data": schema for name, schema in payloads.items()}
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "$id": "urn:penstock:messages",
        "title": "Message",
        "oneOf": [{"$ref": f"#/definitions/{name}"} for name in messages],
        "definitions": {
            name: {"title": name, **draft_7(schema)} for name, schema in {**messages, **data, **parts}.items()
        },
    }


def draft_7(schema: Any) -> Any:
    """The same schema in an older dialect, the one that AsyncAPI takes for granted; it says tuples in another way."""
    if isinstance(schema, dict):
        words = {"prefixItems": "items", "items": "additionalItems"} if "prefixItems" in schema else {}
        return {words.get(key, key): draft_7(value) for key, value in schema.items()}
    return [draft_7(value) for value in schema] if isinstance(schema, list) else schema


def envelope_schema() -> Schema:
    """The schema of what every message has around its data: CloudEvents attributes and extensions."""
    _, components = msgspec.json.schema_components([Envelope])
    [found] = components.values()
    attributes = {name: _attribute(name, about) for name, about in found["properties"].items()}
    return {
        "description": plain(Envelope.__doc__),
        "type": "object",
        "properties": {
            "specversion": {"description": "The version of CloudEvents.", "const": "1.0"},
            "datacontenttype": {"description": "What `data` is.", "const": "application/json"},
            **attributes,
        },
        "required": ["specversion", *found["required"]],
    }


def _attribute(name: str, about: Schema) -> Schema:
    # An attribute that says nothing is absent, never null: CloudEvents knows no null.
    [value] = [one for one in about.get("anyOf", [about]) if one != {"type": "null"}]
    said: Schema = {"description": ATTRIBUTES[name], "type": value["type"]}
    if value["type"] == "string":
        said["minLength"] = 1
    return said | ({"format": _FORMATS[name]} if name in _FORMATS else {})


def kind_schema(kind: type[Payload], *, data: Schema) -> Schema:
    """What one kind adds to the envelope: its type, its version and its data."""
    version: Schema = {"const": kind.VERSION, **({"default": 1} if kind.VERSION == 1 else {})}
    return {
        "description": plain(kind.__doc__),
        "type": "object",
        "properties": {"type": {"const": kind.TYPE}, "dataversion": version, "data": data},
        "required": ["type", *([] if kind.VERSION == 1 else ["dataversion"]), "data"],
    }


def payload_schemas(kinds: Iterable[type[Payload]], *, place: str) -> tuple[dict[str, Schema], dict[str, Schema]]:
    """(type name → schema of its data, class name → schema of a part); references to parts begin with `place`."""
    kinds = list(kinds)
    _, components = msgspec.json.schema_components(kinds, ref_template=place + "{name}")
    payloads = {kind.TYPE: _tidy(components.pop(kind.__name__)) for kind in kinds}
    for payload in payloads.values():  # the message says both, and class names are no part of the contract
        payload.pop("title", None)
        payload.pop("description", None)
    return payloads, {name: _tidy(part) for name, part in sorted(components.items())}


def _tidy(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: plain(item) if _is_description(key, item) else _tidy(item) for key, item in value.items()}
    return [_tidy(item) for item in value] if isinstance(value, list) else value


def _is_description(key: str, item: Any) -> bool:
    return key == "description" and isinstance(item, str)


def plain(docstring: str | None) -> str:
    """A docstring without its indentation and line ends; an empty line parts its paragraphs."""
    paragraphs = inspect.cleandoc(docstring or "").split("\n\n")
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)
