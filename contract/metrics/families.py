"""Every metric of a stage process: name, kind, labels and all the values that they can have. Pure data.

Label values are part of the declaration, so nothing that a site says can make a series; a word that is not declared
counts as `other`. Names follow Prometheus: base units, `_total` for what only grows (which the exposition adds).
"""

from typing import Literal

import msgspec

from contract.topology import DISPATCH, FETCH, PARSE, RECORD, STAGES

OTHER = "other"

#: What becomes of a delivery: finished here; finished by somebody else, to whom the lease went; a dead letter; given
#: back, or left to come again.
RESULTS = ("done", "lost", "buried", "returned")
#: Seconds: from what a batch takes in Redis to what a slow site may take.
SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
#: Seconds of reading one page.
READING_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 10.0)
#: Deliveries taken at once.
BATCHES = (1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0)

#: What a job can come to, with the reason; HTTP statuses are one reason, and counted by class apart.
FETCH_OUTCOMES = (
    *(("fetched", reason) for reason in ("page", "redirect")),
    *(
        ("failed", reason)
        for reason in (
            *("failed", "http_status", "invalid_url", "dns_not_found", "dns_failed", "connect_refused"),
            *("connect_failed", "tls", "timeout", "too_slow", "deadline", "not_http", "protocol_error"),
            *("headers_too_large", "unknown_status", "bad_location", "too_many_redirects", "body_too_large"),
            *("too_many_encodings", "unsupported_encoding", "truncated", "robots_unreachable"),
            "worker_lost",
            *("own_error", "redirect_loop", "needs_cookies", OTHER),
        )
    ),
    *(("excluded", reason) for reason in ("robots", "blocked_address", "cancelled", OTHER)),
    *(("robots", verdict) for verdict in ("rules", "allow", "deny", "retry")),
)
#: The first digit of the status; `none` where a request was sent and no answer came.
STATUS_CLASSES = ("2xx", "3xx", "4xx", "5xx", "none")
#: How the reading of a page ended.
PARSE_RESULTS = (
    *("read", "body_lost", "body_damaged", "parse_timeout", "parse_memory", "parser_crashed"),
    *("spider_unusable", "extractor_failed", OTHER),
)
#: What a round of dispatch came to: jobs, or what all that is queued waits for.
ROUNDS = ("issued", "back_pressure", "politeness", "in_flight", "nothing")


class Family(msgspec.Struct, frozen=True, kw_only=True):
    """One metric. `values` are all combinations of its labels; `bounds` are a histogram's, `stage` says whose it is.

    An empty `stage` is for what each stage has: its first label is the stage.
    """

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    text: str
    stage: str = ""
    labels: tuple[str, ...] = ()
    values: tuple[tuple[str, ...], ...] = ((),)
    bounds: tuple[float, ...] = ()

    @property
    def width(self) -> int:
        """Cells of one combination: a histogram has one for each bound, one beyond the last, and the sum."""
        return len(self.bounds) + 2 if self.kind == "histogram" else 1


_EACH = tuple((stage.name,) for stage in STAGES if stage.takes)
_ENDS = tuple((*stage, result) for stage in _EACH for result in RESULTS)

OF_STAGES = (
    Family(name="penstock_messages", kind="counter", labels=("stage", "result"), values=_ENDS,
           text="Deliveries that this process ended, by how."),
    Family(name="penstock_handling_seconds", kind="histogram", labels=("stage",), values=_EACH, bounds=SECONDS,
           text="From taking a delivery until it was ended."),
    Family(name="penstock_batch_messages", kind="histogram", labels=("stage",), values=_EACH, bounds=BATCHES,
           text="Deliveries taken at once."),
    Family(name="penstock_redeliveries", kind="counter", labels=("stage",), values=_EACH,
           text="Deliveries that another consumer, or this one, had before."),
    Family(name="penstock_failed_renewals", kind="counter", labels=("stage",), values=_EACH,
           text="Times that the leases of what is held could not be renewed."),
    Family(name="penstock_held_messages", kind="gauge", labels=("stage",), values=_EACH,
           text="Deliveries that this process holds; for scraper.fetch the jobs in flight."),
)  # fmt: skip
OF_DISPATCH = (
    Family(name="penstock_issued_jobs", kind="counter", stage=DISPATCH.name, text="Jobs that this process issued."),
    Family(name="penstock_dispatch_rounds", kind="counter", stage=DISPATCH.name, labels=("result",),
           values=tuple((word,) for word in ROUNDS),
           text="Rounds of dispatch, by what came of them or what all that is queued waits for."),
    Family(name="penstock_back_pressure", kind="gauge", stage=DISPATCH.name,
           text="1 while no job is issued because the stages downstream have too much to do."),
)  # fmt: skip
OF_FETCH = (
    Family(name="penstock_fetch_outcomes", kind="counter", stage=FETCH.name, labels=("outcome", "reason"),
           values=FETCH_OUTCOMES, text="Jobs that ended, by outcome and reason."),
    Family(name="penstock_fetch_answers", kind="counter", stage=FETCH.name, labels=("status",),
           values=tuple((word,) for word in STATUS_CLASSES), text="Requests that were sent, by class of the answer."),
    Family(name="penstock_fetch_seconds", kind="histogram", stage=FETCH.name, bounds=SECONDS,
           text="From sending a request until the end of its body."),
    Family(name="penstock_fetch_retries", kind="counter", stage=FETCH.name, text="Jobs that were no first attempt."),
    Family(name="penstock_fetch_wire_bytes", kind="counter", stage=FETCH.name, text="Bytes of bodies as they came."),
    Family(name="penstock_fetch_body_bytes", kind="counter", stage=FETCH.name, text="Bytes of bodies, decoded."),
)  # fmt: skip
OF_PARSE = (
    Family(name="penstock_read_pages", kind="counter", stage=PARSE.name, labels=("result",),
           values=tuple((word,) for word in PARSE_RESULTS), text="Pages given to parsers, by how reading ended."),
    Family(name="penstock_parse_seconds", kind="histogram", stage=PARSE.name, bounds=READING_SECONDS,
           text="Time that reading one page took in a parser process."),
    Family(name="penstock_parse_links", kind="counter", stage=PARSE.name, text="Links handed over as perhaps new."),
    Family(name="penstock_parser_restarts", kind="counter", stage=PARSE.name,
           text="Parser processes that ended and were replaced."),
)  # fmt: skip
OF_RECORD = (
    Family(name="penstock_recorded_events", kind="counter", stage=RECORD.name, text="Events that were not known yet."),
    Family(name="penstock_record_batch_seconds", kind="histogram", stage=RECORD.name, bounds=SECONDS,
           text="From beginning a transaction until it was committed, archive and all."),
    Family(name="penstock_record_retries", kind="counter", stage=RECORD.name,
           text="Transactions that the database did not take, and that were tried again."),
    Family(name="penstock_recorded_items", kind="counter", stage=RECORD.name, text="Items of recorded pages."),
    Family(name="penstock_archive_bytes", kind="counter", stage=RECORD.name, text="Bytes of bodies archived."),
)  # fmt: skip

FAMILIES: tuple[Family, ...] = (*OF_STAGES, *OF_DISPATCH, *OF_FETCH, *OF_PARSE, *OF_RECORD)
