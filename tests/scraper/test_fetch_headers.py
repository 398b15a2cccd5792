"""Location and Retry-After."""

import time
from calendar import timegm
from email.utils import formatdate

import pytest

from scraper.errors import BadLocation
from scraper.http.answer import Answer
from scraper.http.headers import is_whole_range, location_of, retry_after_ms

NOW = 1_795_000_000.0


def make_answer(status=302, **headers):
    return Answer(
        url="http://site.test/a/b", status=status, reason="", http_version="1.1", headers=list(headers.items()),
        body=b"", wire=0, flags=(), started_at=0, elapsed_ms=0, address="",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("location", "target"),
    [
        ("c", "http://site.test/a/c"),
        ("/c?d", "http://site.test/c?d"),
        ("//other.test/x", "http://other.test/x"),
        ("https://other.test", "https://other.test/"),
        ("  /spaces and more  ", "http://site.test/spaces%20and%20more"),
        ("\\c", "http://site.test/c"),
        ("/café".encode().decode("latin-1"), "http://site.test/caf%C3%A9"),
        ("/caf\xe9", "http://site.test/caf%E9"),  # bytes that are not UTF-8: as they are, as Chromium and curl do
        ("/caf\xe9?\xc3\xa9=\xff", "http://site.test/caf%E9?%C3%A9=%FF"),
        ("\xa0/c", "http://site.test/a/%A0/c"),  # no white space of HTTP; as Chromium and curl do
        ("http://127.0.0.1/", "http://127.0.0.1/"),  # whether it may be fetched is decided when it is
    ],
)
def test_a_redirect_leads_to_an_absolute_url(location, target):
    assert location_of(make_answer(Location=location)) == target


@pytest.mark.parametrize(
    "location",
    ["javascript:alert(1)", "file:///etc/passwd", "data:,x", "http://a b/", "http://[::1/", "http://h:99999/"],
)
def test_a_redirect_to_no_web_page_is_bad(location):
    with pytest.raises(BadLocation):
        location_of(make_answer(location=location))


@pytest.mark.parametrize("status", [300, 301, 304, 305, 307])
@pytest.mark.parametrize("headers", [{}, {"Location": ""}, {"Location": "  "}])
def test_a_3xx_without_a_location_is_an_answer_of_its_own(status, headers):
    assert location_of(make_answer(status, **headers)) is None


def test_other_answers_lead_nowhere():
    assert location_of(make_answer(200, Location="/c")) is None


@pytest.mark.parametrize(
    ("value", "ms"),
    [
        *(("120", 120_000), ("0", 0), (" 5 ", 5_000), ("99999999999", 3_600_000), ("1" * 15, 3_600_000)),
        *((formatdate(NOW + 60, usegmt=True), 60_000), (formatdate(NOW - 60, usegmt=True), 0)),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 3_600_000),
        *(("", None), ("-5", None), ("1.5", None), ("1e9", None), ("٣٠", None), ("120, 240", None), ("soon", None)),
        *(("Fri, 99 Dec 2026 99:59:59 GMT", 3_600_000), ("1" * 400, None), ("\xa05", None)),
        *(("2026-12-01 12:00:00", None), ("2026-12-01T12:00:00Z", None), ("1796126520.5", None)),
    ],
)
def test_retry_after_is_read_in_both_forms_and_clamped(value, ms):
    assert retry_after_ms(value, now=NOW) == ms


@pytest.mark.parametrize(
    ("date", "seconds"),  # those that curl reads too, and to what
    [
        *(("01 Dec 2026 12:02:00 GMT", 0), ("1-Dec-26 12:02:00 GMT", 0), ("Tue, 01 Dec 2026 12:02 GMT", 0)),
        *(("Tue, 01 Dec 2026 12:02:60 GMT", 60), ("tue, 01 dec 2026 12:02:00 gmt", 0), ("Dec 01 12:02:00 2026", 0)),
        *(("Tue, 01 Dec 2026 04:02:00 -0800", 0), ("Tue, 01 Dec 2026 07:02:00 EST", 0)),
    ],
)
def test_a_date_is_read_in_the_forms_that_hosts_write(date, seconds):
    asked = timegm((2026, 12, 1, 12, 2, 0, 0, 0, 0))

    assert retry_after_ms(date, now=asked - 30) == (seconds + 30) * 1000


@pytest.mark.parametrize("zone", ["UTC", "America/New_York", "Asia/Kolkata"])
@pytest.mark.parametrize(
    "form", ["%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT", "%a %b %e %H:%M:%S %Y", "%a, %d %b %Y %H:%M:%S"]
)
def test_every_date_is_utc_whatever_its_form_and_the_zone_of_the_machine(form, zone, monkeypatch):
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        assert retry_after_ms(time.strftime(form, time.gmtime(NOW + 90)), now=NOW) == 90_000
    finally:
        monkeypatch.undo()
        time.tzset()


@pytest.mark.parametrize(
    ("value", "is_whole"),
    [
        *(("bytes 0-3/4", True), (" Bytes 0-0/1 ", True), ("bytes 0-3/8", False), ("bytes 4-7/8", False)),
        *(("bytes 1-4/4", False), ("bytes 0-3/*", False), ("bytes */4", False), ("", False), ("items 0-3/4", False)),
    ],
)
def test_a_part_is_the_whole_if_its_range_says_so(value, is_whole):
    assert is_whole_range(value) is is_whole
