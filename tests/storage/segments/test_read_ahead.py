"""Who reads one page behind the other asks seldom; who reads one page gets no more than that."""

import random

import pytest

from storage.archive.segments.read_ahead import FIRST_BYTES, GAP_BYTES, MOST_BYTES, MOST_WINDOWS, ReadAhead

PAGE = 10_000
SEGMENTS = {name: random.Random(name).randbytes(PAGE * 2_000) for name in ("a", "b")}


class Asked:
    """A store that remembers what it was asked for."""

    def __init__(self) -> None:
        self.ranges = []
        self.read = ReadAhead(self.fetch).read

    def fetch(self, name: str, offset: int, length: int) -> bytes:
        self.ranges.append((name, offset, length))
        return SEGMENTS[name[0]][offset : offset + length]


@pytest.fixture
def asked():
    return Asked()


def test_a_single_page_is_all_that_is_fetched(asked):
    assert asked.read("a", 5 * PAGE, PAGE) == SEGMENTS["a"][5 * PAGE : 6 * PAGE]
    assert asked.ranges == [("a", 5 * PAGE, PAGE)]


def test_two_thousand_neighbours_are_fetched_in_few_requests(asked):
    pages = [asked.read("a", number * PAGE, PAGE) for number in range(2_000)]

    assert b"".join(pages) == SEGMENTS["a"]
    assert len(asked.ranges) < 10
    assert max(length for _, _, length in asked.ranges) <= MOST_BYTES + PAGE


def test_segments_that_are_read_in_turns_do_not_disturb_each_other(asked):
    for number in range(1_000):
        for name in "ab":
            offset = number * PAGE
            assert asked.read(name, offset, PAGE) == SEGMENTS[name][offset : offset + PAGE]

    assert len(asked.ranges) < 20


def test_pages_here_and_there_are_fetched_one_by_one(asked):
    places = [number * (PAGE + 2 * GAP_BYTES) for number in range(20)]
    random.Random(1).shuffle(places)
    for offset in places:
        assert asked.read("a", offset, PAGE) == SEGMENTS["a"][offset : offset + PAGE]

    assert sum(length for _, _, length in asked.ranges) < 20 * (PAGE + FIRST_BYTES)


def test_behind_the_end_there_is_nothing(asked):
    end = len(SEGMENTS["a"])
    assert asked.read("a", end - 5, 10) == SEGMENTS["a"][-5:]
    assert asked.read("a", end, 10) == b""
    assert asked.read("a", end - PAGE, PAGE) == SEGMENTS["a"][-PAGE:]


def test_only_a_few_windows_are_kept(asked):
    names = [f"a{number}" for number in range(MOST_WINDOWS + 1)]
    for name in names:
        asked.read(name, 0, PAGE)

    asked.read(names[-1], 0, PAGE)
    assert len(asked.ranges) == len(names)
    asked.read(names[0], 0, PAGE)
    assert len(asked.ranges) == len(names) + 1
