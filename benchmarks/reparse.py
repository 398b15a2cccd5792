"""`penstock reparse` as a whole command: pages a second, and the CPU time of a page in the command and its children.

    python -m benchmarks.reparse [PAGES=4000] [SPIDER.py ...]

The crawl is made of page bodies of the simulated web (37 KB, 80 links), put straight into an archive and SQL as a
recorder does. It is parsed by the generic extractor, and then by a small spider or by those given. Start and end of the
command and its children are in the figures, compiling Python's source is not. Budget: 1,500 pages a second on 2 cores.
"""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from contract.pages import Link
from contract.settings import Settings
from penstock.site import SiteOptions
from penstock.site.graph import Web
from penstock.site.pages import page_body
from scraper.warc import digest_of, write_record
from storage import batch
from storage.archive.segments.files import FileArchive
from storage.sql.database import open_database
from storage.store.event_store import Arrival
from tests import builders
from tests.storage.helpers import arrival
from tests.system.commands import environ

PORT, PAGES_A_BATCH = 8080, 500
LINKS, PAGE_KB = 80, 37
SPIDER = """
from scraper import Spider
spider = Spider("small")

@spider.page("/**")
def page(page):
    yield {"title": page.title, "heading": page.text("h1"), "about": page.attr("meta[name=description]", "content")}
"""
#: The command, which says at its end what CPU time it and its children took.
TIMED = """
import atexit, json, os, sys
atexit.register(lambda: print(json.dumps(os.times()), file=sys.stderr))
sys.argv[0] = "penstock"
from penstock.cli import main
main()
"""


def make_crawl(data: Path, pages: int) -> None:
    """A finished crawl named `site` of so many pages, each parsed by version 1 of the generic extractor."""
    web = Web(SiteOptions(pages=pages, links=LINKS, page_kb=PAGE_KB, port=PORT), port=PORT)
    engine = open_database(Settings(data=str(data)))
    with FileArchive(data / "archive", engine) as archive:
        batch.write(engine, archive, [arrival(builders.crawl_started(web.url(0)))])
        for start in range(0, pages, PAGES_A_BATCH):
            numbers = range(start, min(start + PAGES_A_BATCH, pages))
            batch.write(engine, archive, [one for number in numbers for one in _events(web, number)])
        batch.write(engine, archive, [arrival(builders.crawl_finished(fetched=pages))])
    engine.dispose()


def _events(web: Web, number: int) -> tuple[Arrival, Arrival]:
    url, body = web.url(number), page_body(web, number)
    digest, kind = digest_of(body), "text/html; charset=utf-8"
    headers = [("Content-Type", kind), ("Server", "simulated"), ("Date", "Mon, 23 Nov 2026 12:00:00 GMT")]
    member = write_record(
        url=url, event_id=url, status=200, headers=headers, body=body, digest=digest, started_at=1_795_000_000_000
    )
    claim = builders.body_ref(digest=digest, size=len(body), wire=len(body), stored=len(member))
    links = tuple(Link(url) for url in web.links(number))
    return (
        arrival(builders.page_fetched(url, id=f"{url}.out", body=claim, content_type=kind), member),
        arrival(builders.page_parsed(url, links=links, links_found=LINKS)),
    )


def measure(data: Path, *words: str) -> str:
    """Run the command once; returns what it took, in words."""
    command = (sys.executable, "-c", TIMED, "reparse", "site", "--data", str(data), "--json", *words)
    variables = environ(PYTHONPYCACHEPREFIX=str(data.parent / "compiled"))
    variables.pop("PYTHONDONTWRITEBYTECODE", None)
    began = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=variables)
    seconds = time.perf_counter() - began
    came, times = json.loads(done.stdout), json.loads(done.stderr.splitlines()[-1])
    own, children = (sum(some) / came["parsed"] * 1000 for some in (times[:2], times[2:4]))
    return (
        f"{came['spider']}: {came['parsed']} pages, {came['items']} items, {came['parsed'] / seconds:.0f} pages/s; "
        f"CPU a page: {own:.3f} ms the command, {children:.3f} ms its children"
    )


def main(pages: int, spiders: Sequence[str]) -> None:
    """Make the crawl, and parse it by each extractor."""
    with tempfile.TemporaryDirectory(prefix="ps") as name:
        folder = Path(name)
        (folder / "small.py").write_text(SPIDER)
        make_crawl(folder / "warm", 10)
        measure(folder / "warm")
        make_crawl(folder / "data", pages)
        print(measure(folder / "data"))
        for spider in spiders or [str(folder / "small.py")]:
            print(measure(folder / "data", "--spider", spider))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 4_000, sys.argv[2:])
