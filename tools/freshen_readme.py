"""events/topology.py, docs/live-view.txt → README.md: fill the generated blocks. Called by `make readme`."""

import re
from pathlib import Path

from events.topology import diagram

ROOT = Path(__file__).resolve().parent.parent


def main() -> None:
    """Write the README with its map and its recording as they are now."""
    readme = ROOT / "README.md"
    recording = (ROOT / "docs" / "live-view.txt").read_text("utf-8").rstrip("\n")
    text = _filled(readme.read_text("utf-8"), "map", diagram())
    readme.write_text(_filled(text, "recording", f"```text\n{recording}\n```"), "utf-8")


def _filled(text: str, name: str, block: str) -> str:
    begin, end = f"<!-- {name}:begin -->", f"<!-- {name}:end -->"
    return re.sub(f"{begin}.*?{end}", lambda _: f"{begin}\n{block}\n{end}", text, flags=re.DOTALL)


if __name__ == "__main__":
    main()
