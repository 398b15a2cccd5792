"""Commands that run one stage group in the foreground, as a container does: scheduler, worker, parse, record."""

from __future__ import annotations

from typing import Annotated

import typer

from penstock.cli.options import app

Tied = Annotated[bool, typer.Option("--tied", hidden=True, help="End with the process that started this one.")]


def _stage(command: str, what: str) -> None:
    def stage(tied: Tied = False) -> None:
        from penstock.commands.stages import run

        raise typer.Exit(run(command, tied=tied))

    example = f"PENSTOCK_REDIS_URL=redis://localhost:6379 penstock {command}"
    stage.__doc__ = f"{what} in the foreground, until SIGTERM.\n\nExample: {example}"
    app.command(command)(stage)


_stage("scheduler", "Run seed, discover, dispatch and settle")
_stage("worker", "Run Celery fetch workers")
_stage("parse", "Run parsers")
_stage("record", "Run the recorder, and the notifier of webhooks")
