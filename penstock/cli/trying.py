"""Commands for trying out: site, help."""

from __future__ import annotations

from typing import Annotated

import typer

from penstock.cli.helping import show_help
from penstock.cli.options import app

app.command("help")(show_help)


@app.command()
def site(
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one.")] = 8900,
    hosts: Annotated[int, typer.Option(help="1 is 127.0.0.1; more are 127.1.0.1 and up.")] = 1,
    pages: Annotated[int, typer.Option(help="Pages over all hosts.")] = 200,
    seed: Annotated[int, typer.Option(help="Another seed is another web.")] = 1,
    links: Annotated[int, typer.Option(help="Links of a page, about.")] = 30,
    page_kb: Annotated[int, typer.Option(help="Size of a page, about.")] = 8,
    latency: Annotated[float, typer.Option(metavar="MS", help="Time to the first byte.")] = 0.0,
    jitter: Annotated[float, typer.Option(metavar="MS", help="The latency varies by this.")] = 0.0,
    error_rate: Annotated[float, typer.Option(help="Share of answers that are 503.")] = 0.0,
    throttle_rate: Annotated[float, typer.Option(help="Share of answers that are 429 with Retry-After.")] = 0.0,
    retry_after: Annotated[int, typer.Option(metavar="SECONDS", help="What a 429 asks for.")] = 1,
    crawl_delay: Annotated[float | None, typer.Option(metavar="SECONDS", help="Crawl-delay in robots.txt.")] = None,
    robots: Annotated[str, typer.Option(help="ok, 500, 404, timeout, bom, huge, html, redirect or recovers.")] = "ok",
    gzip: Annotated[bool, typer.Option("--gzip", help="Compress pages.")] = False,
    traps: Annotated[bool, typer.Option("--traps", help="Link endless calendars and paths.")] = False,
    hostile: Annotated[bool, typer.Option("--hostile", help="Link /hostile/ from the first page.")] = False,
    prebuild: Annotated[bool, typer.Option("--prebuild", help="Render all pages first.")] = False,
    log: Annotated[str | None, typer.Option(metavar="FILE", help="A JSON line for each request.")] = None,
) -> None:
    """Serve the simulated web on loopback: a deterministic site to crawl, with a log of every request.

    Example: penstock site --hosts 20 --pages 2000 --latency 50 --log site.jsonl
    """
    said = {**locals(), "latency_ms": latency, "jitter_ms": jitter, "retry_after_seconds": retry_after}
    said["crawl_delay_seconds"] = crawl_delay
    from penstock.commands.site import site as run

    run({key: value for key, value in said.items() if key not in ("latency", "jitter", "retry_after", "crawl_delay")})
