"""A page at rest: what is written is a WARC that other people's tools read, and is read back as it was."""

import base64
import gzip
import hashlib
import io

import pytest
from fastwarc.warc import ArchiveIterator, WarcRecordType
from warcio.archiveiterator import ArchiveIterator as WarcioIterator

from contract.warc_ids import warcinfo_id
from scraper.errors import DamagedRecord
from scraper.warc import digest_of, read_record, write_record

REQUEST = b"GET /\xc3\xa4?q=1 HTTP/1.1\r\nHost: site.test\r\nUser-Agent: Penstock/0.1\r\n\r\n"
BODY = "<title>café</title>".encode()


def make_record(*, url="http://site.test/ä", body=BODY, **changes):
    fields = {
        "event_id": "c.1.out", "status": 200, "reason": "OK", "digest": digest_of(body),
        "started_at": 1_795_000_000_123, "headers": [("Content-Type", "text/html")],
    }  # fmt: skip
    return write_record(url=url, body=body, **{**fields, **changes})


def test_a_page_is_read_back_as_it_was():
    page = read_record(make_record(status=301, headers=[("Location", "/b"), ("content-type", "text/html; charset=x")]))

    assert (page.url, page.status, page.body) == ("http://site.test/ä", 301, BODY)
    assert page.content_type == "text/html; charset=x"
    assert page.headers == [
        ("Location", "/b"), ("content-type", "text/html; charset=x"), ("Content-Length", str(len(BODY))),
    ]  # fmt: skip


@pytest.mark.parametrize("body", [b"", b"\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\n" * 3, bytes(range(256)) * 999])
def test_any_body_survives(body):
    assert read_record(make_record(body=body)).body == body


def test_headers_that_were_true_on_the_wire_only_are_kept_under_another_name():
    wire = [("Content-Encoding", "gzip"), ("Content-Length", "7"), ("Transfer-Encoding", "chunked")]

    page = read_record(make_record(headers=wire))

    assert page.headers == [
        ("X-Archive-Orig-Content-Encoding", "gzip"),
        ("X-Archive-Orig-Content-Length", "7"),
        ("X-Archive-Orig-Transfer-Encoding", "chunked"),
        ("Content-Length", str(len(BODY))),
    ]


def test_headers_in_latin1_survive_and_breaks_in_them_do_not():
    page = read_record(make_record(headers=[("X-A", "caf\xe9\xff"), ("X-B", "one\r\ntwo")], reason="O\nK"))

    assert page.headers[:2] == [("X-A", "caf\xe9\xff"), ("X-B", "one two")]


def test_the_same_event_has_the_same_record_byte_for_byte():
    assert make_record() == make_record()
    assert make_record() != make_record(event_id="c.2.out")


def test_digests_are_those_that_other_tools_verify():
    raw = make_record(request=REQUEST, crawl="c")

    records = list(ArchiveIterator(io.BytesIO(raw), parse_http=False))
    assert [each.verify_block_digest() for each in ArchiveIterator(io.BytesIO(raw), parse_http=False)] == [True, True]
    bodies = [each.content_stream().read() for each in WarcioIterator(io.BytesIO(raw), check_digests="raise")]
    assert bodies == [BODY, b""]
    payload = records[0].headers["WARC-Payload-Digest"]
    assert payload == "sha256:" + base64.b32encode(hashlib.sha256(BODY).digest()).decode()


def test_all_records_of_a_crawl_name_its_warcinfo_record():
    raw = make_record(request=REQUEST, crawl="c")
    names = [each.headers["WARC-Warcinfo-ID"] for each in ArchiveIterator(io.BytesIO(raw), parse_http=False)]

    assert names == [warcinfo_id("c")] * 2


def test_the_request_lies_behind_the_answer_and_names_it():
    with_request = make_record(request=REQUEST, address="192.0.2.7")

    assert with_request.startswith(make_record(address="192.0.2.7"))
    records = ArchiveIterator(io.BytesIO(with_request), parse_http=False)
    answer, request = ((each.headers.asdict(), each.reader.read()) for each in records)
    assert request[0]["WARC-Type"] == "request"
    assert request[0]["WARC-Concurrent-To"] == answer[0]["WARC-Record-ID"] != request[0]["WARC-Record-ID"]
    for name in ("WARC-Target-URI", "WARC-Date", "WARC-IP-Address"):
        assert request[0][name] == answer[0][name]
    assert request[1] == REQUEST


def test_a_page_is_read_alike_with_its_request_and_without():
    assert read_record(make_record(request=REQUEST)) == read_record(make_record())


def test_warcio_reads_it_and_its_digest_is_right():
    stream = io.BytesIO(make_record(address="192.0.2.7") + make_record(event_id="c.2.out"))

    records = []
    for record in WarcioIterator(stream, check_digests="raise"):
        body = record.content_stream().read()
        records.append((record.rec_type, record.http_headers.get_statuscode(), body, record.digest_checker.passed))
        target = record.rec_headers.get_header("WARC-Target-URI")
        date = record.rec_headers.get_header("WARC-Date")

    assert records == [("response", "200", BODY, True)] * 2
    assert (target, date) == ("http://site.test/ä", "2026-11-18T11:06:40.123Z")


def test_fastwarc_reads_it():
    stream = io.BytesIO(make_record(address="192.0.2.7") * 2)

    for record in ArchiveIterator(stream, parse_http=True):
        assert record.record_type is WarcRecordType.response
        assert record.headers["WARC-IP-Address"] == "192.0.2.7"
        assert (record.http_headers.status_code, record.reader.read()) == (200, BODY)


@pytest.mark.parametrize(
    "raw",
    [b"", b"no gzip", gzip.compress(b""), gzip.compress(b"WARC/1.1\r\n\r\n"), make_record()[:-9]],
    ids=["nothing", "no gzip", "an empty member", "a bare head", "cut off"],
)
def test_bytes_that_are_no_record_are_called_damaged(raw):
    with pytest.raises(DamagedRecord):
        read_record(raw)
