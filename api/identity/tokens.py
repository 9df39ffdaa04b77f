"""The visitor cookie: an HS256 JWT that says which `User` a browser is. Signed by PyJWT; nothing else is in it."""

from datetime import UTC, datetime, timedelta

import jwt
from beanie import PydanticObjectId
from bson.errors import InvalidId

ISSUER, AUDIENCE, ALGORITHM = "tutordesk", "tutordesk:visitor", "HS256"
LIFETIME = timedelta(days=365)
RENEW_AFTER = timedelta(days=30)
LONGEST_TOKEN = 2048


class InvalidToken(Exception):
    """The cookie is forged, broken, too old or for something else. Which one is nobody's business."""


def sign_visitor(user_id: PydanticObjectId, secret: str) -> str:
    now = datetime.now(UTC)
    claims = {"sub": str(user_id), "iss": ISSUER, "aud": AUDIENCE, "iat": now, "exp": now + LIFETIME}
    return jwt.encode(claims, secret, algorithm=ALGORITHM)


def read_visitor(token: str, secret: str) -> tuple[PydanticObjectId, bool]:
    """The visitor's id, and whether the cookie should be renewed. Raises InvalidToken."""
    if len(token) > LONGEST_TOKEN:
        raise InvalidToken
    try:
        claims = jwt.decode(
            token,
            secret,
            algorithms=[ALGORITHM],
            audience=AUDIENCE,
            issuer=ISSUER,
            leeway=60,
            options={"require": ["sub", "iss", "aud", "iat", "exp"]},
        )
        signed_at = datetime.fromtimestamp(claims["iat"], UTC)
        return PydanticObjectId(claims["sub"]), datetime.now(UTC) - signed_at > RENEW_AFTER
    except (jwt.InvalidTokenError, InvalidId, TypeError, ValueError, OverflowError) as error:
        raise InvalidToken from error
