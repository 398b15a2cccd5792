"""Random stories over the real stages, scripts and database: whatever befalls them, every invariant holds.

A failure prints the seed and the shortest story of the first fault. To hear it once more:

    SEED=17 python -m pytest tests/interleaving -k once_more
"""

import logging
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.interleaving.power import Powered, powered
from tests.interleaving.story import Told, tell

#: Stories in the ordinary suite, some two seconds of processor time each.
SEEDS = range(12)
#: Stories of `make soak`.
SOAK_SEEDS = range(1_000, 1_000 + int(os.environ.get("SEEDS", "200")))


@pytest.fixture(scope="module")
def server() -> Iterator[Powered]:
    with powered() as found:
        yield found


@pytest.fixture(autouse=True)
def _quiet(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """What befalls the stages in a story is worth a line of log each time, and nobody reads it."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


def check(told: Told) -> None:
    if told.faults:
        pytest.fail(told.shortest(), pytrace=False)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("seed", SEEDS)
def test_whatever_befalls_the_stages_every_invariant_holds(seed: int, server: Powered, tmp_path: Path):
    check(tell(seed, server, tmp_path))


@pytest.mark.soak
@pytest.mark.timeout(600)
@pytest.mark.parametrize("seed", SOAK_SEEDS)
def test_whatever_befalls_the_stages_every_invariant_holds_for_long(seed: int, server: Powered, tmp_path: Path):
    check(tell(seed, server, tmp_path, turns=3_000))


@pytest.mark.skipif("SEED" not in os.environ, reason="to hear one story once more, set SEED")
def test_a_story_once_more(server: Powered, tmp_path: Path):
    check(tell(int(os.environ["SEED"]), server, tmp_path))


@pytest.mark.timeout(300)
@pytest.mark.soak  # on a machine that is busy, a server's answer may come a moment later than in the first telling
def test_the_same_seed_tells_the_same_story(server: Powered, tmp_path: Path):
    first, second = (tell(7, server, tmp_path / name, turns=300) for name in ("first", "second"))

    assert first.lines == second.lines
