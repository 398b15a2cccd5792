"""The scripts spell the same keys as the catalogue, and what they say is in the contract."""

import re
from pathlib import Path

import pytest

import scheduler.frontier
from contract import codec, topology
from contract.keys import Keys

FOLDER = Path(scheduler.frontier.__file__).parent
LUA = {path.name: path.read_text("utf-8") for path in sorted(FOLDER.glob("*.lua"))}
ARGUMENTS = {"c": "C", "h": "H", "g": 1, "b": 2, "type": "T"}


def spelled_in_lua() -> dict[str, str]:
    """Function or variable of keys.lua → what it spells, with the arguments above filled in."""
    text = LUA["keys.lua"]
    found = dict(re.findall(r"local (\w+)_key = root \.\. '(\w+)'", text))
    for name, expression in re.findall(r"local function (\w+)_key\([\w, ]*\) return root \.\. (.*) end", text):
        parts = [part.strip() for part in expression.split("..")]
        found[name] = "".join(part.strip("'") if part.startswith("'") else str(ARGUMENTS[part]) for part in parts)
    return found


def test_keys_in_lua_are_the_catalogues():
    keys = Keys("p")
    expected = {
        **{
            name: getattr(keys, name)
            for name in (
                "turns",
                "names",
                "turn",
                "in_flight",
                "forgetting",
                "resting",
                "clock",
                "epoch",
                "restored",
                "replaying",
            )
        },
        **{name: getattr(keys, name) for name in ("fetchers", "body_bytes", "old_requests")},
        **{
            name: getattr(keys, name)("C")
            for name in ("crawl", "due", "hosts", "seen", "retries", "places", "unread", "waits")
        },
        **{name: getattr(keys, name)("H") for name in ("host", "host_crawls")},
        "queue": keys.queue("C", "H"),
        "bodies": keys.bodies("C", "H"),
        "bucket": keys.seen_bucket("C", 1, 2),
        "stream": keys.stream("T"),
    }

    assert {name: keys.root + spelled for name, spelled in spelled_in_lua().items()} == expected


@pytest.mark.parametrize("name", sorted(set(LUA) - {"keys.lua"}))
def test_no_other_script_spells_a_key(name):
    assert not re.search(r"root\s*\.\.", LUA[name])


def test_every_key_has_the_hash_tag_of_its_shard():
    assert Keys("p", shard=3).stream("page.fetch") == "p:{3}:page.fetch"


def test_what_the_scripts_say_is_on_the_map_and_of_the_only_version():
    said = {word for text in LUA.values() for word in re.findall(r"say\('([\w.]+)'", text)}
    given = {name for stage in topology.STAGES if stage.name.startswith("scheduler.") for name in stage.gives}

    assert said <= given
    assert {codec.KINDS[name].VERSION for name in given} == {1}


@pytest.mark.parametrize("name", sorted(LUA))
def test_each_script_introduces_itself(name):
    head = LUA[name].partition("\n\n")[0]

    assert head.startswith("-- ")
    if "KEYS[2]" in LUA[name]:
        assert "returns" in head
