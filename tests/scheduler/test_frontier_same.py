"""A site that answers every path alike ends, and a site of real pages loses none."""

from contract.pages import PageExcluded
from tests.scheduler.harness import running
from tests.scheduler.web import Answering, Web

A, HOST_A = "http://a.test/", "http://a.test"


class CatchAll(Web):
    """Every path has one of a few bodies, and each page links to all of them below its own path."""

    def __init__(self, bodies: int) -> None:
        super().__init__({})
        self.bodies = bodies

    def answer(self, url: str) -> Answering:
        self.asked[url] += 1
        self.bodies_of[url] = f"{hash(url.rstrip('/').rpartition('/')[2]) % self.bodies:016x}"
        found = Answering(links=tuple(f"{url.rstrip('/')}/{n}" for n in range(self.bodies)))
        self.pages[url] = found
        return found


async def test_a_rewrite_that_answers_every_path_alike_comes_to_an_end(bus):
    web = CatchAll(12)
    async with running(bus, web) as run:
        end = await run.finished(await run.start(A, same_body=10))

    assert end.fetched < 12 * 10 * 4
    assert {page.reason for page in run.of(PageExcluded)} == {"same_body"}
    assert end.excluded == len({page.url for page in run.of(PageExcluded)})


async def test_pages_that_are_all_alike_but_link_to_real_ones_by_whole_paths_cost_none(bus):
    """Such as a notice that stands in the place of pages for members: what it links to is known from its first copy."""
    real = {f"{A}real/{n}": set() for n in range(100)}
    notices = {f"{A}notice/{n}": tuple(real) for n in range(60)}
    web = Web({A: (*notices, f"{A}list"), f"{A}list": tuple(real), **notices, **real})
    web.bodies_of = dict.fromkeys(notices, "0123456789abcdef")

    async with running(bus, web) as run:
        end = await run.finished(await run.start(A, same_body=10))

    assert (end.fetched, end.excluded) == (162, 0)


async def test_a_crawl_may_take_the_links_of_all(bus):
    web = CatchAll(4)
    async with running(bus, web) as run:
        end = await run.finished(await run.start(A, same_body=0, max_depth=4))

    assert end.fetched == 1 + 4 + 4**2 + 4**3 + 4**4
