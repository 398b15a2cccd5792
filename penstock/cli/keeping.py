"""Commands that look after what was recorded, and explain it: rebuild, explain."""

from __future__ import annotations

from typing import Annotated

import typer

from penstock.cli.options import Data, app, given


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
