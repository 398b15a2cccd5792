"""Commands that look after what was recorded, and explain it: rebuild, explain."""

from __future__ import annotations

from typing import Annotated

import typer

from penstock.cli.options import Data, Json, app, given


@app.command(rich_help_panel="Results")
def rebuild(
    model: Annotated[str | None, typer.Argument(metavar="[MODEL]", help="Such as pages [all].")] = None,
    data: Data = None,
) -> None:
    """Make read models anew from the recorded events; a crawl may go on meanwhile.

    Example: penstock rebuild pages
    """
    from penstock.commands.rebuild import rebuild as run

    run(model, given({"data": data}))


@app.command(rich_help_panel="Results")
def explain(
    url: Annotated[str, typer.Argument(help="The page; any spelling of its URL.")],
    crawl: Annotated[str | None, typer.Option(help="In this crawl, by id or name [the latest that knows it].")] = None,
    data: Data = None,
    json: Json = False,
) -> None:
    """Say what became of a URL and why: discovered, scheduled, fetched, parsed, archived, or left out.

    Example: penstock explain https://books.toscrape.com/index.html
    """
    from penstock.commands.explain import explain as run

    run(url, given({"data": data}), crawl=crawl, json=json)
