"""The command line explains itself: what is there, in groups; what a word may have meant; topics besides commands."""

import asyncio
import re
import sys

import pytest

from contract.settings import Settings
from penstock.cli.every import app
from penstock.cli.helping import GROUPS
from penstock.cli.topics import TOPICS, described_settings
from tests.system.commands import penstock


async def test_the_everyday_commands_come_first_each_with_a_whole_sentence() -> None:
    done = await penstock("--help")
    groups = re.findall(r"^(\w+):$", done.out, re.M)
    assert [name for name in groups if name in GROUPS] == list(GROUPS)
    assert done.out.index("  crawl ") < done.out.index("  watch ") < done.out.index("  scheduler ")
    assert "..." not in done.out.partition("Everyday:")[2]


def test_each_command_has_its_place_in_a_group() -> None:
    named = {command.name or command.callback.__name__ for command in app.registered_commands if command.callback}
    named |= {group.name for group in app.registered_groups if group.name}
    assert named == {name for names in GROUPS.values() for name in names}


@pytest.mark.parametrize("command", ["crawl", "export", "site", "dead list"])
async def test_kinds_of_values_are_named_in_words_that_are_no_programming_language(command: str) -> None:
    done = await penstock(*command.split(), "--help")
    assert done.status == 0
    assert not re.search(r"<(int|float|str|list)", done.out)


async def test_help_on_a_command_is_what_the_command_itself_says() -> None:
    asked, itself = await penstock("help", "crawl"), await penstock("crawl", "--help")
    assert asked.out.split() == itself.out.split()


async def test_what_is_neither_command_nor_topic_is_answered_with_what_may_be_meant() -> None:
    done = await penstock("help", "setings")
    assert done.status == 2
    assert "no command or topic 'setings' (did you mean 'settings'?)" in done.err


async def test_a_setting_that_is_misspelled_is_answered_with_the_right_one() -> None:
    done = await penstock("crawls", PENSTOCK_DELAI="2")
    assert done.status == 2
    assert "did you mean 'PENSTOCK_DELAY'?" in done.err


def test_every_topic_has_a_text_and_every_setting_a_description() -> None:
    assert all(text().strip() for text in TOPICS.values())
    said = dict(described_settings())
    assert list(said) == list(Settings.__struct_fields__)
    assert [name for name, text in said.items() if not text] == []


async def test_completion_for_a_shell_can_be_had() -> None:
    # The shell is found among the processes above.
    line = f"'{sys.executable}' -m penstock --show-completion; exit $?"
    shell = await asyncio.create_subprocess_exec("bash", "-c", line, stdout=asyncio.subprocess.PIPE)
    out, _ = await shell.communicate()
    assert b"complete" in out
