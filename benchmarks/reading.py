"""CPU time that a page costs to read and to fetch, as a ratio to another commit's.

    python -m benchmarks.reading [--against FOLDER] [--pages FOLDER] [--rounds 15]

`--against` is a checkout of another commit with its own `.venv`; a process there takes turns with one here, and what is
compared are medians of CPU time. Pages are made up, of 37 and 174 KB, or those of `--pages`, a folder of HTML. Read
with the generic extractor and with a spider, in several encodings; one is fetched in chunks over loopback.
"""

import argparse
import asyncio
import json
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parents[1]
#: Seconds that a turn is meant to take at least, so that a clock's tick is nothing of it.
_TURN_SECONDS = 0.1
_SPIDER = """
from scraper.spider import Spider

spider = Spider("bench")


@spider.page("/**")
def page(page):
    yield {"title": page.text("h1"), "text": page.text("p"), "links": page.attrs("a", "href")[:3]}
"""
_LEGACY = {"gbk": "gbk", "big5": "big5", "iso-2022-jp": "iso2022_jp"}
_WORDS = {"gbk": "中文字符测试 页面内容", "big5": "繁體中文測試 頁面內容", "iso-2022-jp": "日本語の文字 ページ"}


def main() -> None:
    """Measure, and print microseconds here and ratios."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--against", type=Path, help="a checkout of another commit, with its own .venv")
    parser.add_argument("--pages", type=Path, help="a folder of HTML files to read instead of made-up pages")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--worker", nargs=3, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.worker:
        asyncio.run(_serve_turns(*args.worker))
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "bench_spider.py").write_text(_SPIDER)
        url, pages = _chunked_site(), str(args.pages.resolve()) if args.pages else ""
        sides = [_worker(root, folder, url, pages) for root in (HERE, args.against) if root]
        _compare(sides, args.rounds)


def _worker(root: Path, folder: Path, url: str, pages: str) -> "subprocess.Popen[str]":
    python = root / ".venv/bin/python"
    command = [str(python if python.exists() else sys.executable), __file__, "--worker", str(folder), url, pages]
    environment = {"PYTHONPATH": str(root.resolve()), "PATH": "/usr/bin:/bin"}
    pipe = subprocess.PIPE
    return subprocess.Popen(command, cwd=root, env=environment, stdin=pipe, stdout=pipe, text=True)


def _compare(sides: "list[subprocess.Popen[str]]", rounds: int) -> None:
    names = [json.loads(_said(side)) for side in sides]
    for name in names[0]:
        times = [[float(_asked(side, name)) for side in sides] for _ in range(rounds)]
        here = statistics.median(each[0] for each in times)
        line = f"{name:24} {here:9.1f} µs"
        if len(sides) > 1:
            there = statistics.median(each[1] for each in times)
            line += f" {there:9.1f} µs there, {here / there:.2f}"
        print(line, flush=True)
    for side in sides:
        side.communicate()


def _asked(side: "subprocess.Popen[str]", name: str) -> str:
    assert side.stdin
    side.stdin.write(name + "\n")
    side.stdin.flush()
    return _said(side)


def _said(side: "subprocess.Popen[str]") -> str:
    assert side.stdout
    if not (line := side.stdout.readline()):
        raise SystemExit(f"{side.args!r} ended: is it a checkout of this project?")
    return line


def _chunked_site() -> str:
    """The URL of a page of 37 KB that comes in chunks of 4 KB, again and again over one connection."""
    body = b"".join(b"1000\r\n%b\r\n" % (b"a" * 4096) for _ in range(9)) + b"0\r\n\r\n"
    answer = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n" + body

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while (await reader.read(4096)).endswith(b"\r\n\r\n"):
            writer.write(answer)
        writer.close()

    loop = asyncio.new_event_loop()
    server = loop.run_until_complete(asyncio.start_server(serve, "127.0.0.1", 0))
    threading.Thread(target=loop.run_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"


# -- in each checkout: what both commits have is all that may be used


async def _serve_turns(folder: str, url: str, pages: str) -> None:
    cases: dict[str, Callable[[], object]] = dict(_readings(Path(folder), Path(pages) if pages else None))
    async with _client() as client:
        print(json.dumps([*cases, "fetch, chunked"]), flush=True)
        while name := (await asyncio.to_thread(sys.stdin.readline)).strip():
            print(_microseconds(cases[name]) if name in cases else await _fetching(client, url), flush=True)


def _microseconds(act: Callable[[], object]) -> float:
    started, turns = time.process_time(), 0
    while (spent := time.process_time() - started) < _TURN_SECONDS:
        act()
        turns += 1
    return spent / turns * 1e6


def _readings(folder: Path, pages: Path | None) -> Iterator[tuple[str, Callable[[], object]]]:
    from scraper.parsers.reading import Reader
    from tests.scraper.pages import job_of

    reader, spider = Reader(), f"{folder}/bench_spider.py"
    for name, bodies, kind in _pages(pages):
        for who, reference in (("generic", None), ("spider", spider)):
            jobs = [job_of(body, spider=reference, content_type=kind) for body in bodies]
            if error := reader.read(jobs[0]).error:
                raise SystemExit(f"{name}, {who}: {error} {reader.read(jobs[0]).detail}")
            yield f"{name}, {who}", _all(reader.read, jobs)


def _all(read: Callable[..., object], jobs: list[object]) -> Callable[[], object]:
    return lambda: [read(job) for job in jobs]


def _pages(folder: Path | None) -> Iterator[tuple[str, list[bytes], str]]:
    utf_8 = "text/html; charset=utf-8"
    if folder:
        yield "your pages", [path.read_bytes() for path in sorted(folder.rglob("*.html"))[:50]], utf_8
        return
    from benchmarks.parse_cpu import html

    page = html(1)
    large = page.replace(
        "</main>", "".join(html(n).partition("<main>")[2].partition("</main>")[0] for n in range(2, 7))
    )
    yield "37 KB", [page.encode()], utf_8
    yield "174 KB", [large.encode()], utf_8
    yield "meta charset only", [page.encode()], "text/html"
    for name, codec in _LEGACY.items():
        text = page.replace("river", _WORDS[name]).replace("gate", _WORDS[name])
        yield name, [text.encode(codec)], f"text/html; charset={name}"


def _client() -> Any:
    from scraper.http.client import Client

    try:
        from contract.settings import Settings
    except ImportError:
        from events.settings import Settings  # as the contract was called once
    return Client(Settings(allow_private=True))


async def _fetching(client: Any, url: str) -> float:
    started, turns = time.process_time(), 0
    while (spent := time.process_time() - started) < _TURN_SECONDS:
        await client.get(url, user_agent="bench")
        turns += 1
    return spent / turns * 1e6


if __name__ == "__main__":
    main()
