"""How the command line shows itself: commands in groups, everyday ones first; whole sentences; `penstock help TOPIC`.

Takes the commands as they were declared, each with the panel it belongs to; gives text.
"""

from __future__ import annotations

from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from penstock.cli.topics import TOPICS

EVERYDAY, RESULTS, STEERING, CLUSTER, TOOLS = "Everyday", "Results", "Steering", "Cluster", "Tools"
#: Group → its commands, both in the order in which they are listed; one that is named nowhere is listed last.
GROUPS = {
    EVERYDAY: ("crawl", "watch", "inspect", "crawls", "up"),
    RESULTS: ("export", "explain", "reparse", "rebuild", "forget"),
    STEERING: ("pause", "resume", "cancel", "add", "dead"),
    CLUSTER: ("scheduler", "worker", "parse", "record", "serve", "doctor"),
    TOOLS: ("site", "help"),
}
_OTHERS = "Others"


#: What the library calls a kind of value → what people call it.
_KINDS = {"<int>": "N", "<int range>": "N", "<float>": "N", "<float range>": "N", "<str>": "TEXT", "<list[str]>": ""}


class Plain(TyperCommand):
    """A command that names the kinds of its values as people do."""

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write the sections `Arguments` and `Options`."""
        sections: dict[str, list[tuple[str, str]]] = {"Arguments": [], "Options": []}
        for param in self.get_params(ctx):
            if record := param.get_help_record(ctx):
                title = "Arguments" if param.param_type_name == "argument" else "Options"
                sections[title].append((_in_plain_words(record[0], title), record[1]))
        for title, rows in sections.items():
            if rows:
                with formatter.section(title):
                    formatter.write_dl(rows)


def _in_plain_words(name: str, section: str) -> str:
    for kind, word in _KINDS.items():
        name = name.replace(kind, word if section == "Options" else "")
    return name.rstrip()


class Grouped(TyperGroup):
    """A group of commands that lists them by what they are for, each with its first sentence, whole."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Names in the order of `GROUPS`."""
        order = [name for names in GROUPS.values() for name in names]
        return sorted(self.commands, key=lambda name: order.index(name) if name in order else len(order))

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write a section for each group that has commands to show."""
        shown = [name for name in self.list_commands(ctx) if not self.commands[name].hidden]
        width = max(map(len, shown), default=0)
        for title, names in {**GROUPS, _OTHERS: tuple(set(shown).difference(*GROUPS.values()))}.items():
            rows = [(name.ljust(width), _sentence(self.commands[name])) for name in names if name in shown]
            if rows:
                with formatter.section(title):
                    formatter.write_dl(rows)


def _sentence(command: Any) -> str:
    """The first paragraph of a command's help, as one line."""
    return " ".join((command.help or "").partition("\n\n")[0].split())


def show_help(
    ctx: typer.Context,
    topic: Annotated[str | None, typer.Argument(metavar="TOPIC", help="A command, or one of the topics.")] = None,
) -> None:
    """Show the help of a command, or of a topic that is no command.

    Example: penstock help settings
    """
    root = ctx.parent
    assert root is not None
    group: Any = root.command
    if topic is None:
        print(root.get_help())
        print(f"\nTopics (penstock help TOPIC): {', '.join(TOPICS)}")
    elif topic in TOPICS:
        print(TOPICS[topic]())
    elif topic in group.commands:
        command = group.commands[topic]
        print(command.get_help(command.context_class(command, info_name=topic, parent=root)))
    else:
        ctx.fail(_nothing(topic, [*group.commands, *TOPICS]))


def _nothing(topic: str, known: list[str]) -> str:
    from contract.suggesting import did_you_mean

    return f"no command or topic {topic!r}{did_you_mean(topic, known)}; topics are: {', '.join(TOPICS)}"
