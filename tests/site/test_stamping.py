"""A request is stamped when it came, not when a busy site has the time to read it."""

import asyncio
import socket
import sys
import time

import pytest

from penstock.site import SiteOptions, running_site


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel has no stamps for TCP")
async def test_a_site_that_reads_late_still_knows_how_far_apart_requests_came() -> None:
    """The first one lies in the kernel while the site does something else; the second one is read at once."""
    async with running_site(SiteOptions(pages=2)) as site:
        address = site.hosts[0].split(":")
        with socket.create_connection((address[0], int(address[1]))) as first:
            first.sendall(b"GET /robots.txt HTTP/1.1\r\nHost: x\r\n\r\n")
            sent_ns = time.monotonic_ns()
            time.sleep(0.3)  # noqa: ASYNC251 the site's event loop is ours, and stands still
            reader, writer = await asyncio.open_connection(*address)
            writer.write(b"GET /robots.txt HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            await reader.read()
            writer.close()

    one, other = sorted(site.log.records, key=lambda record: record.start_ns)
    assert one.start_ns <= sent_ns + 1_000_000
    assert other.start_ns - one.start_ns >= 300_000_000 - 1_000_000
    assert one.end_ns >= sent_ns + 300_000_000 - 1_000_000  # its answer went when there was time for it
