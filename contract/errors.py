"""Every error that this package raises, as one small tree.

What a caller decides by is the class: `Refused` means a person has to change something, `Undecodable` means the
bytes are kept and set aside, `Unreachable` means try again later.
"""


class PenstockError(Exception):
    """The root of all errors of ours; its text is one line that a person can act on."""


class Refused(PenstockError):
    """Raised when something a person gave (a setting, a seed, a server) cannot be used as it is.

    `field` names the part of a crawl's description that is at fault, as `delay` or `seeds.0`; empty where none is.
    """

    def __init__(self, text: str = "", *, field: str = "") -> None:
        super().__init__(text)
        self.field = field


class UnsafeServer(Refused):
    """Raised when a Redis server is too old, or would throw work away when it is full."""


class Undecodable(PenstockError):
    """Raised when bytes from a stream are not a message that this version knows."""


class Unreachable(PenstockError):
    """Raised when a server did not answer for as long as we are willing to wait."""
