"""What the commands share: the app, options that many have, and what becomes of their values."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, TypeVar

import typer

from penstock.cli.helping import Grouped, Plain

Command = TypeVar("Command", bound=Callable[..., Any])


class App(typer.Typer):
    """A Typer whose commands all show their options in plain words."""

    def command(self, name: str | None = None, **options: Any) -> Callable[[Command], Command]:
        """As Typer's, but for the class of the command."""
        return super().command(name, cls=Plain, **options)


app = App(
    name="penstock",
    help="Crawl the web: fetch once, parse for ever, lose nothing.",
    cls=Grouped,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Data = Annotated[str | None, typer.Option("--data", metavar="DIR", help="The data folder [.penstock].")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
SpiderOption = Annotated[
    str | None, typer.Option("--spider", metavar="FILE.py|module:attribute", help="What to extract.")
]
AllowPrivate = Annotated[bool, typer.Option("--allow-private", help="Fetch private and loopback addresses too.")]
UserAgent = Annotated[str | None, typer.Option("--user-agent", metavar="TEXT", help="Who we say we are.")]
Contact = Annotated[
    str | None,
    typer.Option("--contact", metavar="MAIL|URL", help="Who answers for it: told in User-Agent and From."),
]
Many = list[str] | None
Args = Annotated[
    Many, typer.Option("-a", metavar="NAME=VALUE", help="What the spider finds in spider.args; may be repeated.")
]


def given(values: dict[str, Any]) -> dict[str, Any]:
    """The options that were given at all."""
    return {name: value for name, value in values.items() if value is not None and value != []}
