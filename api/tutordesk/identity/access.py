"""Who may call a route, as the type of a parameter. Each is a plain function too, for WebSockets.

| parameter | who |
|---|---|
| `Visitor` | everybody, told apart by a signed cookie: `visitor_of(connection)` |
| `Member` | a visitor with a name: `member_of(visitor)` |
| `Admin` | a user whom the operator made one: `admin_of(visitor)` |

Reading creates nothing. A route's first write calls `visitor.keep()`, which makes the `User` and lets the gate
(edge/gate.py) send the cookie. What is private is a 404 to others, the same as what is unknown.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Annotated

from beanie import PydanticObjectId
from fastapi import Depends, Path
from fastapi.requests import HTTPConnection
from pymongo.errors import DuplicateKeyError

from tutordesk.ground.errors import AppError, Forbidden, NameNeeded, NotSignedIn
from tutordesk.ground.ids import object_id
from tutordesk.identity.limits import Limits
from tutordesk.identity.models import User
from tutordesk.identity.revocation import Revocations
from tutordesk.identity.tokens import LIFETIME, InvalidToken, SignIn, new_sign_in, read_token, sign_token

COOKIE, SECURE_COOKIE = "tutordesk", "__Host-tutordesk"

LOOPBACK = ("127.0.0.1", "::1")


async def limits_of(connection: HTTPConnection) -> Limits:
    limits: Limits = connection.app.state.limits
    return limits


async def revocations_of(connection: HTTPConnection) -> Revocations:
    return _revocations_of(connection)


def _revocations_of(connection: HTTPConnection) -> Revocations:
    revocations: Revocations = connection.app.state.revocations
    return revocations


def _secret_keys_of(connection: HTTPConnection) -> Sequence[str]:
    secret_keys: Sequence[str] = connection.app.state.secret_keys
    return secret_keys


async def model_of(connection: HTTPConnection) -> str:
    """Return `provider:name` of the model that answers."""
    model: str = connection.app.state.tutor.model
    return model


LimitsOf = Annotated[Limits, Depends(limits_of)]
RevocationsOf = Annotated[Revocations, Depends(revocations_of)]
ModelOf = Annotated[str, Depends(model_of)]


@dataclass(slots=True)
class VisitorOfRequest:
    """The browser behind a request or a WebSocket. `is_new`: it has no cookie yet, so its id is known to nobody."""

    sign_in: SignIn
    is_new: bool
    connection: HTTPConnection

    @property
    def id(self) -> PydanticObjectId:
        return self.sign_in.user_id

    @property
    def sid(self) -> str:
        return self.sign_in.sid

    @property
    def issued_at(self) -> float:
        """When this sign-in began, in seconds since 1970."""
        return self.sign_in.issued_at

    @property
    def is_revoked(self) -> bool:
        """Whether this sign-in has ended meanwhile: for what stays open, such as a WebSocket, to ask now and then."""
        return _revocations_of(self.connection).is_revoked(self.id, self.sid, self.issued_at)

    async def may_read(self) -> bool:
        """Whether what is open for this visitor may stay so."""
        return not self.is_revoked

    @property
    def ip(self) -> str:
        return self.connection.client.host if self.connection.client else "unknown"

    async def keep(self) -> None:
        """Make the `User` of a new visitor and send it its cookie with this answer."""
        if self.is_new:
            await User(id=self.id).insert()
            self.is_new = False
            self.send_token()

    def sign_in_as(self, sign_in: SignIn) -> None:
        """Be who `sign_in` says from now on, and have the browser know by a new cookie."""
        self.sign_in, self.is_new = sign_in, False
        self.send_token()

    def send_token(self) -> None:
        send_cookie(self.connection, sign_token(self.sign_in, _secret_keys_of(self.connection)))

    async def user(self) -> User | None:
        return None if self.is_new else await User.get(self.id)

    async def kept_user(self) -> User:
        """The `User`, made when there is none yet: the visitor is new, or its `User` was lost."""
        await self.keep()
        if user := await self.user():
            return user
        with suppress(DuplicateKeyError):
            return await User(id=self.id).insert()
        return await self.kept_user()

    async def sign_out(self) -> None:
        """End this sign-in everywhere, and remove the cookie."""
        if not self.is_new:
            await _revocations_of(self.connection).end_sign_in(self.id, self.sid)
            send_cookie(self.connection, "", 0)

    async def require_author(self, author_id: PydanticObjectId, refusal: AppError | None = None) -> None:
        """Raises Forbidden, or `refusal`, unless this is the author or an admin."""
        if author_id != self.id:
            user = await self.user()
            if not user or user.role != "admin":
                raise refusal or Forbidden()


@dataclass(slots=True)
class MemberOfRequest:
    """A visitor whose `User` was loaded: one with a name for `Member`, an admin for `Admin`."""

    visitor: VisitorOfRequest
    user: User

    @property
    def id(self) -> PydanticObjectId:
        return self.visitor.id

    @property
    def ip(self) -> str:
        return self.visitor.ip


def is_on_this_machine(connection: HTTPConnection) -> bool:
    """Return whether the request comes from the server's own machine, by its address."""
    return bool(connection.client and connection.client.host in LOOPBACK)


def is_secure(connection: HTTPConnection) -> bool:
    return connection.url.scheme in ("https", "wss")


def cookie_name(connection: HTTPConnection) -> str:
    return SECURE_COOKIE if is_secure(connection) else COOKIE


def send_cookie(connection: HTTPConnection, token: str, max_age: int = int(LIFETIME.total_seconds())) -> None:
    """Have the gate add the cookie to this request's answer; an empty token with `max_age` 0 removes it."""
    secure = "; Secure" if is_secure(connection) else ""
    connection.scope["set_cookie"] = (
        f"{cookie_name(connection)}={token}; Max-Age={max_age}; Path=/; HttpOnly; SameSite=Lax{secure}"
    )


async def visitor_of(connection: HTTPConnection) -> VisitorOfRequest:
    """Who is behind a request or a WebSocket.

    Raises NotSignedIn, and removes the cookie, when the cookie is not one of ours or its sign-in has ended.
    """
    token = connection.cookies.get(cookie_name(connection))
    if token is None:
        return VisitorOfRequest(new_sign_in(PydanticObjectId()), True, connection)
    try:
        sign_in, is_old = read_token(token, _secret_keys_of(connection))
        visitor = VisitorOfRequest(sign_in, False, connection)
        if visitor.is_revoked:
            raise InvalidToken
    except InvalidToken:
        send_cookie(connection, "", 0)
        raise NotSignedIn from None
    if is_old:
        visitor.send_token()
    return visitor


Visitor = Annotated[VisitorOfRequest, Depends(visitor_of)]


async def member_of(visitor: Visitor) -> MemberOfRequest:
    """Raises NameNeeded when the visitor has no name, NotSignedIn when the user is disabled."""
    user = await visitor.user()
    if user and user.is_disabled:
        raise NotSignedIn
    if not user or not user.name or user.role not in ("member", "admin"):
        raise NameNeeded
    return MemberOfRequest(visitor, user)


async def admin_of(visitor: Visitor) -> MemberOfRequest:
    """Raises Forbidden unless the visitor is an admin, NotSignedIn when the user is disabled."""
    user = await visitor.user()
    if user and user.is_disabled:
        raise NotSignedIn
    if not user or user.role != "admin":
        raise Forbidden("Only an admin may do that.")
    return MemberOfRequest(visitor, user)


Member = Annotated[MemberOfRequest, Depends(member_of)]
Admin = Annotated[MemberOfRequest, Depends(admin_of)]


async def _ticket_id(ticket_id: Annotated[str, Path(description="24 hex digits")]) -> PydanticObjectId:
    return object_id(ticket_id)


async def _session_id(session_id: Annotated[str, Path(description="24 hex digits")]) -> PydanticObjectId:
    return object_id(session_id)


async def _room_id(room_id: Annotated[str, Path(description="24 hex digits")]) -> PydanticObjectId:
    return object_id(room_id)


async def _user_id(user_id: Annotated[str, Path(description="24 hex digits")]) -> PydanticObjectId:
    return object_id(user_id)


async def _reply_id(reply_id: Annotated[str, Path(description="24 hex digits")]) -> PydanticObjectId:
    return object_id(reply_id)


async def _message_id(message_id: Annotated[str, Path(description="24 hex digits")]) -> PydanticObjectId:
    return object_id(message_id)


TicketId = Annotated[PydanticObjectId, Depends(_ticket_id)]
RoomId = Annotated[PydanticObjectId, Depends(_room_id)]
UserId = Annotated[PydanticObjectId, Depends(_user_id)]
SessionId = Annotated[PydanticObjectId, Depends(_session_id)]
MessageId = Annotated[PydanticObjectId, Depends(_message_id)]
ReplyId = Annotated[PydanticObjectId, Depends(_reply_id)]
