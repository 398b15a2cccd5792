"""The HTTP API beside a command: a socket that is ours before anything starts, and a process that answers on it."""

from __future__ import annotations

import contextlib
import socket
import sys
from collections.abc import AsyncIterator

import msgspec

from contract.crawls import FIELDS
from contract.settings import Settings
from penstock.cluster import Cluster
from penstock.cluster.folder import DataFolder
from penstock.cluster.supervisor import Supervisor

#: Settings of the command's own crawl, which are not those of crawls that are begun over HTTP.
_OF_ONE_CRAWL = (*FIELDS, "name", "spider", "sitemaps", "ignore_robots", "webhook")


def listen_first(settings: Settings) -> socket.socket:
    """A socket that listens; raises `Refused` for what would keep the API from being served, before all else starts."""
    from penstock.api.exposure import check_exposure
    from penstock.api.listening import listen

    check_exposure(settings)
    if settings.spiders:
        from penstock.api.house import load_spiders

        load_spiders(settings.spiders)
    return listen(settings)


@contextlib.asynccontextmanager
async def served(cluster: Cluster, settings: Settings, listening: socket.socket) -> AsyncIterator[Supervisor]:
    """Have the API of a cluster answered inside the block, and say where; gives who keeps it running."""
    from penstock.api.listening import address_of

    own = None
    if cluster.supervisor is None:
        folder = DataFolder(settings.folder)
        folder.prepare()
        own = Supervisor(cluster.settings, folder.path, commands=())
    keeper = cluster.supervisor or own
    assert keeper is not None
    try:
        await keeper.serve(settings, listening)
        print(f"penstock: serving at {address_of(listening)}", file=sys.stderr, flush=True)
        yield keeper
    finally:
        if own:
            await own.drain()


def of_no_crawl(settings: Settings) -> Settings:
    """The settings without what they say of one crawl; its spider is one that the API knows."""
    spiders = settings.spiders
    if settings.spider and settings.spider not in spiders:
        spiders = (*spiders, settings.spider)
    return msgspec.structs.replace(settings, **dict.fromkeys(_OF_ONE_CRAWL), spiders=spiders)
