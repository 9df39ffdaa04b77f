"""Rate limits of visitors and addresses, counted in this process by the moving window of the library `limits`.

Most limits are settings, where 0 means no limit. Those of passwords are fixed. Argon2 needs much memory, so passwords
are checked and hashed one at a time, inside `sign_in_try` or `account_try`.
"""

import asyncio
import ipaddress
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from limits import RateLimitItem, RateLimitItemPerDay, RateLimitItemPerHour, RateLimitItemPerMinute
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import FixedWindowRateLimiter, MovingWindowRateLimiter

from tutordesk.ground.errors import TooMany, WrongCredentials
from tutordesk.ground.settings import Settings

TRIES = RateLimitItemPerMinute(5, 15)  # of one e-mail address from one network, in a quarter of an hour
TRIES_OF_NETWORK = RateLimitItemPerMinute(50, 15)
ACCOUNTS_OF_NETWORK = RateLimitItemPerMinute(50, 15)
RETRY_SECONDS = 5
TOO_MANY_TRIES = "Too many attempts to sign in. Wait {} s and try again."

Limit = tuple[RateLimitItem, tuple[str, str]]


class Limits:
    """The counts of this process. `spend_…` counts one, or raises TooMany with the seconds to wait."""

    def __init__(self, settings: Settings) -> None:
        self._limiter = MovingWindowRateLimiter(MemoryStorage())
        self._messages = settings.max_messages_per_minute
        self._messages_per_ip = settings.max_messages_per_minute_per_ip
        self._tickets = settings.max_tickets_per_hour
        self._room_messages = settings.max_room_messages_per_minute
        self._rooms = settings.max_rooms_per_hour
        self._running_replies = settings.max_running_replies
        self._daily = FixedWindowRateLimiter(MemoryStorage())
        self._tokens = RateLimitItemPerDay(settings.max_tokens_per_day) if settings.max_tokens_per_day else None
        self._password = asyncio.Lock()

    def refuse_running_replies(self, running: int) -> None:
        """Refuse another reply to a visitor who has `running` ones. Raises TooMany at the limit."""
        limit = self._running_replies
        if limit and running >= limit:
            raise TooMany(
                f"The tutor is already writing {limit} answers for you. Wait for one, then send your message again.",
                RETRY_SECONDS,
            )

    async def spend_message(self, visitor: str, ip: str) -> None:
        """Count one message of `visitor` from `ip`. Raises TooMany."""
        limits = [(self._messages, ("visitor", visitor)), (self._messages_per_ip, ("address", ip))]
        await self._spend(
            [(RateLimitItemPerMinute(count), key) for count, key in limits if count],
            "You are sending messages too quickly. Send this one again in {} s.",
        )

    async def spend_ticket(self, visitor: str) -> None:
        """Count one new ticket of `visitor`. Raises TooMany."""
        items = [(RateLimitItemPerHour(self._tickets), ("ticket", visitor))] if self._tickets else []
        await self._spend(items, "You created too many tickets in the last hour. Save this one again in {} s.")

    async def spend_room_message(self, member: str) -> None:
        """Count one message of `member` in rooms. Raises TooMany."""
        items = [(RateLimitItemPerMinute(self._room_messages), ("room", member))] if self._room_messages else []
        await self._spend(items, "You are sending messages too quickly. Send this one again in {} s.")

    async def spend_room(self, member: str) -> None:
        """Count one new room of `member`. Raises TooMany."""
        items = [(RateLimitItemPerHour(self._rooms), ("rooms", member))] if self._rooms else []
        await self._spend(items, "You created too many rooms in the last hour. Try again in {} s.")

    async def refuse_spent_tokens(self) -> None:
        """Refuse a new reply when the day's tokens of all visitors are used up. Raises TooMany."""
        if self._tokens and not await self._daily.test(self._tokens, "tokens"):
            window = await self._daily.get_window_stats(self._tokens, "tokens")
            seconds = max(1, round(window.reset_time - time.time()))
            raise TooMany("The tutor has reached its limit for today. Send your message again tomorrow.", seconds)

    async def count_tokens(self, tokens: int) -> None:
        """Add a reply's tokens to the day's."""
        if self._tokens and tokens:
            await self._daily.hit(self._tokens, "tokens", cost=min(tokens, self._tokens.amount))

    @asynccontextmanager
    async def sign_in_try(self, email: str, ip: str) -> AsyncIterator[None]:
        """Check a password inside. WrongCredentials counts as a failure. Raises TooMany after several.

        Failures count for the account and the network together, so that nobody can lock out the owner elsewhere.
        """
        network = network_of(ip)
        account_limit = (TRIES, ("sign-in", f"{email} {network}"))
        limits = [account_limit, (TRIES_OF_NETWORK, ("sign-in of", network))]
        async with self._password:
            await self._refuse(limits, TOO_MANY_TRIES)
            try:
                yield
            except WrongCredentials:
                for item, key in limits:
                    await self._limiter.hit(item, *key)
                raise
            item, key = account_limit
            await self._limiter.clear(item, *key)

    @asynccontextmanager
    async def account_try(self, ip: str) -> AsyncIterator[None]:
        """Hash a new password inside. Raises TooMany."""
        async with self._password:
            items = [(ACCOUNTS_OF_NETWORK, ("account of", network_of(ip)))]
            await self._spend(items, "Too many accounts were created from your network. Wait {} s and try again.")
            yield

    async def _spend(self, items: Sequence[Limit], sentence: str) -> None:
        await self._refuse(items, sentence)
        for item, key in items:
            await self._limiter.hit(item, *key)

    async def _refuse(self, items: Sequence[Limit], sentence: str) -> None:
        for item, key in items:
            if not await self._limiter.test(item, *key):
                window = await self._limiter.get_window_stats(item, *key)
                seconds = max(1, round(window.reset_time - time.time()))
                raise TooMany(sentence.format(seconds), seconds)


def network_of(ip: str) -> str:
    """Return the address, or for IPv6 the /64 network, since its owner can use all of its addresses."""
    try:
        address = ipaddress.ip_address(ip.partition("%")[0])
    except ValueError:
        return ip
    return str(ipaddress.ip_network((address, 64), strict=False)) if address.version == 6 else ip
