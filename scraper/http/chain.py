"""A chain of redirects: where it has been, so that it is noticed when it comes back. Pure.

Takes a job's chain and an answer, gives the chain of the job that follows. A mark is a digest of a URL without its
fragment, with a `+` behind it where the answer set a cookie.
"""

import hashlib

import ada_url

from scraper.errors import NeedsCookies, RedirectLoop
from scraper.http.answer import Answer

#: Bytes of a mark. A chain has ten of them, so four would do.
_MARK_BYTES = 6
_COOKIE = "+"


def chain_with(chain: tuple[str, ...], answer: Answer) -> tuple[str, ...]:
    """The chain with this answer's URL behind it."""
    return (*chain, _mark(answer.url) + (_COOKIE if answer.header("set-cookie") else ""))


def check_chain(location: str, chain: tuple[str, ...]) -> None:
    """Raise `RedirectLoop` or `NeedsCookies` if a redirect leads back into its own chain.

    Browsers follow such a one too, because a cookie may have changed the answer: we keep none.
    """
    back = _mark(location)
    if all(mark.rstrip(_COOKIE) != back for mark in chain):
        return
    if any(mark.endswith(_COOKIE) for mark in chain):
        raise NeedsCookies(f"the redirect leads back to {location}, and waits for a cookie that was set")
    raise RedirectLoop(f"the redirect leads back to {location}")


def _mark(url: str) -> str:
    parsed = ada_url.URL(url)
    parsed.hash = ""
    return hashlib.blake2b(str(parsed.href).encode("utf-8", "replace"), digest_size=_MARK_BYTES).hexdigest()
