"""Start and stop a simulated web: inside a program or test, or for the command line."""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial

from penstock.site.errors import CannotListen
from penstock.site.graph import Web, host_addresses
from penstock.site.options import SiteOptions
from penstock.site.requests_log import RequestLog
from penstock.site.server import Connection, Site
from penstock.site.stamping import StampingListener

#: Connections that wait to be accepted on each host; a crawler's burst must not be refused.
_BACKLOG = 1024
#: A port that is free on the first address may be taken on another; so often another is tried.
_PORT_TRIES = 20
#: How old what the log file lacks may be.
_FLUSH_SECONDS = 0.2


class RunningSite:
    """A simulated web that is being served; gone when the context that gave it is left."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.web = site.web
        self.log = site.log

    def __repr__(self) -> str:
        return repr(self.site).replace("Site", "RunningSite", 1)

    @property
    def port(self) -> int:
        """The port of every host."""
        return self.web.port

    @property
    def root_url(self) -> str:
        """The root of the first host."""
        return self.web.root_url

    @property
    def hosts(self) -> tuple[str, ...]:
        """All hosts, with port."""
        return self.web.hosts


@asynccontextmanager
async def running_site(options: SiteOptions | None = None, *, remember: bool = True) -> AsyncIterator[RunningSite]:
    """Serve a simulated web; with `remember` its log keeps all records in memory. Raises CannotListen."""
    options = options or SiteOptions()
    listeners = _listeners(options)
    site = Site(Web(options, port=listeners[0].getsockname()[1]), log=RequestLog(options.log, remember=remember))
    if options.prebuild:
        site.answers.prebuild()
    async with AsyncExitStack() as stack:
        stack.callback(site.log.close)
        stack.push_async_callback(_hang_up, site)
        for host, listener in zip(site.web.hosts, listeners, strict=True):
            await _serve(site, host=host, listener=listener, stack=stack)
        flusher = asyncio.create_task(_flush_for_ever(site.log))
        stack.callback(flusher.cancel)
        yield RunningSite(site)


def _listeners(options: SiteOptions) -> list[socket.socket]:
    """A listening socket for each host, all on one port."""
    addresses = host_addresses(options.hosts)
    for tries_left in reversed(range(1 if options.port else _PORT_TRIES)):
        bound: list[socket.socket] = []
        port = options.port
        try:
            for address in addresses:
                bound.append(StampingListener.of(socket.create_server((address, port), backlog=_BACKLOG)))
                port = bound[0].getsockname()[1]
            return bound
        except OSError as error:
            for listener in bound:
                listener.close()
            if not tries_left:
                reason = os.strerror(error.errno or 0)
                raise CannotListen(f"cannot listen on {addresses[len(bound)]} port {port}: {reason}") from error
    raise AssertionError("the last try returns or raises")


async def _serve(site: Site, *, host: str, listener: socket.socket, stack: AsyncExitStack) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(partial(Connection, site, host=host), sock=listener, backlog=_BACKLOG)
    stack.callback(server.close)


async def _hang_up(site: Site) -> None:
    """Drop what is still connected, and let each connection write its last record."""
    for connection in list(site.connections):
        connection.abort()
    while site.connections:
        await asyncio.sleep(0)


async def _flush_for_ever(log: RequestLog) -> None:
    while True:
        await asyncio.sleep(_FLUSH_SECONDS)
        log.flush()


async def serve_forever(options: SiteOptions) -> None:
    """Serve until SIGINT or SIGTERM, printing the root URL as the first line. Raises CannotListen."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    async with running_site(options, remember=False) as running:
        print(running.root_url, flush=True)
        print(f"{len(running.hosts)} hosts, {options.pages} pages; Ctrl-C stops it", file=sys.stderr, flush=True)
        await stop.wait()
    print(f"{running.log.count} requests", file=sys.stderr, flush=True)
