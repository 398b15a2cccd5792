"""contract/topology.py, docs/live-view.json → README.md, docs/images/live-view.svg: fill what is generated.

Called by `make readme`. Blocks of the README stand between `<!-- NAME:begin -->` and `<!-- NAME:end -->`.
"""

import re
from pathlib import Path

from contract.topology import diagram
from tools import live_picture

ROOT = Path(__file__).resolve().parent.parent
RECORDING, PICTURE = ROOT / "docs" / "live-view.json", ROOT / "docs" / "images" / "live-view.svg"


def main() -> None:
    """Write the README with its map and its recording as they are now, and the picture of the recording."""
    readme = ROOT / "README.md"
    state = live_picture.read_state(RECORDING)
    PICTURE.parent.mkdir(exist_ok=True)
    PICTURE.write_text(live_picture.as_svg(state), "utf-8")
    text = filled(readme.read_text("utf-8"), "map", diagram())
    readme.write_text(filled(text, "recording", recording(live_picture.as_text(state))), "utf-8")


def recording(text: str) -> str:
    """The README's block: the picture, and the same as text for whoever sees none."""
    picture = "![A crawl in the live view: rate, progress, what waits at each stage, answers, hosts, failures]"
    return f"""{picture}({PICTURE.relative_to(ROOT)})

<details><summary>The same as text</summary>

```text
{text}
```

</details>"""


def filled(text: str, name: str, block: str) -> str:
    """The text with this block between its marks."""
    begin, end = f"<!-- {name}:begin -->", f"<!-- {name}:end -->"
    return re.sub(f"{begin}.*?{end}", lambda _: f"{begin}\n{block}\n{end}", text, flags=re.DOTALL)


if __name__ == "__main__":
    main()
