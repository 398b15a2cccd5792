"""Who makes spans and whom they are told to, by OpenTelemetry's own environment variables."""

import logging
from collections.abc import Mapping
from contextvars import ContextVar

from opentelemetry.sdk.resources import SERVICE_NAME, OTELResourceDetector, Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, ConsoleSpanExporter, SimpleSpanProcessor, SpanExporter
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator

from contract.errors import Refused
from contract.tracing.ids import Place

#: Who the spans come from, unless OTEL_SERVICE_NAME says it.
SERVICE = "penstock"

#: The ids that the next span of this context is to have.
chosen: ContextVar[Place | None] = ContextVar("chosen", default=None)


class ChosenIds(RandomIdGenerator):
    """Ids that were chosen, else random ones."""

    def generate_trace_id(self) -> int:
        """The trace's."""
        place = chosen.get()
        return place.trace_id if place and place.trace_id else super().generate_trace_id()

    def generate_span_id(self) -> int:
        """The span's."""
        place = chosen.get()
        return place.span_id if place and place.span_id else super().generate_span_id()


def make_provider(environ: Mapping[str, str], *, exporter: SpanExporter | None = None) -> TracerProvider:
    """A provider of our own; nobody else's spans go through it. Raises `Refused` for an exporter that is not known."""
    resource = Resource({SERVICE_NAME: SERVICE}).merge(OTELResourceDetector().detect())
    provider = TracerProvider(resource=resource, id_generator=ChosenIds(), shutdown_on_exit=False)
    processor = SimpleSpanProcessor(exporter) if exporter else _processor(environ)
    if processor:
        provider.add_span_processor(processor)
    return provider


def _processor(environ: Mapping[str, str]) -> SpanProcessor | None:
    word = environ.get("OTEL_TRACES_EXPORTER", "otlp")
    if word == "none":
        return None
    if word == "console":
        return SimpleSpanProcessor(ConsoleSpanExporter())
    if word != "otlp":
        raise Refused(f"OTEL_TRACES_EXPORTER must be otlp, console or none, not {word!r}")
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    # A collector that is away is said once for each batch, not for each attempt too.
    logging.getLogger("opentelemetry.exporter").setLevel("ERROR")
    return BatchSpanProcessor(OTLPSpanExporter())
