"""Logs: one line an event on standard error, as JSON for machines and as text on a terminal. Never a message's text."""

import logging
import sys
from datetime import UTC, datetime

import orjson

EXTRA = ("request_id", "ms")


class Json(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line = {"at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")}
        line |= {"level": record.levelname.lower(), "from": record.name, "message": record.getMessage()}
        line |= {name: getattr(record, name) for name in EXTRA if hasattr(record, name)}
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return orjson.dumps(line).decode()


class Text(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        extra = " ".join(f"{name}={getattr(record, name)}" for name in EXTRA if hasattr(record, name))
        text = f"{self.formatTime(record, '%H:%M:%S')} {record.levelname:<7} {record.getMessage()} {extra}".rstrip()
        text = text.encode("unicode_escape").decode() if not text.isprintable() else text
        return f"{text}\n{self.formatException(record.exc_info)}" if record.exc_info else text


def set_up_logs() -> None:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Text() if sys.stderr.isatty() else Json())
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    for quiet in ("uvicorn.error", "uvicorn.access", "google_genai", "httpx", "sse_starlette"):
        logging.getLogger(quiet).setLevel(logging.WARNING)
    if sys.stderr.isatty():
        logging.getLogger("api.requests").setLevel(logging.WARNING)
