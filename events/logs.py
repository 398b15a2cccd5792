"""One line per log record, whatever the record says.

Takes Python's records, gives `time LEVEL stage action=… sentence`. Control characters are shown, not sent (a page's
title must not forge a line or move a cursor), and passwords in URLs are masked.
"""

import logging
import re
import sys
from typing import TextIO

_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_PASSWORD = re.compile(r"(\w+://[^\s/:@]*:)[^\s/]+@")


def visible(text: str) -> str:
    """The text with control and direction characters spelled out, so that any terminal shows it on one line."""
    return _CONTROL.sub(lambda match: match[0].encode("unicode_escape").decode("ascii"), text)


def masked(text: str) -> str:
    """The text with passwords in URLs replaced by stars."""
    return _PASSWORD.sub(r"\1***@", text)


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


def configure_logs(level: str = "INFO", *, to: TextIO | None = None) -> None:
    """Send all log records of this process to a stream, standard error by default."""
    handler = logging.StreamHandler(to or sys.stderr)
    handler.setFormatter(LineFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for noisy in ("httpx", "asyncio", "aiohttp.client"):
        logging.getLogger(noisy).setLevel("WARNING")
