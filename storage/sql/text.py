"""Text that any database can hold: PostgreSQL refuses NUL, wherever it stands."""

import msgspec

from contract.codec import clean
from contract.envelope import Envelope, Message

__all__ = ["clean", "cleaned"]

#: How JSON spells a NUL; without it in the raw bytes there is none in the message.
_ESCAPED_NUL = b"\\u0000"


def cleaned(message: Message, raw: bytes) -> Message:
    """The message with NUL replaced by U+FFFD; the very same object where there is none."""
    if _ESCAPED_NUL not in raw:
        return message
    envelope = msgspec.convert(clean(msgspec.to_builtins(message.envelope)), Envelope)
    payload = msgspec.convert(clean(msgspec.to_builtins(message.payload)), type(message.payload))
    return Message(envelope, payload)
