"""Traces: one for each URL of a crawl, from its job to its rows, told to OpenTelemetry. Off unless `traces` is set.

    page.fetch ─▶ fetch ─┬─▶ page.fetched ─┬─▶ parse ─▶ page.parsed ─┬─▶ discover ─▶ page.excluded ─▶ …
    (trace of the URL)   └─ GET            ├─▶ settle                └─▶ record
                                           └─▶ record

A whole crawl as one trace would have millions of spans, which nobody can look at, so the trace of a URL begins with its
job, and is *linked* to the trace of the page that led there (a seed's to that of `crawl.start`). Trace ids follow from
crawl and URL, so that nothing has to be carried through the frontier, where a URL may lie for days: whoever takes a job
knows its trace and that of the page before. All attempts at a URL are in one trace, and every sampler that goes by the
trace id decides the same for each of them.

From the job on, W3C's `traceparent` travels in the envelope: a delivery's is that of the span in which it is handled,
and what follows from the delivery carries it on, also what a script words. A process that traces nothing hands on what
it was given.

Sampler, exporter and resource are set by OpenTelemetry's own OTEL_* environment. Spans have the words of its
conventions for messaging: https://opentelemetry.io/docs/specs/semconv/messaging/
"""

from contract.tracing.switch import begin, end

__all__ = ["begin", "end"]
