"""Commands about dead letters: dead list, show, retry, drop."""

from __future__ import annotations

from typing import Annotated

import typer

from penstock.cli.options import App, Data, Json, Many, app, given

dead = App(
    help="Messages that a stage has given up: look at them, give them to it once more, or throw them away.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
app.add_typer(dead, name="dead")

Name = Annotated[str, typer.Argument(metavar="LETTER", help="As `dead list` names it.")]
Names = Annotated[Many, typer.Argument(metavar="LETTER", help="As `dead list` names them.")]
Stage = Annotated[str | None, typer.Option(metavar="STAGE", help="Only this stage's, such as scraper.parse.")]
Reason = Annotated[str | None, typer.Option(metavar="TEXT", help="Only where the reason has this text in it.")]
Host = Annotated[str | None, typer.Option(metavar="HOST", help="Only about this host.")]
Crawl = Annotated[str | None, typer.Option(metavar="CRAWL", help="Only of this crawl, by id or name.")]
All = Annotated[bool, typer.Option("--all", help="All that fit the filters, or all there are.")]


@dead.command("list")
def list_(
    stage: Stage = None,
    reason: Reason = None,
    host: Host = None,
    crawl: Crawl = None,
    data: Data = None,
    json: Json = False,
) -> None:
    """List dead letters, the oldest of each stage first.

    Example: penstock dead list --stage scraper.parse
    """
    from penstock.commands.dead import list_letters

    list_letters(given({"data": data}), _filter(stage, reason, host, crawl), json=json)


@dead.command()
def show(letter: Name, data: Data = None, json: Json = False) -> None:
    """Show a dead letter with its raw bytes.

    Example: penstock dead show scraper.parse/1795443331042-0
    """
    from penstock.commands.dead import show_letter

    show_letter(letter, given({"data": data}), json=json)


@dead.command()
def retry(
    letters: Names = None,
    every: All = False,
    stage: Stage = None,
    reason: Reason = None,
    host: Host = None,
    crawl: Crawl = None,
    data: Data = None,
    json: Json = False,
) -> None:
    """Give dead letters to their stage once more, when what was wrong has been mended.

    Example: penstock dead retry --all --stage scraper.parse
    """
    from penstock.commands.dead import act

    which = _filter(stage, reason, host, crawl)
    raise typer.Exit(act("retry", letters or [], given({"data": data}), which, every=every, json=json))


@dead.command()
def drop(
    letters: Names = None,
    every: All = False,
    stage: Stage = None,
    reason: Reason = None,
    host: Host = None,
    crawl: Crawl = None,
    data: Data = None,
    json: Json = False,
) -> None:
    """Throw dead letters away for good.

    Example: penstock dead drop scraper.parse/1795443331042-0
    """
    from penstock.commands.dead import act

    which = _filter(stage, reason, host, crawl)
    raise typer.Exit(act("drop", letters or [], given({"data": data}), which, every=every, json=json))


def _filter(stage: str | None, reason: str | None, host: str | None, crawl: str | None) -> dict[str, str]:
    return given({"stage": stage, "reason": reason, "host": host, "crawl": crawl})
