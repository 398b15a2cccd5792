"""How numbers are said to people: times, sizes, counts, shares."""

from __future__ import annotations


def clock(seconds: float) -> str:
    """`1:02:03`, or `2:03` below an hour."""
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{rest:02}" if minutes >= 60 else f"{minutes}:{rest:02}"


def size(count: float) -> str:
    """Bytes with a unit: `2.3 MB`."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"


def duration(milliseconds: float) -> str:
    """`38 ms`, or `1.2 s` from a second on."""
    return f"{milliseconds:.0f} ms" if milliseconds < 1000 else f"{milliseconds / 1000:.1f} s"


def percent(part: int, whole: int) -> str:
    """`42%`; a whole hundred is said only of the whole."""
    return f"{part * 100 // whole if whole else 0}%"
