"""A recorded state → the live view as a picture (SVG) and as text, for the README.

Takes a `CrawlState` as `tools.record_live_view` kept it; pure. The picture fetches nothing: no fonts, no scripts.
"""

import io
from pathlib import Path

import msgspec
from rich.console import Console
from rich.terminal_theme import TerminalTheme

from penstock.view.glyphs import COLOURFUL
from penstock.view.layout import Look
from penstock.view.picture import picture
from penstock.view.state import CrawlState

COLUMNS, LINES = 112, 32
#: What CSS classes in the picture begin with: always the same, so that the same state is the same file.
NAME = "live-view"
#: Background, text, and the eight colours of a terminal, dark and bright.
THEME = TerminalTheme(
    (22, 27, 34),
    (214, 221, 229),
    [(72, 79, 88), (240, 113, 103), (87, 186, 105), (219, 171, 74), (88, 160, 240), (190, 140, 240), (75, 190, 200),
     (177, 186, 196)],
    [(78, 86, 97), (255, 150, 140), (120, 214, 135), (240, 200, 110), (130, 190, 255), (215, 175, 255),
     (110, 215, 222), (240, 246, 252)],
)  # fmt: skip
#: Names that rich fills. Glyphs are drawn to the width of their cells in whatever font there is, so that bars have no
#: gaps and columns stand.
_PAGE = """\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" aria-label="A crawl in the live view">
<style>
.{unique_id}-matrix {{ font: {char_height}px/{line_height}px ui-monospace, SFMono-Regular, Menlo, Consolas,
  "DejaVu Sans Mono", "Liberation Mono", monospace; white-space: pre; }}
.{unique_id}-title {{ font: 600 16px system-ui, sans-serif; }}
{styles}
</style>
<defs>
<clipPath id="{unique_id}-clip-terminal"><rect width="{terminal_width}" height="{terminal_height}"/></clipPath>
{lines}
</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix">
{matrix}
</g>
</g>
</svg>
"""


def read_state(path: Path) -> CrawlState:
    """The state that was recorded."""
    return msgspec.json.decode(path.read_bytes(), type=CrawlState)


def as_svg(state: CrawlState) -> str:
    """The picture."""
    console = _drawn(state)
    svg = console.export_svg(title="penstock crawl", theme=THEME, code_format=_PAGE, unique_id=NAME)
    return svg.replace(" textLength=", ' lengthAdjust="spacingAndGlyphs" textLength=')


def as_text(state: CrawlState) -> str:
    """The same without colours."""
    return "\n".join(line.rstrip() for line in _drawn(state).export_text(styles=False).splitlines()).rstrip()


def _drawn(state: CrawlState) -> Console:
    console = Console(
        width=COLUMNS, file=io.StringIO(), record=True, force_terminal=True, color_system="truecolor", _environ={}
    )
    for line in picture(state, Look(width=COLUMNS, height=LINES, glyphs=COLOURFUL)):
        console.print(line, no_wrap=True, soft_wrap=True)
    console.print()  # or the last line's descenders are cut off
    return console
