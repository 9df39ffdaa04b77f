"""Who may call a route, as the type of a parameter: `Visitor` is everybody, told apart by a signed cookie.

Reading creates nothing. A route's first write calls `visitor.keep()`, which makes the `User` and lets the gate
(api/gate.py) send the cookie. `access_own` is the rule of private things: unknown and foreign are the same 404.
"""

from dataclasses import dataclass
from typing import Annotated

from beanie import PydanticObjectId
from bson import ObjectId
from fastapi import Depends, Path, Request

from api.errors import AppError, Forbidden, NotFound, NotSignedIn
from api.identity.models import User
from api.identity.tokens import LIFETIME, InvalidToken, read_visitor, sign_visitor

COOKIE, SECURE_COOKIE = "tutordesk", "__Host-tutordesk"


@dataclass(slots=True)
class VisitorOfRequest:
    """The browser behind a request. `is_new`: it has no cookie yet, so its id is known to nobody."""

    id: PydanticObjectId
    is_new: bool
    request: Request

    @property
    def ip(self) -> str:
        return self.request.client.host if self.request.client else "unknown"

    async def keep(self) -> None:
        """Make the `User` of a new visitor and send it its cookie with this answer."""
        if self.is_new:
            await User(id=self.id).insert()
            self.is_new = False
            send_cookie(self.request, sign_visitor(self.id, self.request.app.state.secret))

    async def user(self) -> User | None:
        return None if self.is_new else await User.get(self.id)

    async def require_author(self, author_id: PydanticObjectId, refusal: AppError | None = None) -> None:
        """Raises Forbidden, or `refusal`, unless this is the author or an admin."""
        if author_id != self.id:
            user = await self.user()
            if not user or user.role != "admin":
                raise refusal or Forbidden()


def cookie_name(request: Request) -> str:
    return SECURE_COOKIE if request.url.scheme == "https" else COOKIE


def send_cookie(request: Request, token: str, max_age: int = int(LIFETIME.total_seconds())) -> None:
    """Have the gate add the cookie to this request's answer; an empty token with `max_age` 0 removes it."""
    secure = "; Secure" if request.url.scheme == "https" else ""
    request.scope["set_cookie"] = (
        f"{cookie_name(request)}={token}; Max-Age={max_age}; Path=/; HttpOnly; SameSite=Lax{secure}"
    )


async def visitor_of(request: Request) -> VisitorOfRequest:
    """Raises NotSignedIn, and removes the cookie, when the cookie is not one of ours."""
    token = request.cookies.get(cookie_name(request))
    if token is None:
        return VisitorOfRequest(PydanticObjectId(), True, request)
    try:
        user_id, is_old = read_visitor(token, request.app.state.secret)
    except InvalidToken:
        send_cookie(request, "", 0)
        raise NotSignedIn from None
    if is_old:
        send_cookie(request, sign_visitor(user_id, request.app.state.secret))
    return VisitorOfRequest(user_id, False, request)


def object_id(text: str) -> PydanticObjectId:
    """An id of a path. What is no id names nothing: raises NotFound."""
    if len(text) != 24 or not ObjectId.is_valid(text):
        raise NotFound
    return PydanticObjectId(text)


async def _ticket_id(ticket_id: Annotated[str, Path(description="24 hex digits")]) -> PydanticObjectId:
    return object_id(ticket_id)


async def _session_id(session_id: Annotated[str, Path(description="24 hex digits")]) -> PydanticObjectId:
    return object_id(session_id)


async def _reply_id(reply_id: Annotated[str, Path(description="24 hex digits")]) -> PydanticObjectId:
    return object_id(reply_id)


async def _message_id(message_id: Annotated[str, Path(description="24 hex digits")]) -> PydanticObjectId:
    return object_id(message_id)


Visitor = Annotated[VisitorOfRequest, Depends(visitor_of)]
TicketId = Annotated[PydanticObjectId, Depends(_ticket_id)]
SessionId = Annotated[PydanticObjectId, Depends(_session_id)]
MessageId = Annotated[PydanticObjectId, Depends(_message_id)]
ReplyId = Annotated[PydanticObjectId, Depends(_reply_id)]
