"""Refusals that a person can act on, answered as RFC 9457 `application/problem+json`.

    AppError
    ├── NotSignedIn   401  not-signed-in   the cookie is forged, broken or too old, or its sign-in has ended
    ├── WrongCredentials
    │                 401  wrong-credentials   no such account, or a wrong password: the same answer
    ├── Forbidden     403  forbidden       known, but not allowed
    │   └── NameNeeded   403  name-needed  rooms need a name
    ├── NotFound      404  not-found       unknown, or not yours: the same answer
    ├── Conflict      409  conflict        the object is not in the state that the caller expects
    ├── TooLong       413  too-long        over a limit that no single field has
    ├── Invalid       422  invalid         malformed input; `errors` names the fields
    ├── TooMany       429  too-many        over a rate limit; says when to try again
    ├── Unavailable   503  unavailable     MongoDB does not answer
    └── DiskFull      507  disk-full       MongoDB's disk is full: reads work, writes do not

`install_errors` also answers FastAPI's own refusals and an unreachable database in this form.
"""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

import orjson
import pymongo.errors
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel
from pydantic_core import ErrorDetails
from starlette.exceptions import HTTPException

TRANSIENT_LABELS = ("TransientTransactionError", "UnknownTransactionCommitResult")
MAX_FIELD_ERRORS = 20
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
    sentence = "Your visitor cookie is no longer valid, so it was removed. Try again as a new visitor."


class WrongCredentials(AppError):
    status, type = 401, "wrong-credentials"
    sentence = "The e-mail address or the password is wrong. Check both and try again."


class Forbidden(AppError):
    status, type = 403, "forbidden"
    sentence = "Only the author or an admin may do that."


class NameNeeded(Forbidden):
    type = "name-needed"
    sentence = "Give yourself a name first; then you can join."


class NotFound(AppError):
    status, type = 404, "not-found"
    sentence = "Not found, or you don't have access."


class Conflict(AppError):
    status, type = 409, "conflict"
    sentence = "This has changed in the meantime. Reload and try again."


class TooLong(AppError):
    status, type = 413, "too-long"
    sentence = "This is too long. Shorten it and try again."


class Invalid(AppError):
    status, type = 422, "invalid"
    sentence = "The request is not valid. Correct it and try again."


class TooMany(AppError):
    status, type = 429, "too-many"

    def __init__(self, sentence: str, retry_after: int) -> None:
        """Refuse until `retry_after` seconds are over, at least one."""
        super().__init__(sentence, headers={"Retry-After": str(max(1, retry_after))})


class Unavailable(AppError):
    status, type = 503, "unavailable"
    sentence = "The database does not answer right now. Nothing was lost; try again in a few seconds."

    def __init__(self, sentence: str | None = None) -> None:
        super().__init__(sentence, headers={"Retry-After": "1"})


class DiskFull(AppError):
    status, type = 507, "disk-full"
    sentence = "The server's disk is full, so nothing can be saved right now. Keep your text, and try again later."


Responses = dict[int | str, dict[str, Any]]  # the type of FastAPI's parameter `responses`


def problem_responses(*statuses: int) -> Responses:
    """Return the `responses` of a route that may refuse with these statuses, and with 503."""
    content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {status: {"description": HTTPStatus(status).phrase, "content": content} for status in (*statuses, 503)}


def problem(error: AppError) -> Response:
    """Return the answer that tells the caller of the error."""
    body = {
        "type": PROBLEM_TYPE + error.type,
        "title": HTTPStatus(error.status).phrase,
        "status": error.status,
        "detail": str(error),
        "errors": [field.model_dump() for field in error.errors],
    }
    return Response(orjson.dumps(body), error.status, error.headers, media_type="application/problem+json")


def is_database_away(error: Exception) -> bool:
    """Return whether MongoDB could not be reached or did not answer in time, instead of refusing the command.

    A transaction that ran out of time for another try counts too, and so does a write that too few members confirmed.
    """
    away = (pymongo.errors.ConnectionFailure, pymongo.errors.ExecutionTimeout, pymongo.errors.WriteConcernError)
    if isinstance(error, away):
        return True
    return isinstance(error, pymongo.errors.PyMongoError) and (
        error.timeout or any(map(error.has_error_label, TRANSIENT_LABELS))
    )


def _field_error(error: ErrorDetails) -> FieldError:
    path = [str(part) for part in error["loc"] if part not in ("body", "query", "path", "header")]
    message = error["msg"].removeprefix("Value error, ")
    return FieldError(field=".".join(path), message=message.encode("utf-8", "replace").decode())


def _describe(app: FastAPI, *models: type[BaseModel]) -> None:
    """Add models that no route names to the OpenAPI description."""
    describe = app.openapi

    def openapi() -> dict[str, Any]:  # the type of the method that it replaces
        description = describe()
        for model in models:
            schema = model.model_json_schema(ref_template="#/components/schemas/{model}", mode="serialization")
            description["components"]["schemas"] |= {**schema.pop("$defs"), model.__name__: schema}
        return description

    app.openapi = openapi  # type: ignore[method-assign]


def install_errors(app: FastAPI, *models: type[BaseModel]) -> None:
    """Answer every error as a `Problem`, and add `models` to the API's description, which no route names."""
    _describe(app, Problem, *models)

    @app.exception_handler(AppError)
    async def refused(_: Request, error: AppError) -> Response:
        return problem(error)

    @app.exception_handler(RequestValidationError)
    async def malformed(_: Request, error: RequestValidationError) -> Response:
        fields = [_field_error(details) for details in error.errors()[:MAX_FIELD_ERRORS]]
        first = next((f"{field.field}: {field.message}" for field in fields if field.field), None)
        return problem(Invalid(f"The request is not valid. Correct {first}." if first else None, fields))

    @app.exception_handler(HTTPException)
    async def refused_by_framework(_: Request, error: HTTPException) -> Response:
        sentences = {
            400: ("unreadable", "The body is not valid JSON. Correct it and try again."),
            404: ("not-found", NotFound.sentence),
            405: (
                "wrong-method",
                "This address does not accept that method. Use one that the header `Allow` lists.",
            ),
        }
        refusal = AppError(sentences.get(error.status_code, ("refused", str(error.detail)))[1], headers=error.headers)
        refusal.status = error.status_code
        refusal.type = sentences.get(error.status_code, ("refused", ""))[0]
        return problem(refusal)

    @app.exception_handler(pymongo.errors.PyMongoError)
    async def database_failed(_: Request, error: pymongo.errors.PyMongoError) -> Response:
        if is_database_away(error):
            return problem(Unavailable())
        raise error
