"""Turns a model server's refusal into a TutorError, the same before a stream as inside it.

The first of these decides: the error's code or type, the id of a quota, a wait that the server names, the HTTP status,
and words. Words come last, because servers change them and reuse them: Google's sentence about a limit per
minute speaks of billing, too.
"""

import email.utils
import re
from collections.abc import Iterator, Mapping
from datetime import UTC
from typing import Any

import orjson

from tutordesk.ground.clock import now
from tutordesk.tutor.models import NO_MODEL, NOT_A_MODEL, ErrorType, TutorError

# Codes and types of OpenAI, Azure, OpenRouter, DeepSeek, Mistral, Groq, llama.cpp, vLLM, LM Studio, Alibaba and Zhipu,
# without their case and punctuation.
CODES: dict[ErrorType, str] = {
    "quota": """insufficientquota insufficientbalance insufficientcredits insufficientfunds billinghardlimitreached
        billingnotactive creditsexhausted paymentrequired quotaexceeded arrearage tokensexhausted""",
    "too_long": """contextlengthexceeded contextwindowexceeded exceedcontextsizeerror stringabovemaxlength
        requesttoolarge prompttoolong inputtoolong maxtokensexceeded contextoverflow""",
    "auth": """invalidapikey invalidauthentication authenticationerror authenticationfailed permissionerror
        permissiondenied unauthorized unauthenticated apikeyinvalid accountdeactivated""",
    "blocked": """contentfilter contentfiltererror contentpolicyviolation responsibleaipolicyviolation
        datainspectionfailed moderationblocked safety promptblocked contentmoderation""",
    "busy": """ratelimitexceeded ratelimiterror ratelimitreached toomanyrequests overloaded overloadederror
        engineoverloaded serveroverloaded servererror internalservererror serviceunavailable unavailable
        unavailableerror insufficientsystemresource resourcetemporarilyunavailable slowdown capacityexceeded""",
    "timeout": "timeout timeouterror requesttimeout deadlineexceeded gatewaytimeout",
}
TYPE_OF_CODE = {code: type for type, codes in CODES.items() for code in codes.split()}
NO_MODEL_CODES = frozenset({"modelnotfound", "modelnotexist", "modelnotavailable", "unknownmodel", "invalidmodel"})
WORDS: tuple[tuple[str, ErrorType, str | None], ...] = (
    (r"context (length|window|size)|maximum context|context.{0,20}exceed|n_ctx|reduce the length", "too_long", None),
    (r"(prompt|input|request).{0,20}too (long|large)|too many (input )?tokens", "too_long", None),
    (r"exceed.{0,40}\btokens?\b|\btokens?\b.{0,40}exceed", "too_long", None),
    (r"model.{0,80}(not found|does not exist|not exist|try pulling)|no such model", "unknown", NO_MODEL),
    (r"api[ _-]?key|unauthorized|authentication", "auth", None),
    (r"insufficient.?(quota|balance|credit|fund)|out of credit|credit balance", "quota", None),
    (r"exceeded your current quota", "quota", None),
    (r"content (filter|policy|management policy)|safety system|moderation", "blocked", None),
    (r"overloaded|at capacity|rate limit|too many requests|try again later", "busy", None),
    (r"timed? ?out", "timeout", None),
)
STATUSES: dict[int, ErrorType] = {
    401: "auth",
    402: "quota",
    403: "auth",
    408: "timeout",
    413: "too_long",
    429: "busy",
    504: "timeout",
    524: "timeout",
}
Json = Any  # JSON of foreign servers, which differ in their fields


def error_of_body(body: bytes, status: int, headers: Mapping[str, str]) -> TutorError:
    """Return the error for a refusal before any stream."""
    wait = _seconds(headers)
    try:
        return error_of(orjson.loads(body), status, wait)
    except orjson.JSONDecodeError:
        text = body.decode("utf-8", "replace")
    if 300 <= status < 400 or (status < 500 and _is_page(text)):
        return TutorError("unknown", NOT_A_MODEL)
    return error_of("" if _is_page(text) else text, status, wait)


def error_of(error: Json, status: int = 0, wait: float | None = None) -> TutorError:
    """Return the error for the JSON of a refusal. `status`: the HTTP status, 0 inside a stream. `wait`: in seconds."""
    while isinstance(error, list) and error:  # Google wraps the error in a list
        error = error[0]
    if isinstance(error, dict) and error.get("error"):
        error = error["error"]
    fields: dict[str, Json] = error if isinstance(error, dict) else {"message": error}
    details = [detail for detail in fields.get("details") or [] if isinstance(detail, dict)]
    codes = {re.sub(r"[^a-z]", "", str(value).lower()) for value in _codes(fields, details)}
    if codes & NO_MODEL_CODES:
        return TutorError("unknown", NO_MODEL)
    wait = wait if wait is not None else _retry_delay(details)
    if quota := _quota(details):
        return TutorError(quota, retry_after=wait)
    if types := {TYPE_OF_CODE[code] for code in codes if code in TYPE_OF_CODE}:
        return TutorError(next(type for type in CODES if type in types), retry_after=wait)
    if re.fullmatch("[45][0-9][0-9]", code := str(fields.get("code") or fields.get("status_code"))):
        status = int(code)
    if wait is not None and status in (0, 429, 503):
        return TutorError("busy", retry_after=wait)
    if status not in STATUSES or status == 429:
        message = str(fields.get("message") or fields.get("detail") or fields.get("metadata") or "")
        for words, type, sentence in WORDS:
            if re.search(words, message, re.I):
                return TutorError(type, sentence, retry_after=wait)
    if status == 404:
        return TutorError("unknown", NO_MODEL)
    return TutorError(STATUSES.get(status, "busy" if status >= 500 else "unknown"), retry_after=wait)


def _codes(fields: Mapping[str, Json], details: list[dict[str, Json]]) -> Iterator[Json]:
    inner = fields.get("innererror") or fields.get("metadata")
    for source in (fields, inner if isinstance(inner, dict) else {}, *details):
        for name in ("code", "type", "status", "reason", "error_type", "raw_code"):
            yield source.get(name)


def _quota(details: list[dict[str, Json]]) -> ErrorType | None:
    """Return what a Google `QuotaFailure` means: a limit per day is used up, a limit per minute passes."""
    violations = [row for detail in details for row in detail.get("violations") or [] if isinstance(row, dict)]
    if not violations:
        return None
    is_for_long = any("PerDay" in str(row.get("quotaId")) or str(row.get("quotaValue")) == "0" for row in violations)
    return "quota" if is_for_long else "busy"


def _retry_delay(details: list[dict[str, Json]]) -> float | None:
    """Return the seconds of a Google `RetryInfo`, such as `{"retryDelay": "2.9s"}`, or None."""
    delays = (re.fullmatch(r"([0-9.]+)s", str(detail.get("retryDelay"))) for detail in details)
    return next((float(delay[1]) for delay in delays if delay), None)


def _seconds(headers: Mapping[str, str]) -> float | None:
    """Return the wait of `Retry-After`, which is a number of seconds or a date, or of OpenAI's `retry-after-ms`."""
    if re.fullmatch(r"[0-9.]+", ms := headers.get("retry-after-ms", "")):
        return float(ms) / 1000
    value = headers.get("Retry-After", "").strip()
    if re.fullmatch(r"[0-9]+(\.[0-9]+)?", value):
        return float(value)
    try:
        date = email.utils.parsedate_to_datetime(value)
    except ValueError:
        return None
    return max(0.0, (date.replace(tzinfo=date.tzinfo or UTC) - now()).total_seconds())


def _is_page(text: str) -> bool:
    return text.lstrip()[:15].lower().startswith(("<!doctype html", "<html"))
