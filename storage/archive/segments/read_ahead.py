"""Neighbouring pages of an object in one request: who reads one behind the other gets the next ones along with it.

Takes a function that fetches a range, gives the bytes asked for; owns a few windows, each of some megabytes. A single
read fetches what it asks for and no more; each further one fetches four times as much as the one before.
"""

from collections import OrderedDict
from collections.abc import Callable

import msgspec

#: Bytes fetched ahead at first, and at most.
FIRST_BYTES, MOST_BYTES = 256 * 1024, 4 * 1024 * 1024
#: Bytes that may be left out between one read and the next: pages that are not wanted, such as redirects.
GAP_BYTES = 256 * 1024
#: Windows kept, one a segment: as many as recorders wrote to side by side. They bound the memory: 16 MB.
MOST_WINDOWS = 4

#: Name, offset, length → the bytes there, fewer at the end of the segment.
Fetch = Callable[[str, int, int], bytes]


class Window(msgspec.Struct):
    """What is known of a segment: its bytes from `start` on."""

    start: int
    data: bytes

    @property
    def end(self) -> int:
        """The offset of the first byte behind."""
        return self.start + len(self.data)


class ReadAhead:
    """Ranges of segments, read ahead where one follows the other."""

    def __init__(self, fetch: Fetch) -> None:
        self._fetch = fetch
        self._windows: OrderedDict[str, Window] = OrderedDict()

    def read(self, name: str, offset: int, length: int) -> bytes:
        """So many bytes, or fewer at the end; raises what `fetch` raises."""
        window = self._windows.pop(name, None)
        if window is None or not (window.start <= offset and offset + length <= window.end):
            window = Window(offset, self._fetch(name, offset, length + _ahead(window, offset)))
        self._windows[name] = window
        if len(self._windows) > MOST_WINDOWS:
            self._windows.popitem(last=False)
        return window.data[offset - window.start : offset - window.start + length]

    def clear(self) -> None:
        """Forget all windows."""
        self._windows.clear()


def _ahead(window: Window | None, offset: int) -> int:
    """How much more to fetch than is asked for."""
    if window is None or not window.start <= offset <= window.end + GAP_BYTES:
        return 0
    return min(max(len(window.data) * 4, FIRST_BYTES), MOST_BYTES)
