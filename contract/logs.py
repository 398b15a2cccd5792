"""One line per log record, whatever the record says.

Takes Python's records, gives `time LEVEL stage action=… sentence`, or a JSON object (`contract.json_logs`), or for a
person at a terminal `penstock: sentence`. Control characters are shown, not sent (a page's title must not forge a line
or move a cursor); passwords in URLs are masked. JSON lines also tell which message they are about
(`contract.concerning`).
"""

import contextlib
import logging
import sys
from typing import Literal, TextIO

from contract.safe_text import masked, visible

__all__ = ["LineFormatter", "PersonFormatter", "configure_logs", "masked", "visible"]

Format = Literal["text", "json", "person"]


class LineFormatter(logging.Formatter):
    """Formats a record as one safe line."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, with a traceback (if any) folded into it."""
        text = record.getMessage()
        if record.exc_info:
            text = f"{text} | {self.formatException(record.exc_info)}"
        action = getattr(record, "action", None)
        head = f"{self.formatTime(record)} {record.levelname} {record.name}"
        return f"{head}{f' action={action}' if action else ''} {visible(masked(text))}"


class PersonFormatter(logging.Formatter):
    """Formats a record as a person reads it, who has no use for where in our code something was raised."""

    def format(self, record: logging.LogRecord) -> str:
        """The sentence, and of an error what it is and says."""
        text = record.getMessage().partition("\n")[0]
        error = record.exc_info[1] if record.exc_info else None
        if error is not None:
            text = f"{text} ({type(error).__name__}: {error})"
        return f"penstock: {visible(masked(text))}"


class LineHandler(logging.StreamHandler[TextIO]):
    """Writes lines; of those that cannot be written it says so once, where Python prints two tracebacks for each."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__(stream)
        self._has_complained = False

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - the name is Python's
        """Say on standard error, once, that lines are missing from this log."""
        if self._has_complained:
            return
        self._has_complained = True
        _complain(getattr(self.stream, "name", "the log"), sys.exc_info()[1])


def _complain(log: object, error: BaseException | None) -> None:
    why = getattr(error, "strerror", None) or error
    with contextlib.suppress(OSError, ValueError):  # perhaps nobody listens any more
        print(f"penstock: lines are missing from {log}: {visible(masked(str(why)))}", file=sys.stderr, flush=True)


def configure_logs(level: str = "INFO", *, to: TextIO | None = None, format: Format = "text") -> None:
    """Send all log records of this process to a stream, standard error by default."""
    handler = LineHandler(to or sys.stderr)
    handler.setFormatter(_formatter(format))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for noisy in ("httpx", "asyncio", "aiohttp.client"):
        logging.getLogger(noisy).setLevel("WARNING")


def _formatter(format: Format) -> logging.Formatter:
    if format != "json":
        return PersonFormatter() if format == "person" else LineFormatter()
    from contract.json_logs import json_formatter  # whose library takes a tenth of a second to import

    logging.captureWarnings(True)
    return json_formatter()
