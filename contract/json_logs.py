"""Log records as JSON, one object a line, for programs that collect them.

Takes Python's records and those of structlog (a spider may use either), gives

    {"time": …, "level": …, "logger": …, "stage": …, "action": …, "crawl": …, "url_key": …, "trace_id": …, "message": …}

and what is bound in structlog's context variables. What a line does not have is left out. `url_key` is the fingerprint
of the URL, the same that events and tables have; `trace_id` is there where the message is traced. The text is that of
`contract.logs` in safety: passwords are masked, and no control or direction character leaves unescaped.
"""

import json
import logging
from collections.abc import MutableMapping
from datetime import UTC, datetime
from typing import Any

import structlog
from structlog.stdlib import ProcessorFormatter

from contract.concerning import about
from contract.safe_text import CONTROL, masked
from contract.tracing.ids import read

_Event = MutableMapping[str, Any]


def json_formatter() -> logging.Formatter:
    """The formatter; structlog's own loggers go through Python's from here on."""
    structlog.configure(
        processors=[structlog.contextvars.merge_contextvars, ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    return ProcessorFormatter(
        foreign_pre_chain=[structlog.contextvars.merge_contextvars],
        processors=[structlog.processors.format_exc_info, _whole, structlog.processors.JSONRenderer(_text)],
    )


def _whole(logger: Any, method: str, event: _Event) -> _Event:
    """The object of a line: what the record says first, then whatever else was bound."""
    record: logging.LogRecord = event.pop("_record")
    event.pop("_from_structlog", None)
    line = {
        "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "level": record.levelname.lower(),
        "logger": record.name,
        "action": getattr(record, "action", None),
        **_concerned(),
        "message": event.pop("event"),
        **event,
    }
    return {key: _safe(value) for key, value in line.items() if value not in (None, "")}


def _concerned() -> dict[str, Any]:
    found = about.get()
    if found is None:
        return {}
    stage, message = found
    trace = read(message.envelope.traceparent)
    return {
        "stage": stage,
        "crawl": message.envelope.crawl,
        "url_key": getattr(message.payload, "fingerprint", None),
        "trace_id": f"{trace.trace_id:032x}" if trace else None,
    }


def _safe(value: Any) -> Any:
    return masked(value) if isinstance(value, str) else value


def _text(line: _Event, **_: Any) -> str:
    text = json.dumps(line, ensure_ascii=False, default=lambda value: masked(str(value)))
    return CONTROL.sub(lambda match: f"\\u{ord(match[0]):04x}", text)
