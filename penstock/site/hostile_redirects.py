"""Hostile pages that redirect: in circles, without end, to nowhere, or to where no crawler may go."""

from penstock.site.graph import HOSTILE_PATH
from penstock.site.hostile_case import cases, html, raw
from penstock.site.wire import Reply, Script, Wire

_HOPS = 30
_LONG_URL = HOSTILE_PATH + "good/1?" + "x" * 70_000


def _to(*locations: bytes) -> Script:
    lines = b"".join(b"Location: " + location + b"\r\n" for location in locations)
    return raw(b"HTTP/1.1 302 Found\r\n" + lines + b"Connection: close\r\nContent-Length: 0\r\n\r\n", status=302)


def _good(number: int) -> bytes:
    return f"{HOSTILE_PATH}good/{number}".encode()


async def _hop(wire: Wire) -> None:
    done = wire.request.path.rpartition("/")[2]
    hop = int(done) if done.isdecimal() else 0
    if hop >= _HOPS:
        await wire.reply(Reply(status=200, body=html("So many hops later")))
    else:
        location = f"{HOSTILE_PATH}redirect_hops/{hop + 1}"
        await wire.reply(Reply(status=301, headers=f"Location: {location}\r\n"))


_LOOPS: dict[str, Script] = {
    "redirect_self": _to(b"redirect_self"),
    "redirect_to_other": _to(b"redirect_to_one"),
    "redirect_to_one": _to(b"redirect_to_other"),
    "redirect_to_own_fragment": _to(b"#here"),
}
_NOWHERE: dict[str, Script] = {
    "redirect_javascript": _to(b"javascript:alert(1)"),
    "redirect_data": _to(b"data:text/html,<p>silt"),
    "redirect_file": _to(b"file:///etc/passwd"),
    "redirect_gopher": _to(b"gopher://127.0.0.1:6379/_INFO"),
    "redirect_port_99999": _to(b"http://127.0.0.1:99999/"),
    "redirect_bad_host": _to(b"http://a b/"),
    "redirect_bad_address": _to(b"http://[::1/"),
}
#: A redirect without a place to go is an answer of its own (Fetch standard).
_NONE: dict[str, Script] = {"redirect_missing": _to(), "redirect_empty": _to(b"")}
_SOMEWHERE: dict[str, Script] = {
    "redirect_metadata": _to(b"http://169.254.169.254/latest/"),
    "redirect_mapped_metadata": _to(b"http://[::ffff:169.254.169.254]/latest/"),
    "redirect_utf8": _to(_good(1) + "?caf\u00e9=\u2603".encode()),
    "redirect_backslash": _to(_good(2).replace(b"/", b"\\")),
    "redirect_spaces": _to(b"  " + _good(3) + b"?a b  "),
    "redirect_relative": _to(b"./good/4"),
    "redirect_two_locations": _to(_good(6), _good(7)),
}

#: A crawl that gives each hop to its frontier fetches the first ten, and excludes the eleventh.
_MANY: dict[str, Script] = {"redirect_hops": _hop}
_LONG: dict[str, Script] = {"redirect_long": _to(_LONG_URL.encode())}

CASES = (
    *cases(_LOOPS, or_else=("redirect_loop",)),
    *cases(_NOWHERE, outcome="bad_location"),
    *cases(_NONE),
    *cases(_SOMEWHERE),
    *cases(_MANY),
    *cases(_LONG, outcome="headers_too_large", or_else=("bad_location",)),
)
