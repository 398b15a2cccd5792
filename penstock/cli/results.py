"""Commands that read what was crawled: crawls, export."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from penstock.cli.options import Data, Json, Many, app, given


@app.command()
def crawls(data: Data = None, json: Json = False) -> None:
    """List the crawls of a data folder, the newest first.

    Example: penstock crawls --json
    """
    from penstock.commands.crawls import crawls as run

    run(given({"data": data}), json=json)


@app.command()
def export(
    what: Annotated[
        Literal["pages", "items", "failures", "events", "warc", "wacz"],
        typer.Argument(help="Which rows, or with warc and wacz all answers as they came."),
    ],
    crawl: Annotated[str | None, typer.Option(help="Of this crawl, by id or name [the newest].")] = None,
    type: Annotated[
        Many, typer.Option(metavar="TYPE", help="Only items, or events, of this type; may be repeated.")
    ] = None,
    all_crawls: Annotated[
        bool, typer.Option("--all-crawls", help="Of all crawls of the folder, not only of the newest.")
    ] = False,
    all_versions: Annotated[
        bool, typer.Option("--all-versions", help="Items by every version of a spider, not only by the newest.")
    ] = False,
    version: Annotated[
        str | None, typer.Option("--version", metavar="VERSION", help="Items by this version of a spider alone.")
    ] = None,
    flat: Annotated[
        bool, typer.Option("--flat", help="Items of one type as a table, with a column for each field of their data.")
    ] = False,
    use: Annotated[
        Literal["ai-train", "search", "ai-input"] | None,
        typer.Option("--for", help="Without pages that say, by themselves or their host, that they are not for this."),
    ] = None,
    data: Data = None,
    format: Annotated[
        Literal["jsonl", "csv", "parquet"] | None, typer.Option(help="How rows are written [by FILE's name, or jsonl].")
    ] = None,
    output: Annotated[
        str,
        typer.Option(
            "-o",
            "--output",
            metavar="FILE|DIR|-",
            help="Where to; - is standard output. A folder, or {type} in the name: a file for each type of item.",
        ),
    ] = "-",
) -> None:
    """Write what a crawl found, as JSON Lines, CSV, Parquet, WARC or WACZ; the file is there when it is complete.

    Example: penstock export items --type book --flat -o books.csv
    """
    from penstock.commands.export import export as run

    run(
        what,
        given({"data": data}),
        crawl=crawl,
        all_crawls=all_crawls,
        format=format,
        output=output,
        types=type or [],
        all_versions=all_versions,
        version=version,
        flat=flat,
        use=use,
    )
