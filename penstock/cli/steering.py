"""Commands that steer a crawl: pause, resume, cancel, add."""

from __future__ import annotations

from typing import Annotated

import typer

from penstock.cli.options import Data, Many, app, given

Crawl = Annotated[str, typer.Argument(metavar="CRAWL", help="Its id or name.")]


def _verb(verb: str, what: str) -> None:
    def command(crawl: Crawl, data: Data = None) -> None:
        from penstock.commands.control import control

        control(verb, crawl, given({"data": data}), seeds=[], seeds_file=None)

    command.__doc__ = f"{what}\n\nExample: penstock {verb} books"
    app.command(verb)(command)


_verb("pause", "Issue no further page of a crawl until it is resumed; what is in flight is finished.")
_verb("resume", "Go on with a paused crawl.")
_verb("cancel", "End a crawl for good, and free its memory; what was fetched stays.")


@app.command()
def add(
    crawl: Crawl,
    seeds: Annotated[Many, typer.Argument(metavar="SEED", help="URLs to start from too.")] = None,
    seeds_file: Annotated[
        str | None, typer.Option(metavar="FILE|-", help="Seeds, one a line; - is standard input.")
    ] = None,
    data: Data = None,
) -> None:
    """Add seeds to a crawl that is not over.

    Example: penstock add books https://books.toscrape.com/catalogue/page-7.html
    """
    from penstock.commands.control import control

    control("add", crawl, given({"data": data}), seeds=seeds or [], seeds_file=seeds_file)
