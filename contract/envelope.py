"""The envelope around every payload, with CloudEvents 1.0 attribute names.

Takes a payload and who says it, gives a `Message`. Ids are chosen by the producer and are deterministic wherever the
same fact could be stated twice, so that the event store can refuse the second one by a unique constraint.
Source: https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md
"""

from datetime import UTC, datetime
from typing import Any, ClassVar

import msgspec


class Payload(msgspec.Struct, frozen=True, kw_only=True):
    """What a message says; each kind has a type name that is fixed for ever, and a version."""

    TYPE: ClassVar[str]
    VERSION: ClassVar[int] = 1


class Envelope(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The metadata of one message; names are CloudEvents attributes (extensions in lower case letters)."""

    id: str
    source: str
    type: str
    time: str
    crawl: str
    subject: str | None = None
    dataversion: int = 1
    correlationid: str | None = None
    causationid: str | None = None
    #: W3C Trace Context, where the message is traced. Source: CloudEvents' extension for distributed tracing.
    traceparent: str | None = None


class Message(msgspec.Struct, frozen=True):
    """An envelope and the payload inside it."""

    envelope: Envelope
    payload: Any


def new_message(
    payload: Payload,
    *,
    id: str,
    source: str,
    crawl: str,
    subject: str | None = None,
    cause: Envelope | None = None,
    time: str | None = None,
) -> Message:
    """Put a payload into an envelope; `source` is the stage's name, `cause` the message that led to this one."""
    envelope = Envelope(
        id=id,
        source=source,
        type=payload.TYPE,
        time=time or now_text(),
        crawl=crawl,
        subject=subject,
        dataversion=payload.VERSION,
        correlationid=crawl,
        causationid=cause.id if cause else None,
        traceparent=cause.traceparent if cause else None,
    )
    return Message(envelope, payload)


def now_text() -> str:
    """The time as RFC 3339 text in UTC, to the millisecond."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
