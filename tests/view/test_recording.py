"""The README's picture of the live view: made of the recording, and fetching nothing."""

import re
from xml.etree import ElementTree

from tests.architecture.rules.readme import block_of
from tests.view.states import HOSTILE, made_state
from tools import live_picture
from tools.freshen_readme import PICTURE, RECORDING, ROOT, recording

SVG = "{http://www.w3.org/2000/svg}"


def test_the_picture_in_the_repository_is_the_recordings():
    assert PICTURE.read_text("utf-8") == live_picture.as_svg(live_picture.read_state(RECORDING))


def test_the_block_in_the_readme_is_the_recordings():
    readme = (ROOT / "README.md").read_text("utf-8")

    assert block_of(readme, "recording") == recording(live_picture.as_text(live_picture.read_state(RECORDING)))


def test_the_recording_has_something_to_show():
    state = live_picture.read_state(RECORDING)

    assert len(state.spark) >= 15
    assert min(len(state.hosts), len(state.latest), len(state.failures), len(state.statuses)) >= 5
    assert state.latency_ms


def test_the_picture_fetches_nothing_whatever_the_pages_say():
    page = {"url": "https://a.test/<script>&", "status": 200, "title": "</svg><image href='https://a.test/x.png'/>"}
    state = made_state(name="@import url(//a.test)", latest=[page, *({**page, "title": text} for text in HOSTILE[:5])])

    svg = live_picture.as_svg(state)
    tree = ElementTree.fromstring(svg)

    assert {each.tag.removeprefix(SVG) for each in tree.iter()} <= {
        "svg",
        "style",
        "defs",
        "clipPath",
        "rect",
        "g",
        "circle",
        "text",
    }
    style = "".join(each.text or "" for each in tree.iter(f"{SVG}style"))
    assert not re.search(r"url\(|@import|@font-face|://", style)
    addresses = [value for each in tree.iter() for value in each.attrib.values() if "url(" in value or "//" in value]
    assert all(value.startswith("url(#live-view-") for value in addresses)


def test_the_text_is_what_the_picture_shows():
    text = live_picture.as_text(made_state())

    assert "294 fetched" in text
    assert all(len(line) <= live_picture.COLUMNS and line == line.rstrip() for line in text.splitlines())
