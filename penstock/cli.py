"""The command line. Takes words, gives an exit status; each command's work is in `penstock.commands`, imported late.

Exit status: 0 finished, 1 finished but no page could be fetched, 2 wrong usage or something a person must mend,
130 interrupted and resumable.
"""

from __future__ import annotations

import sys
from typing import Annotated, Any, Literal

import typer

from events.errors import PenstockError
from events.logs import masked, visible

app = typer.Typer(
    name="penstock",
    help="Crawl the web: fetch once, parse for ever, lose nothing.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Data = Annotated[str | None, typer.Option("--data", metavar="DIR", help="The data folder [.penstock].")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
Many = list[str] | None
_REPEATABLE = "a regular expression; may be repeated."


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


@app.command(rich_help_panel="Crawling")
def crawl(
    seeds: Annotated[Many, typer.Argument(metavar="[SEED]...", help="URLs to start from.")] = None,
    spider: Annotated[str | None, typer.Option(metavar="FILE.py|module:attribute", help="What to extract.")] = None,
    name: Annotated[
        str | None, typer.Option(help="The crawl's name [its first host]; an unfinished one of it goes on.")
    ] = None,
    data: Data = None,
    max_pages: Annotated[int | None, typer.Option(min=0, help="Pages to fetch; 0: no bound.")] = None,
    max_depth: Annotated[int | None, typer.Option(min=0, help="Links from a seed; 0: no bound.")] = None,
    delay: Annotated[
        float | None, typer.Option(metavar="SECONDS", help="Between starts of requests to a host [1.0].")
    ] = None,
    per_host: Annotated[int | None, typer.Option(min=1, help="Requests in flight to one host [1].")] = None,
    concurrency: Annotated[int | None, typer.Option(min=1, help="Requests in flight in each fetch process.")] = None,
    workers: Annotated[int | None, typer.Option(min=1, help="Fetch processes.")] = None,
    parsers: Annotated[int | None, typer.Option(min=1, help="Parser processes.")] = None,
    scope: Annotated[Literal["host", "domain", "any"] | None, typer.Option(help="Where links may lead [host].")] = None,
    allow: Annotated[Many, typer.Option(metavar="PATTERN", help=f"Only URLs that match: {_REPEATABLE}")] = None,
    deny: Annotated[Many, typer.Option(metavar="PATTERN", help=f"No URLs that match: {_REPEATABLE}")] = None,
    ignore_robots: Annotated[bool, typer.Option("--ignore-robots", help="Do not ask for robots.txt.")] = False,
    allow_private: Annotated[
        bool, typer.Option("--allow-private", help="Fetch private and loopback addresses too.")
    ] = False,
    user_agent: Annotated[str | None, typer.Option(metavar="TEXT", help="Who we say we are.")] = None,
    seeds_file: Annotated[
        str | None, typer.Option(metavar="FILE", help="Seeds, one a line; # begins a comment.")
    ] = None,
    progress: Annotated[
        Literal["auto", "live", "plain", "none"] | None, typer.Option(help="How to show it [auto].")
    ] = None,
    json: Json = False,
) -> None:
    """Crawl from seed URLs and keep the result; the same command again goes on where it was stopped.

    Example: penstock crawl https://books.toscrape.com/ --max-pages 200 --delay 0.5
    """
    given = {key: value for key, value in locals().items() if key not in ("seeds", "seeds_file", "json")}
    given |= {"ignore_robots": ignore_robots or None, "allow_private": allow_private or None}
    from penstock.commands.crawl import crawl as run

    raise typer.Exit(run(seeds or [], _given(given), seeds_file=seeds_file, json=json))


@app.command(rich_help_panel="Crawling")
def watch(
    crawl: Annotated[str | None, typer.Argument(metavar="[CRAWL]", help="Its id or name [the latest].")] = None,
    data: Data = None,
    json: Json = False,
) -> None:
    """Watch a crawl that runs; join late, leave, or join twice.

    Example: penstock watch books --json
    """
    from penstock.commands.watch import watch as run

    raise typer.Exit(run(crawl, _given({"data": data}), json=json))


@app.command(rich_help_panel="Results")
def crawls(data: Data = None, json: Json = False) -> None:
    """List the crawls of a data folder, the newest first.

    Example: penstock crawls --json
    """
    from penstock.commands.crawls import crawls as run

    run(_given({"data": data}), json=json)


@app.command(rich_help_panel="Results")
def export(
    what: Annotated[Literal["pages", "items", "failures"], typer.Argument(help="Which rows.")],
    crawl: Annotated[str | None, typer.Option(help="Only this crawl, by id or name.")] = None,
    data: Data = None,
    format: Annotated[Literal["jsonl", "csv"], typer.Option(help="How rows are written.")] = "jsonl",
    output: Annotated[
        str, typer.Option("-o", "--output", metavar="FILE|-", help="Where to; - is standard output.")
    ] = "-",
) -> None:
    """Write what a crawl found, as JSON Lines or CSV.

    Example: penstock export items --format csv -o books.csv
    """
    from penstock.commands.export import export as run

    run(what, _given({"data": data}), crawl=crawl, format=format, output=output)


@app.command(rich_help_panel="Results")
def inspect(
    url: Annotated[str, typer.Argument(help="The page.")],
    spider: Annotated[str | None, typer.Option(metavar="FILE.py|module:attribute", help="What to extract.")] = None,
    allow_private: Annotated[
        bool, typer.Option("--allow-private", help="Fetch private and loopback addresses too.")
    ] = False,
    user_agent: Annotated[str | None, typer.Option(metavar="TEXT", help="Who we say we are.")] = None,
) -> None:
    """Fetch and parse one page, store nothing, and show what came of it.

    Example: penstock inspect https://example.com/ --spider books.py
    """
    from penstock.commands.inspect import inspect as run

    given = _given({"allow_private": allow_private or None, "user_agent": user_agent})
    raise typer.Exit(run(url, given, spider=spider))


@app.command(rich_help_panel="Trying out")
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
    given = {**locals(), "latency_ms": latency, "jitter_ms": jitter, "retry_after_seconds": retry_after}
    given["crawl_delay_seconds"] = crawl_delay
    from penstock.commands.site import site as run

    run({key: value for key, value in given.items() if key not in ("latency", "jitter", "retry_after", "crawl_delay")})


Tied = Annotated[bool, typer.Option("--tied", hidden=True, help="End with the process that started this one.")]


def _stage(command: str, what: str) -> None:
    def stage(tied: Tied = False) -> None:
        from penstock.commands.stages import run

        raise typer.Exit(run(command, tied=tied))

    example = f"PENSTOCK_REDIS_URL=redis://localhost:6379 penstock {command}"
    stage.__doc__ = f"{what} in the foreground, until SIGTERM.\n\nExample: {example}"
    app.command(command, rich_help_panel="Containers")(stage)


_stage("scheduler", "Run seed, discover, dispatch and settle")
_stage("worker", "Run Celery fetch workers")
_stage("parse", "Run parsers")
_stage("record", "Run the recorder")


def _given(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None and value != []}
