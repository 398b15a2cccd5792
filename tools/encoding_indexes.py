"""The Encoding Standard's published index tables → scraper/characters/indexes.bin.

Takes a folder with the files `index-*.txt` that https://encoding.spec.whatwg.org/#indexes publishes, and writes them
anew in a form that is small and quickly read: one zlib stream of MessagePack.

    python -m tools.encoding_indexes FOLDER
"""

import re
import sys
import zlib
from pathlib import Path

import msgspec

TARGET = Path(__file__).parent.parent / "scraper/characters/indexes.bin"
#: Indexes by pointer, kept as the differences from one code point to the next, which repeat and so shrink well.
LARGE = ("big5", "euc-kr", "gb18030", "jis0208", "jis0212")
RANGES = "gb18030-ranges"


def entries(path: Path) -> list[tuple[int, int]]:
    """Pointers and code points, as the file lists them."""
    # By LF alone, for the characters in the third column are also those that end lines elsewhere.
    lines = [line.split("\t") for line in path.read_text().split("\n") if line.strip() and not line.startswith("#")]
    return [(int(pointer), int(point, 16)) for pointer, point, *_ in lines]


def identifier(path: Path) -> str:
    """What the standard calls this state of the index."""
    found = re.search(r"^# Identifier: (\w+)$", path.read_text(), re.MULTILINE)
    assert found, path
    return found[1]


def filled(found: list[tuple[int, int]]) -> list[int]:
    """The code point of each pointer from 0 on, 0 where there is none."""
    known = dict(found)
    return [known.get(pointer, 0) for pointer in range(max(known) + 1)]


def planes(points: list[int]) -> bytes:
    """The differences modulo 2^24: first all their high bytes, then the middle ones, then the low ones."""
    differences = [(point - before) % 2**24 for before, point in zip([0, *points], points, strict=False)]
    return b"".join(bytes(difference >> shift & 255 for difference in differences) for shift in (16, 8, 0))


def main() -> None:
    """Write the file from the tables in the folder that is named."""
    paths = {path.stem.removeprefix("index-"): path for path in sorted(Path(sys.argv[1]).glob("index-*.txt"))}
    small = {name: filled(entries(path)) for name, path in paths.items() if name not in (*LARGE, RANGES)}
    content = {
        "identifiers": {name: identifier(path) for name, path in paths.items()},
        "large": {name: planes(filled(entries(paths[name]))) for name in LARGE},
        "small": {name: "".join(map(chr, points)) for name, points in small.items()},
        "ranges": entries(paths[RANGES]),
    }
    TARGET.write_bytes(zlib.compress(msgspec.msgpack.encode(content), 9))
    print(f"{TARGET}: {TARGET.stat().st_size} bytes, {len(paths)} indexes")


if __name__ == "__main__":
    main()
