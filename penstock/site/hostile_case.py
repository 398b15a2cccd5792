"""One hostile page: its name, how it is served, what a good crawler makes of it; builders for usual kinds."""

from collections.abc import Awaitable, Callable

from msgspec import Struct

from penstock.site.wire import Reply, Script, Wire

HTML = "text/html; charset=utf-8"


class Hostile(Struct, frozen=True, kw_only=True):
    """A hostile page, served at `/hostile/<name>`."""

    name: str
    script: Script
    #: How its fetch ends: `fetched` (redirects too), or a word for the failure.
    outcome: str = "fetched"
    #: Other endings that are as good.
    or_else: tuple[str, ...] = ()
    #: True: reading it may end in an error, because it costs a parser more than it should be given.
    costly: bool = False
    #: False: it never ends or lasts for minutes, so only the crawler's deadline ends it.
    quick: bool = True
    #: False: the index does not link it, because it floods a crawl with URLs.
    listed: bool = True


def cases(
    scripts: dict[str, Script],
    *,
    outcome: str = "fetched",
    or_else: tuple[str, ...] = (),
    costly: bool = False,
    quick: bool = True,
) -> tuple[Hostile, ...]:
    """Hostile pages by name that all end the same way."""
    return tuple(
        Hostile(name=name, script=script, outcome=outcome, or_else=or_else, costly=costly, quick=quick)
        for name, script in scripts.items()
    )


def html(title: str, body: str = "<p>As good as any.</p>") -> bytes:
    """A small page, so that a crawler that reads it has a title to show."""
    return f"<!doctype html><html><head><title>{title}</title></head><body>{body}</body></html>".encode()


def served(
    body: bytes | Callable[[], bytes],
    *,
    status: int = 200,
    content_type: str = HTML,
    headers: str = "",
) -> Script:
    """A script that sends a well-formed answer; a body given as a function is made at each request."""

    async def script(wire: Wire) -> None:
        made = body if isinstance(body, bytes) else body()
        await wire.reply(Reply(status=status, body=made, content_type=content_type, headers=headers))

    return script


def raw(*pieces: bytes, status: int = 200) -> Script:
    """A script that sends bytes as they are, and closes; `status` is for the log."""

    async def script(wire: Wire) -> None:
        for piece in pieces:
            await wire.send(piece, status=status)

    return script


def ok_head(*lines: str) -> bytes:
    """The whole head of a 200 answer with an HTML type and more header lines; the connection will close."""
    first = ("HTTP/1.1 200 OK", "Connection: close", f"Content-Type: {HTML}")
    return "\r\n".join([*first, *lines, "", ""]).encode("latin-1")


def without_end(head: bytes, piece: bytes) -> Script:
    """A script that sends a head, and then the same piece until nobody listens."""

    async def script(wire: Wire) -> None:
        await wire.send(head)
        while True:
            await wire.send(piece)

    return script


def then(*steps: Callable[[Wire], Awaitable[None]]) -> Script:
    """A script that plays others one after the other on one connection."""

    async def script(wire: Wire) -> None:
        for step in steps:
            await step(wire)

    return script
