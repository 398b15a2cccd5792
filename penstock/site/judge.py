"""How politely each host was asked, read from the log alone. Requests for robots.txt count like any other."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise

from msgspec import Struct

from penstock.site.requests_log import RequestRecord
from penstock.site.robots import ROBOTS_PATH, is_disallowed

_NS_PER_SECOND = 1_000_000_000
#: Answers that ask for another try, so that asking again is not fetching twice.
_TRY_AGAIN = frozenset({0, 408, 425, 429, 500, 502, 503, 504})


class HostReport(Struct, frozen=True):
    """What one host saw."""

    host: str
    requests: int
    most_in_flight: int
    #: Between the starts of two requests; None if there was only one.
    smallest_gap_seconds: float | None
    #: Requests that came before a Retry-After of this host had passed.
    too_early: tuple[RequestRecord, ...]
    #: Paths asked for though robots.txt forbids them.
    disallowed: tuple[str, ...]
    #: Whether a robots.txt had been answered before anything else was asked for.
    robots_first: bool
    #: Paths answered for good more than once, with how often.
    refetched: dict[str, int]


def judge(
    records: Iterable[RequestRecord],
    *,
    disallowed: Callable[[str], bool] = is_disallowed,
    tolerance_seconds: float = 0.0,
) -> dict[str, HostReport]:
    """A report for each host (with port) in the log; too early means by more than the tolerance."""
    by_host: dict[str, list[RequestRecord]] = defaultdict(list)
    for record in sorted(records, key=lambda record: record.start_ns):
        by_host[record.host].append(record)
    return {
        host: HostReport(
            host=host,
            requests=len(seen),
            most_in_flight=most_in_flight(seen),
            smallest_gap_seconds=smallest_gap_seconds(seen),
            too_early=too_early(seen, tolerance_seconds=tolerance_seconds),
            disallowed=tuple(record.path for record in seen if disallowed(record.path)),
            robots_first=robots_first(seen),
            refetched=refetched(seen),
        )
        for host, seen in by_host.items()
    }


def most_in_flight(records: Sequence[RequestRecord]) -> int:
    """The most requests of one host that were open at the same time."""
    # Ends sort before starts: a request that starts in the nanosecond in which another ends is not beside it.
    ends = [(max(record.end_ns, record.start_ns + 1), -1) for record in records]
    changes = sorted([(record.start_ns, 1) for record in records] + ends)
    most = now = 0
    for _, change in changes:
        now += change
        most = max(most, now)
    return most


def smallest_gap_seconds(records: Sequence[RequestRecord]) -> float | None:
    """The shortest time between two starts at one host, records sorted by start; None for fewer than two."""
    gaps = (later.start_ns - earlier.start_ns for earlier, later in pairwise(records))
    smallest = min(gaps, default=None)
    return None if smallest is None else smallest / _NS_PER_SECOND


def too_early(records: Sequence[RequestRecord], *, tolerance_seconds: float = 0.0) -> tuple[RequestRecord, ...]:
    """The requests of one host that started after an answer with Retry-After, and before that had passed."""
    tolerance_ns = int(tolerance_seconds * _NS_PER_SECOND)
    told = [(record.end_ns, record.retry_at_ns - tolerance_ns) for record in records if record.retry_at_ns]
    return tuple(record for record in records if any(after < record.start_ns < until for after, until in told))


def robots_first(records: Sequence[RequestRecord]) -> bool:
    """Whether robots.txt of one host was answered before anything else started, records sorted by start."""
    pages = [record for record in records if not record.path.startswith("/robots")]
    asked = [record for record in records if record.path == ROBOTS_PATH]
    if not pages:
        return bool(asked)
    return bool(asked) and min(record.end_ns for record in asked) <= pages[0].start_ns


def refetched(records: Sequence[RequestRecord]) -> dict[str, int]:
    """The paths of one host that were answered for good more than once."""
    answers = Counter(record.path for record in records if record.status not in _TRY_AGAIN)
    return {path: count for path, count in answers.items() if count > 1}
