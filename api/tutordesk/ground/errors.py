"""Refusals that a person can act on, answered as RFC 9457 `application/problem+json`.

    AppError
    ├── NotSignedIn   401  not-signed-in   the cookie is forged, broken, too old, or its sign-in has ended
    ├── WrongCredentials
    │                 401  wrong-credentials   no such account, or another password: the same answer
    ├── Forbidden     403  forbidden       known, but may not
    │   └── NameNeeded   403  name-needed  people of rooms have names
    ├── NotFound      404  not-found       unknown, or not yours: the same answer
    ├── Conflict      409  conflict        the thing is in another state than the caller thought
    ├── TooLong       413  too-long        more than a limit that is not a field's
    ├── Invalid       422  invalid         malformed input; `errors` names the fields
    ├── TooMany       429  too-many        past a limit; says when to try again
    ├── Unavailable   503  unavailable     MongoDB does not answer
    └── DiskFull      507  disk-full       MongoDB's disk has no room: read, but write nothing

`install_errors` makes one handler of them, of FastAPI's own refusals and of a database that is away.
"""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

import orjson
import pymongo.errors
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel
from starlette.exceptions import HTTPException

PASSING_LABELS = ("TransientTransactionError", "UnknownTransactionCommitResult")
PROBLEM_TYPE = "urn:tutordesk:problem:"


class FieldError(BaseModel):
    field: str
    message: str


class Problem(BaseModel):
    """The body of every refusal. `detail` is a sentence for a person; `type` never changes."""

    type: str
    title: str
    status: int
    detail: str
    errors: list[FieldError] = []


class AppError(Exception):
    status = 500
    type = "failure"
    sentence = "Something went wrong on our side. Try again in a moment."

    def __init__(
        self, sentence: str | None = None, errors: Sequence[FieldError] = (), headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(sentence or self.sentence)
        self.errors = list(errors)
        self.headers = dict(headers or {})


class NotSignedIn(AppError):
    status, type = 401, "not-signed-in"
    sentence = "Your visitor cookie is not valid any more, so it was removed. Try again as a new visitor."


class WrongCredentials(AppError):
    status, type = 401, "wrong-credentials"
    sentence = "This e-mail address and password do not belong together."


class Forbidden(AppError):
    status, type = 403, "forbidden"
    sentence = "Only the author or an admin may do that."


class NameNeeded(Forbidden):
    type = "name-needed"
    sentence = "Give yourself a name first; then you can join."


class NotFound(AppError):
    status, type = 404, "not-found"
    sentence = "There is nothing here, or it is not yours."


class Conflict(AppError):
    status, type = 409, "conflict"
    sentence = "That was changed meanwhile. Reload and try again."


class TooLong(AppError):
    status, type = 413, "too-long"
    sentence = "That is too long. Shorten it and send it again."


class Invalid(AppError):
    status, type = 422, "invalid"
    sentence = "Something in the request cannot be used."


class TooMany(AppError):
    status, type = 429, "too-many"

    def __init__(self, sentence: str, retry_after: int) -> None:
        """`retry_after`: seconds, at least 1."""
        super().__init__(sentence, headers={"Retry-After": str(max(1, retry_after))})


class Unavailable(AppError):
    status, type = 503, "unavailable"
    sentence = "The database does not answer just now. Nothing was lost; try again in a few seconds."

    def __init__(self, sentence: str | None = None) -> None:
        super().__init__(sentence, headers={"Retry-After": "1"})


class DiskFull(AppError):
    status, type = 507, "disk-full"
    sentence = "The server's disk is full, so nothing can be saved just now. Keep what you wrote, and try again later."


# What FastAPI takes as `responses`.
Responses = dict[int | str, dict[str, Any]]


def problem_responses(*statuses: int) -> Responses:
    """`responses=` of a route: the refusals it may answer with, typed."""
    content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {status: {"description": HTTPStatus(status).phrase, "content": content} for status in (*statuses, 503)}


def problem(error: AppError) -> Response:
    body = {
        "type": PROBLEM_TYPE + error.type,
        "title": HTTPStatus(error.status).phrase,
        "status": error.status,
        "detail": str(error),
        "errors": [field.model_dump() for field in error.errors],
    }
    return Response(orjson.dumps(body), error.status, error.headers, media_type="application/problem+json")


def is_database_away(error: Exception) -> bool:
    """Whether MongoDB did not answer in time or cannot be reached, as against a refused command.

    A transaction that may be tried again, but for which the time is over, counts too, and a write that not enough
    members confirmed.
    """
    away = (pymongo.errors.ConnectionFailure, pymongo.errors.ExecutionTimeout, pymongo.errors.WriteConcernError)
    if isinstance(error, away):
        return True
    return isinstance(error, pymongo.errors.PyMongoError) and (
        error.timeout or any(map(error.has_error_label, PASSING_LABELS))
    )


def _readable(error: Mapping[str, Any]) -> FieldError:
    where = [str(part) for part in error["loc"] if part not in ("body", "query", "path", "header")]
    message = str(error["msg"]).removeprefix("Value error, ")
    return FieldError(field=".".join(where), message=message.encode("utf-8", "replace").decode())


def _describe(app: FastAPI, *shapes: type[BaseModel]) -> None:
    """Put shapes that no route names into the OpenAPI description."""
    describe = app.openapi

    def openapi() -> dict[str, Any]:
        description = describe()
        for one in shapes:
            shape = one.model_json_schema(ref_template="#/components/schemas/{model}", mode="serialization")
            description["components"]["schemas"] |= {**shape.pop("$defs"), one.__name__: shape}
        return description

    app.openapi = openapi  # type: ignore[method-assign]


def install_errors(app: FastAPI, *shapes: type[BaseModel]) -> None:
    """`shapes`: what no route names, but the API's description should hold."""
    _describe(app, Problem, *shapes)

    @app.exception_handler(AppError)
    async def refused(_: Request, error: AppError) -> Response:
        return problem(error)

    @app.exception_handler(RequestValidationError)
    async def malformed(_: Request, error: RequestValidationError) -> Response:
        fields = [_readable(one) for one in error.errors()[:20]]
        named = next((f"{one.field}: {one.message}" for one in fields if one.field), None)
        return problem(Invalid(f"This cannot be used: {named}." if named else None, fields))

    @app.exception_handler(HTTPException)
    async def refused_by_framework(_: Request, error: HTTPException) -> Response:
        sentences = {
            400: ("unreadable", "The body is not JSON that can be read."),
            404: ("not-found", NotFound.sentence),
            405: ("wrong-method", "This address does not take that method."),
        }
        refusal = AppError(sentences.get(error.status_code, ("refused", str(error.detail)))[1], headers=error.headers)
        refusal.status = error.status_code
        refusal.type = sentences.get(error.status_code, ("refused", ""))[0]
        return problem(refusal)

    @app.exception_handler(pymongo.errors.PyMongoError)
    async def database(_: Request, error: pymongo.errors.PyMongoError) -> Response:
        if is_database_away(error):
            return problem(Unavailable())
        raise error
