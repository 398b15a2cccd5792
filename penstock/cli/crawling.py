"""Commands that crawl, and that look on: crawl, watch, inspect."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from penstock.cli.options import AllowPrivate, Args, Contact, Data, Json, Many, SpiderOption, UserAgent, app, given

_REPEATABLE = "a regular expression (RE2); may be repeated."


@app.command()
def crawl(
    seeds: Annotated[Many, typer.Argument(metavar="SEED", help="URLs to start from.")] = None,
    spider: SpiderOption = None,
    args: Args = None,
    name: Annotated[
        str | None, typer.Option(help="The crawl's name [its first host]; an unfinished one of it goes on.")
    ] = None,
    data: Data = None,
    max_pages: Annotated[
        int | None, typer.Option(min=0, help="Pages to fetch, redirects not counted; 0: no bound.")
    ] = None,
    max_depth: Annotated[int | None, typer.Option(min=0, help="Links from a seed; 0: no bound.")] = None,
    max_pages_per_host: Annotated[int | None, typer.Option(min=0, help="URLs of one host; 0: no bound.")] = None,
    max_links_per_page: Annotated[int | None, typer.Option(min=1, help="Links taken of one page [10000].")] = None,
    same_body: Annotated[
        int | None, typer.Option(min=0, help="Take links of so many pages of a host with one body [20]; 0: of all.")
    ] = None,
    max_url_length: Annotated[int | None, typer.Option(min=1, help="Longer URLs are left out [2000].")] = None,
    max_hops: Annotated[int | None, typer.Option(min=0, help="Redirects in a row [10].")] = None,
    max_attempts: Annotated[int | None, typer.Option(min=1, help="Requests for one URL [4].")] = None,
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
    deny_preset: Annotated[
        Many,
        typer.Option(
            metavar="NAME",
            help="Ready patterns: wiki-actions, sort-links, calendars, sessions, print-views; may be repeated.",
        ),
    ] = None,
    ignore_robots: Annotated[bool, typer.Option("--ignore-robots", help="Do not ask for robots.txt.")] = False,
    max_crawl_delay: Annotated[
        float | None, typer.Option(metavar="SECONDS", help="Leave hosts out that ask for a longer Crawl-delay [300].")
    ] = None,
    robots_patience: Annotated[
        float | None, typer.Option(metavar="SECONDS", help="Wait so long for a robots.txt that cannot be had [14400].")
    ] = None,
    give_up_host: Annotated[
        float | None, typer.Option(metavar="SECONDS", help="Give a host up that has refused for so long [86400].")
    ] = None,
    detect_encoding: Annotated[
        bool, typer.Option("--detect-encoding", help="Guess the encoding of pages that declare none, as Firefox does.")
    ] = False,
    follow_nofollow: Annotated[
        bool, typer.Option("--follow-nofollow", help="Follow the links of pages that ask not to, by nofollow.")
    ] = False,
    obey: Annotated[
        Many, typer.Option(metavar="WISH", help="Obey nofollow-links, noindex or canonical too; may be repeated.")
    ] = None,
    allow_private: AllowPrivate = False,
    user_agent: UserAgent = None,
    contact: Contact = None,
    seeds_file: Annotated[
        str | None, typer.Option(metavar="FILE|-", help="Seeds, one a line; # begins a comment; - is standard input.")
    ] = None,
    sitemaps: Annotated[
        bool,
        typer.Option("--sitemaps", help="Begin at the seeds' sitemaps too: robots.txt names them, or /sitemap.xml."),
    ] = False,
    webhook: Annotated[
        str | None, typer.Option(metavar="URL", help="Post the events of the crawl's life there.")
    ] = None,
    progress: Annotated[
        Literal["auto", "live", "plain", "none"] | None, typer.Option(help="How to show it [auto].")
    ] = None,
    serve: Annotated[bool, typer.Option("--serve", help="Serve the HTTP API and the dashboard meanwhile.")] = False,
    port: Annotated[int | None, typer.Option(min=0, max=65_535, help="Where, with --serve [8000]; 0: any.")] = None,
    json: Json = False,
) -> None:
    """Crawl from seed URLs and keep the result; the same command again goes on where it was stopped.

    Example: penstock crawl https://books.toscrape.com/ --max-pages 200 --delay 0.5
    """
    own = ("seeds", "args", "seeds_file", "json", "serve", "port")
    said = {key: value for key, value in locals().items() if key not in (*own, "own")}
    said |= {
        "sitemaps": sitemaps or None,
        "detect_encoding": detect_encoding or None,
        "follow_nofollow": follow_nofollow or None,
    }
    said |= {"api_port": port, "ignore_robots": ignore_robots or None, "allow_private": allow_private or None}
    from penstock.commands.crawl import crawl as run

    raise typer.Exit(run(seeds or [], given(said), seeds_file=seeds_file, json=json, serve=serve, args=args or ()))


@app.command()
def watch(
    crawl: Annotated[str | None, typer.Argument(metavar="CRAWL", help="Its id or name [the latest].")] = None,
    data: Data = None,
    json: Json = False,
) -> None:
    """Watch a crawl that runs; join late, leave, or join twice.

    Example: penstock watch books --json
    """
    from penstock.commands.watch import watch as run

    raise typer.Exit(run(crawl, given({"data": data}), json=json))


@app.command()
def inspect(
    url: Annotated[str, typer.Argument(help="The page.")],
    spider: SpiderOption = None,
    args: Args = None,
    allow_private: AllowPrivate = False,
    user_agent: UserAgent = None,
    contact: Contact = None,
) -> None:
    """Fetch and parse one page, store nothing, and show what came of it.

    Example: penstock inspect https://example.com/ --spider books.py
    """
    from penstock.commands.inspect import inspect as run

    said = given({"allow_private": allow_private or None, "user_agent": user_agent, "contact": contact})
    raise typer.Exit(run(url, said, spider=spider, args=args or ()))
