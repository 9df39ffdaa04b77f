"""Logs by structlog: one line an event on standard error, JSON for machines and plain text on a terminal.

Modules log by the standard library. structlog formats the lines and adds the context: every line that a request
causes carries its `request_id`, also the lines of a reply that it started. Nothing logs a message's text, a cookie or
a key, so exceptions that may quote people's text are logged only by their type.
"""

import logging
import sys
import traceback

import pydantic
import pymongo.errors
import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

KEYS = ("method", "path", "status", "ms")
QUOTING = (pydantic.ValidationError, pymongo.errors.PyMongoError, UnicodeError)
QUIET = ("uvicorn.error", "uvicorn.access", "google_genai", "httpx", "sse_starlette")


def set_up_logs() -> None:
    """Log to standard error from now on: plain text if it is a terminal, JSON otherwise."""
    is_terminal = sys.stderr.isatty()
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter(is_terminal))
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    for quiet in QUIET:
        logging.getLogger(quiet).setLevel(logging.WARNING)
    if is_terminal:
        logging.getLogger("tutordesk.requests").setLevel(logging.WARNING)


def formatter(is_terminal: bool) -> structlog.stdlib.ProcessorFormatter:
    """Return the formatter that turns a record of the standard library into a line."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(KEYS),
        structlog.processors.TimeStamper(fmt="%H:%M:%SZ" if is_terminal else "iso", utc=True, key="at"),
        _exception,
    ]
    as_json = [
        structlog.processors.EventRenamer("message"),
        structlog.processors.JSONRenderer(),
    ]
    as_text = [_on_one_line, _text]
    last = as_text if is_terminal else as_json
    strip = structlog.stdlib.ProcessorFormatter.remove_processors_meta
    return structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processors=[strip, *last])


def _exception(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    exc_info = event.pop("exc_info", None)
    error = exc_info[1] if isinstance(exc_info, tuple) else exc_info
    if isinstance(error, BaseException):
        event["exception"] = describe(error)
    return event


def describe(error: BaseException) -> str:
    """Return the error's traceback and type, and its sentence unless that may quote people's text."""
    before = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    earlier = f"{describe(before)}\nthen\n" if before else ""
    sentence = "" if isinstance(error, QUOTING) else f": {error}"
    return f"{earlier}{''.join(traceback.format_tb(error.__traceback__))}{type(error).__name__}{sentence}"


def _on_one_line(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Escape control characters, so that input cannot move the cursor or forge a log line."""
    for key, value in event.items():
        if isinstance(value, str) and key != "exception" and not value.isprintable():
            event[key] = value.encode("unicode_escape").decode()
    return event


def _text(_: WrappedLogger, __: str, event: EventDict) -> str:
    at, level, sentence = event.pop("at"), event.pop("level").upper(), event.pop("event")
    exception = event.pop("exception", None)
    event.pop("logger", None)
    keys = " ".join(f"{key}={value}" for key, value in event.items())
    return f"{at} {level:<7} {sentence} {keys}".rstrip() + (f"\n{exception}" if exception else "")
