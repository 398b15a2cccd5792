"""The command line. Takes words, gives an exit status; each command's work is in `penstock.commands`, imported late.

Exit status: 0 finished, 1 finished but no page could be fetched, 2 wrong usage or something a person must mend,
130 interrupted and resumable, 143 ended by SIGTERM with nothing half done left behind.
"""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from events.errors import PenstockError
from events.logs import masked, visible
from penstock.cli import containers, crawling, dead, keeping, results, serving, steering, trying
from penstock.cli.options import app

__all__ = ["app", "containers", "crawling", "dead", "keeping", "main", "results", "serving", "steering", "trying"]


def main() -> None:
    """Run the command line; what a person must mend is one line on standard error, never a traceback."""
    try:
        app()
    except PenstockError as error:
        print(f"penstock: {visible(masked(str(error)))}", file=sys.stderr)
        sys.exit(2)


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
