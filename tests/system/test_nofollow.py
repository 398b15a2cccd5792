"""A page that asks not to follow its links is heard: a crawl says so, and `explain` of what was left out."""

from pathlib import Path

from tests.scraper.raw_server import answer, raw_server
from tests.system.commands import penstock, rows

FAST = ("--delay", "0", "--allow-private", "--progress", "none")
HTML = "Content-Type: text/html"
PAGES = {
    "/robots.txt": answer(b"User-agent: *\nContent-Signal: search=yes, ai-train=no\nAllow: /\n"),
    "/": answer(b"<a href=/open>1</a><a href=/history>2</a>", HTML),
    "/open": answer(b"<link rel=canonical href=/><p>open</p>", HTML),
    "/history": answer(b"<meta name=robots content='noindex,nofollow'><a href=/history?1>older</a>", HTML),
    "/history?1": answer(b"<p>older</p>", HTML),
}


async def test_links_of_such_pages_are_left_out_and_told(tmp_path: Path) -> None:
    async def script(reader, writer):  # type: ignore[no-untyped-def]
        while True:
            writer.write(PAGES[server.requests[-1].split()[1].decode()])
            await writer.drain()
            server.requests.append(await reader.readuntil(b"\r\n\r\n"))

    data = ("--data", str(tmp_path))
    async with raw_server(script) as server:
        done = await penstock("crawl", f"{server.url}/", *FAST, *data)
        told = await penstock("explain", f"{server.url}/history?1", *data)
        page = await penstock("explain", f"{server.url}/history", *data)
        heard = await rows("pages", tmp_path)
        used = await penstock("export", "pages", "--for", "ai-train", *data)
        again = await penstock("crawl", f"{server.url}/", "--name", "all", "--follow-nofollow", *FAST, *data)

    assert (done.status, again.status) == (0, 0)
    assert "1 page asks not to follow its links (nofollow)" in done.err
    assert "asks not to follow it (nofollow), and that was obeyed" in told.out
    assert "it asks: robots noindex, nofollow, train_ai refused, search allowed; 1 link not followed for it" in page.out
    said = {row["url"].removeprefix(server.url): (row["robots"], row["canonical"], row["train_ai"]) for row in heard}
    assert said == {
        "/": (None, None, False),
        "/open": (None, f"{server.url}/", False),
        "/history": ("noindex, nofollow", None, False),
    }
    assert (used.out, used.err) == (
        "",
        "penstock: left out 3 pages that the page itself or its host's robots.txt refuses for ai-train\n",
    )
    assert "nofollow" not in again.err
    assert b"/history?1" in b"".join(server.requests)
