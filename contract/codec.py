"""Messages to bytes and back.

Owns the registry of message kinds, by type name and version. Old versions are upcast on read. Text is made safe here,
at the boundary: NUL and lone surrogates become U+FFFD, because neither PostgreSQL nor UTF-8 can hold them.
"""

import re
from collections.abc import Callable
from typing import Any

import msgspec

from contract import commands, crawls, pages
from contract.envelope import Envelope, Message, Payload
from contract.errors import Undecodable

_UNSAFE = re.compile("[\x00\ud800-\udfff]")
#: How JSON spells NUL.
_NUL = b"\\u0000"

KINDS: dict[str, type[Payload]] = {kind.TYPE: kind for kind in (*commands.ALL, *crawls.ALL, *pages.ALL)}

#: (type name, old version) → a function from that version's JSON object to the next version's.
UPCASTS: dict[tuple[str, int], Callable[[dict[str, Any]], dict[str, Any]]] = {}


class _Wire(Envelope, frozen=True, kw_only=True):
    specversion: str
    datacontenttype: str = "application/json"
    data: msgspec.Raw


class _Out(Envelope, frozen=True, kw_only=True):
    specversion: str
    datacontenttype: str
    data: Payload


_encoder = msgspec.json.Encoder()
_envelopes = msgspec.json.Decoder(_Wire)
_payloads = {name: msgspec.json.Decoder(kind) for name, kind in KINDS.items()}


def encode(message: Message) -> bytes:
    """A message as CloudEvents JSON, in UTF-8."""
    e = message.envelope
    wire = _Out(
        specversion="1.0",
        datacontenttype="application/json",
        id=e.id,
        source=e.source,
        type=e.type,
        time=e.time,
        crawl=e.crawl,
        subject=e.subject,
        dataversion=e.dataversion,
        correlationid=e.correlationid,
        causationid=e.causationid,
        traceparent=e.traceparent,
        data=message.payload,
    )
    try:
        raw = _encoder.encode(wire)
    except UnicodeEncodeError:  # a lone surrogate
        plain = msgspec.structs.replace(wire, data=_without_raw(wire.data))
        return _encoder.encode(clean(msgspec.to_builtins(plain)))
    return _encoder.encode(clean(msgspec.json.decode(raw))) if _NUL in raw else raw


def _without_raw(payload: Payload) -> Payload:
    # A stage may hand on parts that another process has encoded; only here they must be taken apart.
    raw = {name: getattr(payload, name) for name in payload.__struct_fields__}
    parts = {name: msgspec.json.decode(value) for name, value in raw.items() if isinstance(value, msgspec.Raw)}
    return msgspec.structs.replace(payload, **parts) if parts else payload


def decode(raw: bytes) -> Message:
    """The message in these bytes; raises `Undecodable` for anything that this version does not know."""
    try:
        wire = _envelopes.decode(raw)
        kind = KINDS.get(wire.type)
        if kind is None:
            raise Undecodable(f"unknown message type {wire.type!r}")
        payload = _payload(wire, kind)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise Undecodable(f"not a message: {error}") from error
    return Message(_envelope(wire), payload)


def _payload(wire: _Wire, kind: type[Payload]) -> Payload:
    if wire.dataversion == kind.VERSION:
        return _payloads[wire.type].decode(wire.data)
    data, version = msgspec.json.decode(wire.data), wire.dataversion
    while version != kind.VERSION:
        step = UPCASTS.get((wire.type, version))
        if step is None:
            raise Undecodable(f"unknown version {version} of message type {wire.type!r}")
        try:
            data, version = step(data), version + 1
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            raise Undecodable(f"version {version} of {wire.type!r} cannot be upcast: {error!r}") from error
    return msgspec.convert(data, kind)


def _envelope(wire: _Wire) -> Envelope:
    return Envelope(
        id=wire.id,
        source=wire.source,
        type=wire.type,
        time=wire.time,
        crawl=wire.crawl,
        subject=wire.subject,
        dataversion=KINDS[wire.type].VERSION,  # an old payload has been upcast
        correlationid=wire.correlationid,
        causationid=wire.causationid,
        traceparent=wire.traceparent,
    )


def clean(value: Any) -> Any:
    """The same JSON value with NUL and lone surrogates replaced by U+FFFD, in keys and texts at any depth."""
    if isinstance(value, str):
        return _UNSAFE.sub("\ufffd", value)
    if isinstance(value, dict):
        return {clean(key): clean(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [clean(item) for item in value]
    return value
