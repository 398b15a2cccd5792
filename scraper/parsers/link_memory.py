"""What this parser has handed over before, so that a site's menu is not sent again with each of its pages.

Pure; owns nothing but memory. Forgetting is always safe (the frontier knows each URL once), remembering wrongly loses
pages. So:

- A link is remembered only after its hand-over took effect (`remember` is called then, never before).
- It is left out only at the depth it was handed over at, or a greater one: a shorter way may be within `max_depth`.
- All is forgotten when the epoch changes: the frontier of another world does not know our links. And when Redis has
  lost a hand-over (`contract.bus.witness`): it may have been the one that said them.

Redirects never come here: they count hops, and the same target may be within bounds by another way.
"""

from collections.abc import Iterable

#: Links kept, as 64-bit hashes with their depth: about 100 MB when full. Beyond it, those that were not met for the
#: longest time go, half at a time.
CAPACITY = 1_000_000

#: Crawl → hash of a URL → the least depth at which it was handed over.
_Half = dict[str, dict[int, int]]


class LinkMemory:
    """Links by crawl, in two halves: what is met in the older one moves to the younger, the older is dropped."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._half = max(1, capacity // 2)
        self._epoch = ""
        self._young: _Half = {}
        self._old: _Half = {}
        self._count = 0

    def __repr__(self) -> str:
        return f"<LinkMemory of {len(self._young.keys() | self._old)} crawls, {len(self)} links>"

    def __len__(self) -> int:
        return sum(len(links) for half in (self._young, self._old) for links in half.values())

    def enter_epoch(self, epoch: str) -> None:
        """Say which world this is; another one than before makes the memory empty."""
        if epoch != self._epoch:
            self._epoch = epoch
            self.forget()

    def forget(self) -> None:
        """Begin with nothing."""
        self._young, self._old, self._count = {}, {}, 0

    def unknown(self, crawl: str, urls: Iterable[str], *, depth: int) -> tuple[str, ...]:
        """Those of the URLs that were not yet handed over for this crawl at this depth or a lesser one."""
        known, far = self._young.get(crawl, {}).get, depth + 1
        fresh = [url for url in urls if known(hash(url), far) > depth]
        older = self._old.get(crawl)
        if fresh and older:
            met = [url for url in fresh if older.get(hash(url), far) <= depth]
            self._store(crawl, ((hash(url), older[hash(url)]) for url in met))
            fresh = [url for url in fresh if older.get(hash(url), far) > depth] if met else fresh
        return tuple(fresh)

    def remember(self, crawl: str, urls: Iterable[str], *, depth: int, epoch: str) -> None:
        """These were handed over at this depth; without effect if that was in another epoch than this one."""
        if epoch == self._epoch:
            self._store(crawl, ((hash(url), depth) for url in urls))

    def _store(self, crawl: str, entries: Iterable[tuple[int, int]]) -> None:
        links = self._young.setdefault(crawl, {})
        for key, depth in entries:
            if links.get(key, depth) >= depth:
                self._count += key not in links
                links[key] = depth
                if self._count >= self._half:
                    links = {}
                    self._young, self._old, self._count = {crawl: links}, self._young, 0
