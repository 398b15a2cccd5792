"""Which message the work at hand is about, for whoever tells of it: log lines say crawl, URL key and stage by it."""

from contextvars import ContextVar, Token

from contract.envelope import Message

#: The stage that handles a message in this context, and the message.
about: ContextVar[tuple[str, Message] | None] = ContextVar("about", default=None)


class concerning:  # noqa: N801  (reads as what it is: `with concerning(stage, message):`)
    """A block that is about one message, in the hands of this stage; half a microsecond."""

    __slots__ = ("_about", "_token")

    def __init__(self, stage: str, message: Message) -> None:
        self._about = stage, message
        self._token: Token[tuple[str, Message] | None]

    def __enter__(self) -> None:
        self._token = about.set(self._about)

    def __exit__(self, *error: object) -> None:
        about.reset(self._token)
