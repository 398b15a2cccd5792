"""Every command of the command line, and the options that `penstock` itself has."""

from __future__ import annotations

from typing import Annotated

import typer

from penstock.cli import containers, crawling, dead, keeping, results, serving, steering, trying
from penstock.cli.options import app

__all__ = ["app", "containers", "crawling", "dead", "keeping", "results", "serving", "steering", "trying"]


def _show_version(wanted: bool) -> None:
    if wanted:
        from penstock import __version__

        print(f"penstock {__version__}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Say it.")] = False,
) -> None:
    """Crawl the web: fetch once, parse for ever, lose nothing.

    Example: penstock crawl https://books.toscrape.com/
    """
