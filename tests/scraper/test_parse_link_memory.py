"""What a parser remembers of the links that it has handed over; forgetting is safe, remembering wrongly is not."""

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from scraper.parsers.link_memory import LinkMemory

CAPACITY = 6


def remembering(*urls: str, depth: int = 1, capacity: int = 100) -> LinkMemory:
    memory = LinkMemory(capacity)
    memory.enter_epoch("e")
    memory.remember("c", urls, depth=depth, epoch="e")
    return memory


def test_only_what_was_handed_over_is_known():
    memory = remembering("a")

    assert memory.unknown("c", ("a", "b"), depth=1) == ("b",)
    assert memory.unknown("c", ("b",), depth=1) == ("b",)


def test_it_counts_for_the_same_depth_and_greater_ones():
    memory = remembering("a", depth=3)

    assert [memory.unknown("c", ("a",), depth=depth) for depth in (2, 3, 4)] == [("a",), (), ()]


def test_the_least_depth_stays():
    memory = remembering("a", depth=2)
    memory.remember("c", ("a",), depth=5, epoch="e")

    assert memory.unknown("c", ("a",), depth=2) == ()


def test_crawls_know_nothing_of_one_another():
    assert remembering("a").unknown("other", ("a",), depth=1) == ("a",)


def test_another_epoch_begins_with_nothing():
    memory = remembering("a")
    memory.enter_epoch("f")

    assert memory.unknown("c", ("a",), depth=1) == ("a",)
    assert len(memory) == 0


def test_what_was_handed_over_in_an_epoch_that_is_past_is_not_remembered():
    memory = remembering()
    memory.enter_epoch("f")
    memory.remember("c", ("a",), depth=1, epoch="e")

    assert memory.unknown("c", ("a",), depth=1) == ("a",)


def test_what_is_met_again_outlives_what_is_not():
    memory = remembering("kept", "lost", capacity=8)
    for i in range(12):
        memory.unknown("c", ("kept",), depth=1)
        memory.remember("c", (f"other {i}",), depth=1, epoch="e")

    assert memory.unknown("c", ("kept", "lost"), depth=1) == ("lost",)


def test_it_says_how_much_it_holds():
    assert repr(remembering("a", "b")) == "<LinkMemory of 1 crawls, 2 links>"


class Memory(RuleBasedStateMachine):
    """A memory of any history beside one that forgets nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.memory, self.epoch = LinkMemory(CAPACITY), ""
        self.handed_over: dict[tuple[str, str], int] = {}

    @rule(crawl=st.sampled_from("xy"), urls=st.lists(st.sampled_from("abcdefghij")), depth=st.integers(0, 3))
    def hand_over(self, crawl, urls, depth):
        unknown = self.memory.unknown(crawl, urls, depth=depth)
        for url in set(urls) - set(unknown):
            assert self.handed_over[crawl, url] <= depth
        self.memory.remember(crawl, unknown, depth=depth, epoch=self.epoch)
        for url in unknown:
            self.handed_over[crawl, url] = min(depth, self.handed_over.get((crawl, url), depth))

    @rule(crawl=st.sampled_from("xy"), urls=st.lists(st.sampled_from("abcdefghij")), depth=st.integers(0, 3))
    def hand_over_without_effect(self, crawl, urls, depth):
        self.memory.unknown(crawl, urls, depth=depth)

    @rule(epoch=st.sampled_from("ef"))
    def enter(self, epoch):
        self.memory.enter_epoch(epoch)
        if epoch != self.epoch:
            self.handed_over.clear()
        self.epoch = epoch

    @invariant()
    def bounded(self):
        assert len(self.memory) <= CAPACITY


TestMemory = Memory.TestCase
