"""The cookie: an HS256 JWT, signed by PyJWT, that names the browser's `User` and sign-in.

| claim | meaning |
|---|---|
| `sub` | the user's id |
| `sid` | random id of this sign-in, unchanged when the cookie is renewed; "" in cookies of earlier versions |
| `auth_time` | the start of this sign-in in seconds since 1970, unchanged too, so that revocations still apply |
| `iat`, `exp`, `iss`, `aud` | when this cookie was created, when it expires, and its purpose |

Several keys are possible: the first signs, all are accepted, and cookies of older keys are due for renewal. The name
of a cookie tells its key, because browsers share cookies between the ports of a host, where two installations may run.
"""

import hashlib
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import jwt
from beanie import PydanticObjectId
from bson.errors import InvalidId

ISSUER, AUDIENCE, ALGORITHM = "tutordesk", "tutordesk:visitor", "HS256"
LIFETIME = timedelta(days=365)
RENEW_AFTER = timedelta(days=30)
MAX_TOKEN_CHARACTERS = 2048
EARLIER_COOKIE = "tutordesk"  # the name of every installation's cookie up to version 0.1


def cookie_name(key: str) -> str:
    """Return the name of the cookies that this key signs."""
    return f"tutordesk_{hashlib.sha256(key.encode()).hexdigest()[:8]}"


class InvalidToken(Exception):
    """The cookie is forged, broken, too old or for another purpose. It does not say which, to help no forger."""


@dataclass(frozen=True, slots=True)
class SignIn:
    """A user's sign-in, and the time at which it began, in seconds since 1970."""

    user_id: PydanticObjectId
    sid: str
    issued_at: float


def new_sign_in(user_id: PydanticObjectId, issued_at: float | None = None) -> SignIn:
    """Return a sign-in with a new random id, which begins now if `issued_at` does not say otherwise."""
    return SignIn(user_id, secrets.token_hex(12), time.time() if issued_at is None else issued_at)


def sign_token(sign_in: SignIn, keys: Sequence[str]) -> str:
    """Return the cookie's value, signed by the first of `keys`."""
    now = time.time()
    claims = {
        "sub": str(sign_in.user_id),
        "sid": sign_in.sid,
        "auth_time": sign_in.issued_at,
        "iss": ISSUER,
        "aud": AUDIENCE,
        "iat": now,
        "exp": int(now + LIFETIME.total_seconds()),
    }
    return jwt.encode(claims, keys[0], algorithm=ALGORITHM)


def read_token(token: str, keys: Sequence[str]) -> tuple[SignIn, bool]:
    """Return the sign-in, and whether the cookie is due for renewal. Raises InvalidToken."""
    if len(token) > MAX_TOKEN_CHARACTERS:
        raise InvalidToken
    for number, key in enumerate(keys):
        try:
            sign_in, created_at = _read(token, key)
        except jwt.InvalidSignatureError:
            continue
        except (jwt.InvalidTokenError, InvalidId, TypeError, ValueError, OverflowError) as error:
            raise InvalidToken from error
        return sign_in, number > 0 or time.time() - created_at > RENEW_AFTER.total_seconds()
    raise InvalidToken


def _read(token: str, key: str) -> tuple[SignIn, float]:
    claims = jwt.decode(
        token,
        key,
        algorithms=[ALGORITHM],
        audience=AUDIENCE,
        issuer=ISSUER,
        leeway=60,
        options={"require": ["sub", "iss", "aud", "iat", "exp"]},
    )
    sid, created_at = claims.get("sid", ""), float(claims["iat"])
    if not isinstance(sid, str):
        raise InvalidToken
    return SignIn(PydanticObjectId(claims["sub"]), sid, float(claims.get("auth_time", created_at))), created_at
