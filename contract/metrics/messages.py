"""What the messages of some stages say that is worth counting: outcomes of fetches, pages read, what was recorded.

Pure readers of payloads; the stages themselves count nothing of it.
"""

from collections.abc import Callable, Sequence
from typing import Any

from contract.bus.delivery import Delivery
from contract.envelope import Payload
from contract.metrics.numbers import add, observe
from contract.pages import PageExcluded, PageFailed, PageFetched, PageParsed, RobotsFetched, body_of
from contract.topology import FETCH, PARSE, RECORD


def of_fetch(outcome: Payload) -> None:
    """Count the outcome of a URL job."""
    if isinstance(outcome, PageFetched):
        add("penstock_fetch_outcomes", "fetched", "redirect" if outcome.location else "page")
        add("penstock_fetch_wire_bytes", amount=outcome.body.wire)
        add("penstock_fetch_body_bytes", amount=outcome.body.size)
    elif isinstance(outcome, PageFailed):
        add("penstock_fetch_outcomes", "failed", "http_status" if outcome.status else outcome.reason)
    elif isinstance(outcome, PageExcluded):
        add("penstock_fetch_outcomes", "excluded", outcome.reason)
        return
    elif isinstance(outcome, RobotsFetched):
        add("penstock_fetch_outcomes", "robots", outcome.verdict)
    _count_request(outcome)


def _count_request(outcome: Any) -> None:
    if outcome.attempt > 1:
        add("penstock_fetch_retries")
    if outcome.asked:
        add("penstock_fetch_answers", f"{outcome.status // 100}xx" if outcome.status else "none")
        observe("penstock_fetch_seconds", value=outcome.elapsed_ms / 1000)


def of_parse(page: Payload) -> None:
    """Count a page that was read."""
    if isinstance(page, PageParsed):
        add("penstock_read_pages", page.error or "read")
        add("penstock_parse_links", amount=len(page.links))
        if page.elapsed_ms:
            observe("penstock_parse_seconds", value=page.elapsed_ms / 1000)


def of_record(deliveries: Sequence[Delivery]) -> None:
    """Count what is recorded by now of these deliveries; one that came again counts again."""
    add("penstock_recorded_items", amount=sum(_items(one.payload) for one in deliveries))
    stored = (body.stored for one in deliveries if (body := body_of(one.payload)))
    add("penstock_archive_bytes", amount=sum(stored))


def _items(payload: Payload) -> int:
    return len(payload.items) if isinstance(payload, PageParsed) else 0


#: Stage → what to count of each message that it publishes.
GIVEN: dict[str, Callable[[Payload], None]] = {FETCH.name: of_fetch, PARSE.name: of_parse}
#: Stage → what to count of deliveries that it has finished.
TAKEN: dict[str, Callable[[Sequence[Delivery]], None]] = {RECORD.name: of_record}
