"""A URL → the key under which web archives index it: host from right to left, then path and query, in one spelling.

`http://www.Example.com/A/?b&a` is `com,example)/a?a&b`. Replay tools make the key of what is asked for by the `surt`
package's rules, oddities and all, and look for the same one; so these are its rules. They are written anew here, for
that package is under another licence (AGPL) than ours. A URL is taken as the frontier has it, http or https.
"""

import re

_PARTS = re.compile(rb"([^:/?#]+)://([^/?#]*)([^?#]*)(?:\?([^#]*))?", re.DOTALL)
_ESCAPE = re.compile(rb"%([0-9a-fA-F]{2})")
_UNSAFE = re.compile(rb"[\x00-\x20\x7f-\xff#%]")
_ADDRESS = re.compile(rb"\d+\.\d+\.\d+\.\d+")
_WWW = re.compile(rb"^www\d*\.")
_PORTS = {b"http": b"80", b"https": b"443"}
#: Parts of a query that differ from visit to visit, and one of a path.
_SESSIONS = (
    re.compile(rb"(?:jsessionid|phpsessid|sid)=[0-9a-z]{32}(?:&|$)", re.IGNORECASE),
    re.compile(rb"aspsessionid[a-z]{8}=[a-z]{24}(?:&|$)", re.IGNORECASE),
    re.compile(rb"cfid=[^&]+&cftoken=[^&]+(?:&|$)", re.IGNORECASE),
)
_IN_PATH = re.compile(rb"/\((?:[a-z]\([0-9a-z]{24}\)|[0-9a-z]{24})\)(?=/[^?]+\.aspx)", re.IGNORECASE)


def surt(url: str) -> str:
    """The key of a URL; what is none is its own key."""
    parts = _PARTS.match(url.encode("utf-8", "replace"))
    if not parts or not parts[2]:
        return url
    scheme, authority, path, query = parts.groups()
    return (_host(scheme.lower(), authority) + b")" + _path(path) + _query(query or b"")).decode("ascii")


def _host(scheme: bytes, authority: bytes) -> bytes:
    name, bracket, port = authority.rpartition(b"@")[2].rpartition(b"]")
    if not bracket:
        name, _, port = port.partition(b":")
    name, port = _in_ascii(_unescaped(name.lstrip(b"["))), port.lstrip(b":")
    name = _WWW.sub(b"", re.sub(rb"\.{2,}", b".", name).strip(b".").lower()) if not bracket else name.lower()
    turned = b",".join(reversed(name.split(b".")))
    return _escaped(turned) + (b":" + port if port and port != _PORTS.get(scheme) else b"")


def _in_ascii(name: bytes) -> bytes:
    try:
        return name if name.isascii() else name.decode().encode("idna")
    except UnicodeError:
        return name


def _path(path: bytes) -> bytes:
    kept: list[bytes] = []
    for step in _unescaped(path).removeprefix(b"/").split(b"/"):
        if step == b".." and kept and kept[-1] != b"..":
            kept.pop()
        elif step != b".":
            kept.append(step)
    return _IN_PATH.sub(b"", b"/" + _escaped(b"/".join(filter(None, kept)))).lower()


def _query(query: bytes) -> bytes:
    query = _escaped(_unescaped(query))
    for pattern in _SESSIONS:
        query = pattern.sub(b"", query)
    parameters = sorted(query.lower().split(b"&"), key=_name_first)
    return b"?" + b"&".join(parameters) if query else b""


def _name_first(parameter: bytes) -> list[bytes]:
    return parameter.split(b"=", 1)


def _unescaped(text: bytes) -> bytes:
    """Without escapes, and without those that come to light thereby."""
    while (plain := _ESCAPE.sub(lambda match: bytes.fromhex(match[1].decode()), text)) != text:
        text = plain
    return text


def _escaped(text: bytes) -> bytes:
    return _UNSAFE.sub(lambda match: b"%%%02x" % match[0][0], text)
