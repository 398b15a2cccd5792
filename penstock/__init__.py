"""The front door: the command line, the live view, the one-machine cluster, and the simulated web.

It publishes commands and reads read models, and does nothing else to a crawl. What people write spiders with is here
too, so that there is one place to import from:

from penstock import Page, Spider
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from scraper import Page, Spider

__all__ = ["Page", "Spider", "__version__"]

__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    # Late: no command but those that read pages needs the HTML parser.
    if name in ("Page", "Spider"):
        import scraper

        return getattr(scraper, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
