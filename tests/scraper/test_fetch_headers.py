"""Location and Retry-After."""

import time
from email.utils import formatdate

import pytest

from scraper.errors import BadLocation
from scraper.http.answer import Answer
from scraper.http.headers import location_of, retry_after_ms

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
        *(("Fri, 99 Dec 2026 23:59:59 GMT", None), ("1" * 400, None)),
    ],
)
def test_retry_after_is_read_in_both_forms_and_clamped(value, ms):
    assert retry_after_ms(value, now=NOW) == ms


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
