"""Commands that serve HTTP: serve, up."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from penstock.cli.options import AllowPrivate, Data, Many, app, given

Host = Annotated[
    str | None, typer.Option("--host", help="Where to listen [127.0.0.1]; elsewhere it takes PENSTOCK_API_TOKEN.")
]
Port = Annotated[int | None, typer.Option("--port", min=0, max=65_535, help="Which port [8000]; 0: any.")]
Spiders = Annotated[
    Many,
    typer.Option("--spider", metavar="FILE.py|module:attribute", help="One that crawls may name; may be repeated."),
]
Tied = Annotated[bool, typer.Option("--tied", hidden=True, help="End with the process that started this one.")]


@app.command()
def serve(
    host: Host = None,
    port: Port = None,
    data: Data = None,
    spider: Spiders = None,
    allow_private: AllowPrivate = False,
    tied: Tied = False,
    listening: Annotated[int | None, typer.Option("--listening", hidden=True, help="A socket's descriptor.")] = None,
) -> None:
    """Serve the HTTP API and the dashboard for a cluster that runs already, until SIGTERM.

    Example: PENSTOCK_REDIS_URL=redis://localhost:6379 penstock serve --port 8000
    """
    said: dict[str, Any] = {"api_host": host, "api_port": port, "data": data, "spiders": spider}
    from penstock.commands.serve import serve as run

    said["allow_private"] = allow_private or None
    raise typer.Exit(run(given(said), tied=tied, listening=listening))


@app.command()
def up(
    host: Host = None,
    port: Port = None,
    data: Data = None,
    spider: Spiders = None,
    allow_private: AllowPrivate = False,
    workers: Annotated[int | None, typer.Option(min=1, help="Fetch processes.")] = None,
    parsers: Annotated[int | None, typer.Option(min=1, help="Parser processes.")] = None,
    concurrency: Annotated[int | None, typer.Option(min=1, help="Requests in flight in each fetch process.")] = None,
) -> None:
    """Run everything on this machine, with the HTTP API and the dashboard, until Ctrl-C.

    Example: penstock up --port 8000
    """
    said: dict[str, Any] = {"api_host": host, "api_port": port, "data": data, "spiders": spider, "workers": workers}
    said |= {"parsers": parsers, "concurrency": concurrency, "allow_private": allow_private or None}
    from penstock.commands.up import up as run

    raise typer.Exit(run(given(said)))
