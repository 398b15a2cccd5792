"""A delivery: one hand-over of a message to a consumer, with its count."""

from typing import Any

import msgspec

from contract.envelope import Envelope, Message


class Delivery(msgspec.Struct, frozen=True):
    """A message as one consumer got it. `count` is 1 at first; a reclaimed one has more."""

    stream: str
    id: str
    raw: bytes
    count: int
    message: Message
    #: Where the body lies, for streams whose entries have one.
    body_key: str | None = None
    #: The dead letter that this was, if what follows from its burial was published then; else empty.
    again: str = ""

    @property
    def payload(self) -> Any:
        """What the message says."""
        return self.message.payload

    @property
    def envelope(self) -> Envelope:
        """Who says it, when, and in which crawl."""
        return self.message.envelope

    @property
    def issued_ms(self) -> int:
        """When Redis put the message on its stream, in Unix ms by the server's clock."""
        return int(self.id.partition("-")[0])
