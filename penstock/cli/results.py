"""Commands that read what was crawled: crawls, export."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from penstock.cli.options import Data, Json, app, given


@app.command(rich_help_panel="Results")
def crawls(data: Data = None, json: Json = False) -> None:
    """List the crawls of a data folder, the newest first.

    Example: penstock crawls --json
    """
    from penstock.commands.crawls import crawls as run

    run(given({"data": data}), json=json)


@app.command(rich_help_panel="Results")
def export(
    what: Annotated[Literal["pages", "items", "failures"], typer.Argument(help="Which rows.")],
    crawl: Annotated[str | None, typer.Option(help="Only this crawl, by id or name.")] = None,
    data: Data = None,
    format: Annotated[Literal["jsonl", "csv"], typer.Option(help="How rows are written.")] = "jsonl",
    output: Annotated[
        str, typer.Option("-o", "--output", metavar="FILE|-", help="Where to; - is standard output.")
    ] = "-",
) -> None:
    """Write what a crawl found, as JSON Lines or CSV.

    Example: penstock export items --format csv -o books.csv
    """
    from penstock.commands.export import export as run

    run(what, given({"data": data}), crawl=crawl, format=format, output=output)
