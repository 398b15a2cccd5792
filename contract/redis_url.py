"""Where Redis is: one URL, taken apart once, for redis-py and for Celery alike. Pure functions.

    redis://[USER:PASSWORD@]HOST[:6379][/DB]
    rediss://…                                                  the same over TLS
    unix://[USER:PASSWORD@]/PATH[?db=DB]                        a Unix socket
    sentinel://[USER:PASSWORD@]HOST[:26379],HOST…/NAME[/DB]     the master called NAME, as Sentinel knows it
    sentinels://…                                               the same over TLS, the Sentinels included

In the query: `username`, `password` and `db`; over TLS redis-py's `ssl_ca_certs` and its like; for Sentinel
`sentinel_username` and `sentinel_password`. What else is there is refused, not guessed at.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

import msgspec

from contract.errors import Refused
from contract.logs import masked

#: Each scheme with the port of its servers.
_PORTS = {"redis": 6379, "rediss": 6379, "unix": 0, "sentinel": 26379, "sentinels": 26379}
_OVER_TLS = ("rediss", "sentinels")
_CHECKS = {"none": "none", "optional": "optional", "required": "required"}
_CHECKS |= {f"CERT_{word.upper()}": word for word in _CHECKS}
_BOOLEANS = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
#: Options whose value names a file.
FILES = ("ssl_ca_certs", "ssl_certfile", "ssl_keyfile")
_TLS_OPTIONS = (*FILES, "ssl_ca_path", "ssl_password", "ssl_cert_reqs", "ssl_check_hostname")
_SENTINEL_OPTIONS = ("sentinel_username", "sentinel_password")
_WAYS = "give redis://HOST:6379/0, rediss:// for TLS, unix:///PATH, or sentinel://HOST:26379,HOST:26379/NAME"


class RedisUrl(msgspec.Struct, frozen=True, kw_only=True):
    """Where a Redis is: a socket's `path`, or `hosts`; with a `master`, of Sentinels. `tls`: redis-py's options."""

    hosts: tuple[tuple[str, int], ...] = ()
    path: str = ""
    master: str = ""
    db: int = 0
    username: str | None = None
    password: str | None = None
    tls: dict[str, Any] | None = None
    sentinel_username: str | None = None
    sentinel_password: str | None = None


def parse_redis_url(url: str) -> RedisUrl:
    """The parts of a URL; raises `Refused` with one line for one that cannot be meant."""
    try:
        return _parsed(url)
    except ValueError as error:
        raise Refused(f"wrong setting: redis_url is {_shown(url)!r}: {error}") from None


def _shown(url: str) -> str:
    """Without its password, wherever that may be in a URL that is none."""
    return masked(re.sub(r"^(\w*://)?.*@", r"\1***@", url))


def _parsed(url: str) -> RedisUrl:
    parts = urlsplit(url)
    if parts.scheme not in _PORTS:
        raise ValueError(f"{parts.scheme}:// is no way to Redis; {_WAYS}" if parts.scheme else _WAYS)
    if parts.fragment:
        raise ValueError("a # in it ends it; in a password it is spelled %23")
    query = _query(parts)
    secrets, _, hosts = parts.netloc.rpartition("@")
    username, _, password = secrets.partition(":")
    is_sentinel, is_socket = parts.scheme.startswith("sentinel"), parts.scheme == "unix"
    master, db = _master_and_db(parts, query.get("db"), is_sentinel=is_sentinel)
    return RedisUrl(
        hosts=() if is_socket else _hosts(hosts, parts.scheme),
        path=_socket(parts, hosts) if is_socket else "",
        master=master,
        db=db,
        username=unquote(username) or query.get("username"),
        password=unquote(password) or query.get("password"),
        tls=_tls(query) if parts.scheme in _OVER_TLS else None,
        **{name: query.get(name) for name in _SENTINEL_OPTIONS},
    )


def _query(parts: SplitResult) -> dict[str, str]:
    known = ["db", "username", "password"]
    known += _TLS_OPTIONS if parts.scheme in _OVER_TLS else ()
    known += _SENTINEL_OPTIONS if parts.scheme.startswith("sentinel") else ()
    found = dict(parse_qsl(parts.query, keep_blank_values=True))
    if unknown := [name for name in found if name not in known]:
        more = " (of TLS: with rediss:// or sentinels://)" if unknown[0] in _TLS_OPTIONS else ""
        named = f" {unknown[0]!r}" if unknown[0].isidentifier() else " of that name (in a password ? is spelled %3F)"
        raise ValueError(f"no option{named}{more}; there are {', '.join(known)}")
    return found


def _master_and_db(parts: SplitResult, db: str | None, *, is_sentinel: bool) -> tuple[str, int]:
    words = [] if parts.scheme == "unix" else [unquote(word) for word in parts.path.split("/") if word]
    master = words.pop(0) if is_sentinel and words else ""
    if is_sentinel and not master:
        raise ValueError("it does not name the master: sentinel://HOST:26379/NAME")
    text = db or "/".join(words) or "0"
    if not (text.isascii() and text.isdigit()):
        raise ValueError("what stands at its end is the database's number, as /0")
    return master, int(text)


def _hosts(text: str, scheme: str) -> tuple[tuple[str, int], ...]:
    found = tuple(_host(part, _PORTS[scheme]) for part in text.split(","))
    if len(found) > 1 and not scheme.startswith("sentinel"):
        raise ValueError("it names several hosts, which only sentinel:// can")
    return found


def _host(text: str, default_port: int) -> tuple[str, int]:
    try:
        parts = urlsplit(f"//{text}")
        host, port = parts.hostname, parts.port
    except ValueError:
        raise ValueError("it has no HOST:PORT; in a password / is spelled %2F, @ %40, : %3A, ? %3F, % %25") from None
    if not host:
        raise ValueError(f"it names no host; {_WAYS}")
    return host, port or default_port


def _socket(parts: SplitResult, host: str) -> str:
    if host or not parts.path.strip("/"):
        raise ValueError("a socket is named by its whole path: unix:///PATH")
    return unquote(parts.path)


def _tls(query: Mapping[str, str]) -> dict[str, Any]:
    checks = query.get("ssl_cert_reqs", "required")
    named = query.get("ssl_check_hostname", "true").lower()
    if checks not in _CHECKS:
        raise ValueError(f"ssl_cert_reqs is none, optional or required, not {checks!r}")
    if named not in _BOOLEANS:
        raise ValueError(f"ssl_check_hostname is true or false, not {named!r}")
    given = {name: value for name, value in query.items() if name in _TLS_OPTIONS}
    checks = _CHECKS[checks]
    # ssl refuses to look at the name on a certificate that it does not look at.
    return {**given, "ssl_cert_reqs": checks, "ssl_check_hostname": _BOOLEANS[named] and checks != "none"}
