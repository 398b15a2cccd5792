"""What a person should know of a crawl that is over: its shape, in sentences, each with what to do. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from contract.logs import visible
from storage.read_models.shape import Shape

#: Copies are spoken of from so many on, and from this share of the pages.
COPIES, SHARE_OF_COPIES = 10, 0.1
#: A page so many links from a seed is on a site without an end, or nearly.
DEEP = 50
#: HTML pages without links are spoken of from this share on.
SHARE_OF_BARE = 0.5


def remarks(shape: Shape, *, follows: bool = True) -> Iterator[str]:
    """The sentences, one each for what stands out; none for a crawl as they mostly are.

    `follows` False: its spider may say which links it wants, so that pages without any are none of odd ones.
    """
    if shape.copies >= COPIES and shape.copies >= SHARE_OF_COPIES * shape.pages:
        share = shape.copies / shape.pages
        yield f"{share:.0%} of the pages ({shape.copies:,}) have the same body as another one: see their column digest"
    if same := shape.left_out.get("same_body"):
        yield (
            f"{same:,} URLs were found only on pages with the very same body as many others, and left out; "
            "--same-body 0 takes them"
        )
    if shape.depth >= DEEP:
        yield (
            f"the deepest page is {shape.depth:,} links from a seed: {visible(shape.deepest)}; penstock explain shows "
            "the way to it, --max-depth and --deny bound such sites"
        )
    if follows and shape.bare and shape.bare >= SHARE_OF_BARE * shape.html:
        which = "the only HTML page has" if shape.html == 1 else f"{shape.bare:,} of {shape.html:,} HTML pages have"
        yield f"{which} no links: such pages may be made by scripts, which are not run"
    if shape.given_up[0]:
        hosts, urls = shape.given_up
        yield (
            f"{hosts:,} {'host' if hosts == 1 else 'hosts'} refused for longer than --give-up-host, which cost "
            f"{urls:,} URLs: penstock export failures names them"
        )
