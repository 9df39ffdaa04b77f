"""Access to routes, as parameter types. Each type has a plain function too, for WebSockets.

| parameter | admits |
|---|---|
| `Visitor` | everybody, identified by a signed cookie: `visitor_of(connection)` |
| `Member` | a visitor with a name: `member_of(visitor)` |
| `Admin` | a user whom the operator made an admin: `admin_of(visitor)` |

Reading creates nothing. A route's first write calls `visitor.create_user()`, which saves the `User` and lets the gate
(edge/gate.py) send the cookie. Private objects answer 404 to others, exactly like unknown ones.
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
from tutordesk.ground.sse import Reader
from tutordesk.identity.limits import Limits
from tutordesk.identity.models import User
from tutordesk.identity.revocation import Revocations
from tutordesk.identity.tokens import (
    EARLIER_COOKIE,
    LIFETIME,
    InvalidToken,
    SignIn,
    cookie_name,
    new_sign_in,
    read_token,
    sign_token,
)

SECURE_PREFIX = "__Host-"
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
    """The browser behind a request or a WebSocket. If `is_new`, it has no cookie yet and its id is not stored."""

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
        """Return the time at which this sign-in began, in seconds since 1970."""
        return self.sign_in.issued_at

    @property
    def is_revoked(self) -> bool:
        """Return whether this sign-in has ended. Long connections, such as a WebSocket, check it repeatedly."""
        return _revocations_of(self.connection).is_revoked(self.id, self.sid, self.issued_at)

    @property
    def reader(self) -> Reader:
        """Return this visitor as the reader of a stream, which ends with the sign-in."""
        return Reader(lambda: self.is_revoked)

    @property
    def ip(self) -> str:
        return self.connection.client.host if self.connection.client else "unknown"

    async def create_user(self) -> None:
        """Create the `User` of a new visitor, and send the cookie with this answer."""
        if self.is_new:
            await User(id=self.id).insert()
            self.is_new = False
            self.send_token()

    def sign_in_as(self, sign_in: SignIn) -> None:
        """Switch this browser to `sign_in`'s user and send a new cookie."""
        self.sign_in, self.is_new = sign_in, False
        self.send_token()

    def send_token(self) -> None:
        """Send a new cookie for this sign-in with this answer."""
        send_cookie(self.connection, sign_token(self.sign_in, _secret_keys_of(self.connection)))

    async def user(self) -> User | None:
        return None if self.is_new else await User.get(self.id)

    async def ensure_user(self) -> User:
        """Return the `User`, and create it if it is missing: the visitor is new, or a restore removed it."""
        await self.create_user()
        if user := await self.user():
            return user
        with suppress(DuplicateKeyError):
            return await User(id=self.id).insert()
        return await self.ensure_user()

    async def sign_out(self) -> None:
        """End this sign-in everywhere, and remove the cookie."""
        if not self.is_new:
            await _revocations_of(self.connection).end_sign_in(self.id, self.sid)
            remove_cookie(self.connection)

    async def require_author(self, author_id: PydanticObjectId, refusal: AppError | None = None) -> None:
        """Admit only the author and admins. Raises Forbidden for others, or `refusal`."""
        if author_id != self.id:
            user = await self.user()
            if not user or user.role != "admin":
                raise refusal or Forbidden()


@dataclass(slots=True)
class MemberOfRequest:
    """A visitor and the loaded `User`, who has a name as a `Member` and is an admin as an `Admin`."""

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


def send_cookie(connection: HTTPConnection, token: str) -> None:
    """Let the gate add this installation's cookie to this request's answer."""
    _set_cookie(connection, cookie_name(_secret_keys_of(connection)[0]), token, int(LIFETIME.total_seconds()))


def remove_cookie(connection: HTTPConnection, name: str | None = None) -> None:
    """Let the gate remove the cookie of this name, by default this installation's."""
    _set_cookie(connection, name or cookie_name(_secret_keys_of(connection)[0]), "", 0)


def _set_cookie(connection: HTTPConnection, name: str, token: str, max_age: int) -> None:
    prefix, secure = (SECURE_PREFIX, "; Secure") if is_secure(connection) else ("", "")
    connection.scope["set_cookie"] = (
        f"{prefix}{name}={token}; Max-Age={max_age}; Path=/; HttpOnly; SameSite=Lax{secure}"
    )


def _cookie_of(connection: HTTPConnection) -> tuple[str, str] | None:
    """Return the name and the token of this installation's cookie, or None.

    Cookies of other installations on this host have other names. Up to version 0.1 all had one name, so a cookie of
    that name counts only if this installation signed it.
    """
    prefix, keys = SECURE_PREFIX if is_secure(connection) else "", _secret_keys_of(connection)
    for name in (*map(cookie_name, keys), EARLIER_COOKIE):
        token = connection.cookies.get(f"{prefix}{name}")
        if token is not None and (name != EARLIER_COOKIE or _is_ours(token, keys)):
            return name, token
    return None


def _is_ours(token: str, keys: Sequence[str]) -> bool:
    with suppress(InvalidToken):
        read_token(token, keys)
        return True
    return False


async def visitor_of(connection: HTTPConnection) -> VisitorOfRequest:
    """Return the visitor behind a request or a WebSocket.

    Raises NotSignedIn, and removes the cookie, if the cookie is invalid or its sign-in has ended.
    """
    cookie = _cookie_of(connection)
    if cookie is None:
        return VisitorOfRequest(new_sign_in(PydanticObjectId()), True, connection)
    name, token = cookie
    try:
        sign_in, is_old = read_token(token, _secret_keys_of(connection))
        visitor = VisitorOfRequest(sign_in, False, connection)
        if visitor.is_revoked:
            raise InvalidToken
    except InvalidToken:
        remove_cookie(connection, name)
        raise NotSignedIn from None
    if is_old or name == EARLIER_COOKIE:
        visitor.send_token()
    return visitor


Visitor = Annotated[VisitorOfRequest, Depends(visitor_of)]


async def member_of(visitor: Visitor) -> MemberOfRequest:
    """Return the visitor as a member. Raises NameNeeded without a name, NotSignedIn for a disabled user."""
    user = await visitor.user()
    if user and user.is_disabled:
        raise NotSignedIn
    if not user or not user.name or user.role not in ("member", "admin"):
        raise NameNeeded
    return MemberOfRequest(visitor, user)


async def admin_of(visitor: Visitor) -> MemberOfRequest:
    """Return the visitor as an admin. Raises Forbidden for others, NotSignedIn for a disabled user."""
    user = await visitor.user()
    if user and user.is_disabled:
        raise NotSignedIn
    if not user or user.role != "admin":
        raise Forbidden("Only an admin may do this. Sign in as an admin.")
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
