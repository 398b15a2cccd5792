"""One line per log record, whatever the record says.

Takes Python's records, gives `time LEVEL stage action=… sentence`, or a JSON object (`events.json_logs`). Control
characters are shown, not sent (a page's title must not forge a line or move a cursor); passwords in URLs are masked.
JSON lines also tell which message they are about (`events.concerning`).
"""

import logging
import sys
from typing import Literal, TextIO

from events.safe_text import masked, visible

__all__ = ["LineFormatter", "configure_logs", "masked", "visible"]


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


def configure_logs(level: str = "INFO", *, to: TextIO | None = None, format: Literal["text", "json"] = "text") -> None:
    """Send all log records of this process to a stream, standard error by default."""
    handler = logging.StreamHandler(to or sys.stderr)
    handler.setFormatter(_formatter(format))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for noisy in ("httpx", "asyncio", "aiohttp.client"):
        logging.getLogger(noisy).setLevel("WARNING")


def _formatter(format: str) -> logging.Formatter:
    if format == "text":
        return LineFormatter()
    from events.json_logs import json_formatter  # whose library takes a tenth of a second to import

    logging.captureWarnings(True)
    return json_formatter()
