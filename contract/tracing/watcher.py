"""A span for each delivery of a stage's consumer, from when it is taken until it has ended.

Takes what a consumer tells; gives deliveries whose `traceparent` is that of their span, so that what follows from them
carries it on. Names and attributes are those of OpenTelemetry's conventions for messaging and HTTP.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace import (
    Link,
    NonRecordingSpan,
    Span,
    SpanContext,
    SpanKind,
    StatusCode,
    TraceFlags,
    set_span_in_context,
)

from contract.bus.delivery import Delivery
from contract.bus.watching import Result, Watcher
from contract.envelope import Message
from contract.logs import masked
from contract.pages import PageExcluded, PageFailed, PageFetched, PageParsed, RobotsFetched
from contract.topology import FETCH, Stage
from contract.tracing.ids import Place, first_span, led_by, read, written
from contract.tracing.provider import chosen

_NS_A_MS = 1_000_000


class Tracing(Watcher):
    """The spans of one consumer of a stage."""

    def __init__(self, stage: Stage, provider: TracerProvider) -> None:
        self._stage, self._tracer = stage.name, provider.get_tracer(stage.name)
        self._spans: dict[tuple[str, str], Span] = {}

    def __repr__(self) -> str:
        return f"<Tracing {self._stage}: {len(self._spans)} spans open>"

    def taken(self, deliveries: list[Delivery]) -> list[Delivery]:
        """Begin a span for each."""
        return [self._begin(delivery) for delivery in deliveries]

    def _begin(self, delivery: Delivery) -> Delivery:
        message = delivery.message
        span = self._continued(delivery) or self._first(delivery)
        self._spans[delivery.stream, delivery.id] = span
        envelope = msgspec.structs.replace(message.envelope, traceparent=written(_place(span)))
        return msgspec.structs.replace(delivery, message=Message(envelope, message.payload))

    def _continued(self, delivery: Delivery) -> Span | None:
        parent = read(delivery.envelope.traceparent)
        return self._start(delivery, parent=parent) if parent else None

    def _first(self, delivery: Delivery) -> Span:
        place, leader = first_span(delivery.message), led_by(delivery.message)
        if place and delivery.count > 1:  # the first delivery may have told a span of that id
            place = Place(place.trace_id, 0)
        token = chosen.set(place)
        try:
            return self._start(delivery, links=[Link(_context(leader))] if leader else [])
        finally:
            chosen.reset(token)

    def _start(self, delivery: Delivery, *, parent: Place | None = None, links: Sequence[Link] = ()) -> Span:
        within = set_span_in_context(NonRecordingSpan(_context(parent))) if parent else None
        envelope, payload = delivery.envelope, delivery.payload
        attributes: dict[str, str | int] = {
            "messaging.system": "redis",
            "messaging.operation.name": "process",
            "messaging.operation.type": "process",
            "messaging.destination.name": delivery.stream,
            "messaging.consumer.group.name": self._stage,
            "messaging.message.id": envelope.id,
            "penstock.crawl": envelope.crawl,
        }
        if url := getattr(payload, "url", None):
            attributes |= {"url.full": masked(url), "penstock.url_key": getattr(payload, "fingerprint", "")}
        if delivery.count > 1:
            attributes["penstock.delivery_count"] = delivery.count
        name = f"process {delivery.stream}"
        return self._tracer.start_span(name, within, kind=SpanKind.CONSUMER, attributes=attributes, links=links)

    def gave(self, delivery: Delivery, messages: Sequence[Message]) -> None:
        """Note what came of a delivery."""
        span = self._spans.get((delivery.stream, delivery.id))
        if span and span.is_recording():
            for message in messages:
                _describe(span, message.payload)
                if self._stage == FETCH.name:
                    self._tell_request(span, message.payload)

    def _tell_request(self, span: Span, outcome: object) -> None:
        """The request itself, which is over, as a span of its own inside."""
        if not isinstance(outcome, PageFetched | PageFailed | RobotsFetched) or not (
            outcome.asked and outcome.started_at
        ):
            return
        began = outcome.started_at * _NS_A_MS
        attributes = {"http.request.method": "GET", "url.full": masked(outcome.url), "server.address": outcome.host}
        within, kind = set_span_in_context(span), SpanKind.CLIENT
        request = self._tracer.start_span("GET", within, kind=kind, attributes=attributes, start_time=began)
        _describe(request, outcome)
        request.end(began + int(outcome.elapsed_ms * _NS_A_MS))

    def ended(self, deliveries: Sequence[Delivery], result: Result) -> None:
        """End the spans."""
        for delivery in deliveries:
            if span := self._spans.pop((delivery.stream, delivery.id), None):
                if result != "done":
                    span.set_attribute("penstock.result", result)
                if result == "buried":
                    span.set_status(StatusCode.ERROR, "buried")
                span.end()


def _describe(span: Span, said: object) -> None:
    """What a payload says of a page, as attributes."""
    error = None
    if isinstance(said, PageFetched | PageFailed | RobotsFetched) and said.status:
        span.set_attribute("http.response.status_code", said.status)
    if isinstance(said, PageFetched):
        span.set_attribute("http.response.body.size", said.body.wire)
    elif isinstance(said, PageFailed):
        error = said.reason
    elif isinstance(said, PageParsed):
        error = said.error
    elif isinstance(said, PageExcluded):
        span.set_attribute("penstock.excluded", said.reason)
    if error:
        span.set_attribute("error.type", error)
        span.set_status(StatusCode.ERROR, error)


def _context(place: Place) -> SpanContext:
    flags = TraceFlags(TraceFlags.SAMPLED if place.is_sampled else TraceFlags.DEFAULT)
    return SpanContext(place.trace_id, place.span_id, is_remote=True, trace_flags=flags)


def _place(span: Span) -> Place:
    found = span.get_span_context()
    return Place(found.trace_id, found.span_id, bool(found.trace_flags & TraceFlags.SAMPLED))
