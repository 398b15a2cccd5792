"""Commands that look after what was recorded, explain it, and say what to mend: rebuild, reparse, explain, doctor, …"""

from __future__ import annotations

from typing import Annotated

import typer

from penstock.cli.options import Data, Json, Many, SpiderOption, app, given


@app.command()
def rebuild(
    model: Annotated[str | None, typer.Argument(metavar="MODEL", help="Such as pages [all].")] = None,
    data: Data = None,
) -> None:
    """Make read models anew from the recorded events; a crawl may go on meanwhile.

    Example: penstock rebuild pages
    """
    from penstock.commands.rebuild import rebuild as run

    run(model, given({"data": data}))


@app.command()
def reparse(
    crawl: Annotated[str, typer.Argument(metavar="CRAWL", help="Its id or name.")],
    spider: SpiderOption = None,
    data: Data = None,
    parsers: Annotated[int | None, typer.Option(min=1, help="Parser processes.")] = None,
    fetch_missing: Annotated[
        bool, typer.Option("--fetch-missing", help="Then fetch what it asks for and the crawl never came to.")
    ] = False,
    json: Json = False,
) -> None:
    """Extract anew from the pages that a crawl has fetched, without asking the site; the same command again goes on.

    Example: penstock reparse books --spider books.py
    """
    from penstock.commands.reparse import reparse as run

    settings = given({"data": data, "parsers": parsers})
    raise typer.Exit(run(crawl, settings, spider=spider, json=json, fetch_missing=fetch_missing))


@app.command()
def explain(
    url: Annotated[str, typer.Argument(help="The page; any spelling of its URL.")],
    crawl: Annotated[str | None, typer.Option(help="In this crawl, by id or name [the latest that knows it].")] = None,
    data: Data = None,
    json: Json = False,
) -> None:
    """Say what became of a URL and why: discovered, scheduled, fetched, parsed, archived, or left out.

    The exit status is 1 for a URL of which nothing is recorded.

    Example: penstock explain https://books.toscrape.com/index.html
    """
    from penstock.commands.explain import explain as run

    raise typer.Exit(run(url, given({"data": data}), crawl=crawl, json=json))


@app.command()
def doctor(data: Data = None, json: Json = False) -> None:
    """Look at settings, Redis, stages, database, archive and disk, and say what to mend; exit status 1 if it must be.

    Example: penstock doctor
    """
    from penstock.commands.doctor import doctor as run

    raise typer.Exit(run(given({"data": data}), json=json))


@app.command()
def forget(
    crawls: Annotated[Many, typer.Argument(metavar="CRAWL", help="Their ids or names.")] = None,
    older_than: Annotated[
        float | None, typer.Option(metavar="DAYS", min=0, help="Also all that ended so many days ago, or before.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    data: Data = None,
    json: Json = False,
) -> None:
    """Take crawls that are over out of the record for good: pages, items, events and archived bodies.

    Example: penstock forget --older-than 90
    """
    from penstock.commands.forget import forget as run

    run(crawls or [], given({"data": data}), days=older_than, yes=yes, json=json)
