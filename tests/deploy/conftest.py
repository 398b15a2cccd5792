"""What runs docker-compose.yml without Docker; skipped where namespaces cannot be made, which takes root on Linux."""

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace

import pytest

from penstock.site import SiteOptions
from tests.deploy.client import Client
from tests.deploy.files import SECRETS, compose
from tools.compose.runner import Runner
from tools.compose.script import OutOfSight, programs
from tools.compose.wires import can_make_namespaces

#: The simulated web of the cluster's tests.
SITE = SiteOptions(hosts=20, pages=400, port=8900, latency_ms=20)


@pytest.fixture
def start() -> Iterator[Callable[..., Runner]]:
    """Starts a runner of these services of the file alone, and ends it after the test."""
    _wanted()
    with ExitStack() as stack:
        yield lambda *names: stack.enter_context(Runner(_only(*names)))


def _only(*names: str):
    whole = compose()
    services = {name: replace(whole.services[name], after=()) for name in names}
    return replace(whole, services=services)


@pytest.fixture(scope="module")
def cluster() -> Iterator[tuple[Runner, Client]]:
    """All of the file, with four workers, beside a site in a namespace of its own."""
    with running_cluster(SITE, workers=4) as both:
        yield both


@contextmanager
def running_cluster(options: SiteOptions, *, workers: int, **variables: str) -> Iterator[tuple[Runner, Client]]:
    """All of the file with these variables, with so many workers, beside this site in a namespace of its own."""
    _wanted()
    with Runner(compose(PENSTOCK_ALLOW_PRIVATE="true", **variables), publish={8000: 0}) as runner:
        log = runner.folder / "site.jsonl"
        words = f"--hosts {options.hosts} --pages {options.pages} --port {options.port} --latency {options.latency_ms}"
        runner.stranger("site", f"{sys.executable} -m penstock site {words} --log {log}")
        runner.up({"worker": workers})
        yield runner, Client(runner.published[8000], SECRETS["PENSTOCK_API_TOKEN"], site_log=log)


def _wanted() -> None:
    if not can_make_namespaces():
        pytest.skip("namespaces cannot be made here: that takes Linux, root, iproute2 and util-linux")
    try:
        programs()
    except OutOfSight as error:
        pytest.skip(str(error))
