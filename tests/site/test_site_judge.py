"""The judge reads politeness out of a log and out of nothing else."""

from penstock.site import HostReport, RequestRecord, judge

HOST = "127.1.0.1:8000"
SECOND = 1_000_000_000


def make_record(start: float, end: float, path: str = "/page", *, status: int = 200, **more: object) -> RequestRecord:
    """A record whose times are given in seconds."""
    fields = {"host": HOST, "connection": 1, "attempt": 1, "user_agent": "test", "in_flight": 1} | more
    return RequestRecord(start_ns=int(start * SECOND), end_ns=int(end * SECOND), path=path, status=status, **fields)


def report(*records: RequestRecord, tolerance_seconds: float = 0.0) -> HostReport:
    return judge(records, tolerance_seconds=tolerance_seconds)[HOST]


def test_requests_that_overlap_are_in_flight_together():
    assert report(make_record(0, 3), make_record(1, 4), make_record(2, 5), make_record(6, 7)).most_in_flight == 3


def test_a_request_that_starts_as_another_ends_is_not_beside_it():
    assert report(make_record(0, 1), make_record(1, 2)).most_in_flight == 1


def test_a_request_without_duration_is_still_in_flight_once():
    assert report(make_record(1, 1)).most_in_flight == 1


def test_the_smallest_gap_is_from_start_to_start_and_counts_robots():
    assert report(make_record(5, 6), make_record(2, 4.9), make_record(1, 1.5, "/robots.txt")).smallest_gap_seconds == 1


def test_one_request_has_no_gap():
    assert report(make_record(0, 1)).smallest_gap_seconds is None


def test_hosts_are_judged_apart():
    other = make_record(0.1, 0.2, host="127.1.0.2:8000")

    reports = judge([make_record(0, 1), other, make_record(3, 4)])

    assert reports[HOST].smallest_gap_seconds == 3
    assert reports[HOST].most_in_flight == 1


def test_a_request_before_a_retry_after_has_passed_is_too_early():
    told = make_record(0, 1, status=429, retry_at_ns=6 * SECOND)
    under_way = make_record(0.5, 2, "/under-way")
    early, late = make_record(5.9, 6, "/early"), make_record(6.1, 7, "/late")

    assert report(told, under_way, early, late).too_early == (early,)
    assert report(told, under_way, early, late, tolerance_seconds=0.2).too_early == ()


def test_forbidden_paths_are_named():
    assert report(make_record(0, 1, "/private/report-7")).disallowed == ("/private/report-7",)
    assert report(make_record(0, 1, "/private/press/report-7")).disallowed == ()


def test_robots_comes_first_only_if_it_was_answered_before_the_first_page():
    page = make_record(2, 3)

    assert report(make_record(0, 1, "/robots.txt"), page).robots_first
    assert not report(make_record(0, 2.5, "/robots.txt"), page).robots_first
    assert not report(page, make_record(4, 5, "/robots.txt")).robots_first
    assert not report(page).robots_first


def test_another_try_after_a_failure_is_no_second_fetch():
    failed = make_record(0, 1, "/a", status=503)

    assert report(failed, make_record(2, 3, "/a")).refetched == {}
    assert report(failed, make_record(2, 3, "/a"), make_record(4, 5, "/a")).refetched == {"/a": 2}
