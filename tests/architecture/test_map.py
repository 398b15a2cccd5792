"""The map is what the code does, and the rules that say so can fail."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from contract import codec, topology
from tests.architecture.rules import stages as rules
from tests.architecture.rules.readme import block_of
from tests.architecture.rules.sources import ROOT, Script, expect_none, made_up, read_scripts, read_sources

TYPES = {kind.__name__: name for name, kind in codec.KINDS.items()}
#: What the stages of each package put on a stream.
OF_STAGES = {
    package: {name for stage in topology.STAGES if stage.name.startswith(f"{package}.") for name in stage.gives}
    for package in rules.HOMES
}
#: What each package may put on a stream; people, who sit at the front door, give commands.
GIVES = {**OF_STAGES, "penstock": {*OF_STAGES["penstock"], *topology.COMMANDS}}
#: What the code calls a stage: `topology.PARSE` is `scraper.parse`.
CONSTANTS = {name: stage.name for name, stage in vars(topology).items() if isinstance(stage, topology.Stage)}


def test_each_stage_is_a_module_of_its_name():
    expect_none(rules.stages_without_module(topology.STAGES, read_sources()))


def test_each_module_that_reads_a_stream_is_a_stage():
    expect_none(rules.consumers_off_the_map(read_sources(), constants=CONSTANTS))


def test_each_stage_opens_with_its_arrow():
    expect_none(rules.wrong_arrows(topology.STAGES, read_sources(), events=topology.EVENTS))


def test_map_and_registry_know_the_same_messages():
    expect_none(rules.unlike_the_registry(topology.STAGES, codec.KINDS, commands=topology.COMMANDS))
    assert sorted(topology.STREAMS) == sorted(codec.KINDS)


def test_each_package_makes_only_what_its_stages_give():
    expect_none(rules.messages_off_the_map([*read_sources(), *read_scripts()], gives=GIVES, types=TYPES))


def test_each_package_makes_all_that_its_stages_give():
    expect_none(rules.gives_never_made([*read_sources(), *read_scripts()], gives=OF_STAGES, types=TYPES))


def test_the_diagram_in_the_readme_is_the_map():
    readme = ROOT / "README.md"

    if readme.exists():
        assert block_of(readme.read_text("utf-8"), "map") == topology.diagram().strip()


# -- the rules themselves, on a small map


@dataclass(frozen=True)
class Stage:
    """A stage with boring defaults."""

    name: str = "scraper.parse"
    takes: tuple[str, ...] = ("page.fetched",)
    gives: tuple[str, ...] = ("page.parsed",)


def test_a_stage_without_a_module_is_reported():
    files = ("scraper/parse.py", "scraper/fetch/__init__.py", "penstock/notify.py", "contract/carry.py")
    sources = made_up(dict.fromkeys(files, ""))
    stages = [Stage(), Stage("scraper.fetch"), Stage("scraper.read"), Stage("penstock.notify"), Stage("contract.carry")]

    assert [breach.split()[0] for breach in rules.stages_without_module(stages, sources)] == [
        "scraper.read",
        "contract.carry",
    ]


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("scraper/peek.py", "def f():\n    return Consumer(bus, topology.PARSE)"),
        ("scraper/parser.py", "Consumer(bus, PARSE)"),
        ("scraper/parse.py", "Consumer(bus, FETCH)"),
        ("scraper/parse.py", "Consumer(bus, anything)"),
        ("scraper/parse.py", "Consumer(bus)"),
        ("penstock/peek.py", "Consumer(bus, PARSE)"),
    ],
)
def test_a_consumer_outside_its_stage_is_reported(path, text):
    constants = {"PARSE": "scraper.parse", "FETCH": "scraper.fetch"}

    assert len(rules.consumers_off_the_map(made_up({path: text}), constants=constants)) == 1


@pytest.mark.parametrize("path", ["scraper/parse.py", "scraper/parse/loop.py", "contract/bus/consumer.py"])
def test_a_consumer_in_its_stage_or_in_the_bus_passes(path):
    sources = made_up({path: "async with bus.Consumer(bus, topology.PARSE, when_buried=f) as consumer: pass"})

    assert rules.consumers_off_the_map(sources, constants={"PARSE": "scraper.parse"}) == []


@pytest.mark.parametrize(
    ("docstring", "faults"),
    [
        ("page.fetched → page.parsed: read it.", 0),
        ("page.fetched → frontier, page.parsed: read it.", 0),
        ("page.* → page.*: read it.", 0),
        ("every event → page.parsed or read models: read it.", 1),  # and page.parsed is not taken
        ("Reads pages.", 1),
        ("page.fetched -> page.parsed: read it.", 1),
        ("page.fetched → page.parsed", 1),
        ("frontier → page.parsed: read it.", 1),
        ("page.fetched, page.failed → page.parsed: read it.", 1),
        ("page.fetched → page.parsed, page.failed: read it.", 1),
        ("page.failed → page.parsed: read it.", 2),
    ],
)
def test_an_arrow_unlike_the_map_is_reported(docstring, faults):
    sources = made_up({"scraper/parse.py": f'"""{docstring}\n\nMore.\n"""'})

    breaches = rules.wrong_arrows([Stage()], sources, events=("page.fetched", "page.parsed"))

    assert len(breaches) == faults


@pytest.mark.parametrize(
    ("registered", "fault"),
    [
        (["page.fetched"], "page.parsed is on the map, but no message is registered for it"),
        (["page.fetched", "page.parsed", "page.lost"], "page.lost is registered, but no stage takes it"),
    ],
)
def test_a_type_that_only_one_side_knows_is_reported(registered, fault):
    stages = [Stage(), Stage("storage.record", takes=("page.parsed",), gives=("page.fetched",))]

    assert fault in rules.unlike_the_registry(stages, registered, commands=[])


def test_a_type_that_is_taken_but_never_given_is_reported_unless_it_is_a_command():
    stages = [Stage(takes=("crawl.start",), gives=())]

    assert rules.unlike_the_registry(stages, ["crawl.start"], commands=["crawl.start"]) == []
    assert rules.unlike_the_registry(stages, ["crawl.start"], commands=[]) == [
        "crawl.start is registered, but nobody gives it"
    ]


MESSAGES = {"PageFetched": "page.fetched", "PageParsed": "page.parsed"}


@pytest.mark.parametrize(
    "text",
    ["PageFetched(url=u)", "pages.PageFetched()", "from contract.pages import PageFetched as Got\nGot()"],
)
def test_a_message_that_no_stage_of_the_package_gives_is_reported(text):
    [breach] = rules.messages_off_the_map(
        made_up({"scraper/m.py": text}), gives={"scraper": ["page.parsed"]}, types=MESSAGES
    )

    assert breach.endswith("makes page.fetched, which no stage of scraper gives")


def test_a_script_that_says_what_no_stage_of_the_package_gives_is_reported():
    script = Script(Path("scraper/x/m.lua"), "-- a comment\nif late then say('page.fetched', source) end")

    [breach] = rules.messages_off_the_map([script], gives={"scraper": ["page.parsed"]}, types=MESSAGES)

    assert breach == "scraper/x/m.lua:2: makes page.fetched, which no stage of scraper gives"


def test_a_script_makes_what_it_says_and_nothing_that_it_only_names():
    text = "say('page.fetched', source)\nredis.call('XLEN', stream_key('page.parsed'))\nlocal function say(type) end"
    sources = [Script(Path("scraper/m.lua"), text)]

    assert rules.gives_never_made(sources, gives={"scraper": ["page.fetched", "page.parsed"]}, types=MESSAGES) == [
        "scraper gives page.parsed by the map, but makes none"
    ]


def test_a_message_that_is_only_read_is_not_made():
    text = "from contract.pages import PageFetched\ndef f(page: PageFetched): return isinstance(page, PageFetched)"

    assert rules.messages_off_the_map(made_up({"scraper/m.py": text}), gives={"scraper": []}, types=MESSAGES) == []


def test_a_type_that_is_given_by_the_map_but_made_nowhere_is_reported():
    sources = made_up({"scraper/m.py": "PageFetched()", "storage/m.py": "PageParsed()"})

    assert rules.gives_never_made(sources, gives={"scraper": ["page.fetched", "page.parsed"]}, types=MESSAGES) == [
        "scraper gives page.parsed by the map, but makes none"
    ]


@pytest.mark.parametrize("text", ["no block at all", "<!-- map:begin -->\nnever ends", "<!-- map:end -->"])
def test_a_readme_without_the_block_has_none(text):
    assert block_of(text, "map") is None


def test_a_block_is_what_stands_between_its_marks():
    assert block_of("a\n<!-- map:begin -->\none\ntwo\n\n<!-- map:end -->\nb", "map") == "one\ntwo"
