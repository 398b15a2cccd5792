"""What a host answered, as a value."""

import msgspec


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What a host answered. `url` is the spelling that was sent; `body` is decoded, and for 4xx and 5xx no
    more than its beginning.

    `wire` counts the body's bytes on the network, `elapsed_ms` runs from sending to the body's end, `started_at` is
    Unix ms, `headers` are in the order and spelling of the host, as latin-1. `request` is the head that was sent.
    """

    url: str
    status: int
    reason: str
    http_version: str
    headers: list[tuple[str, str]]
    body: bytes
    wire: int
    flags: tuple[str, ...]
    started_at: int
    elapsed_ms: int
    address: str
    request: bytes = b""
    #: Transfer codings that are still on `body` (RFC 9112 §7.2), in the words of a Content-Encoding.
    codings: str = ""
    #: Whether its length or its last chunk said where the body ends, and not the connection's end.
    whole: bool = False

    @property
    def encodings(self) -> str:
        """What has to be undone of the body, the last word first."""
        given = [value for name, value in self.headers if name.lower() == "content-encoding"]
        return ",".join([*given, self.codings]) if self.codings else ",".join(given)

    def header(self, name: str) -> str:
        """The first value of a header, by its name in lower case; empty where there is none."""
        return next((value for key, value in self.headers if key.lower() == name), "")
