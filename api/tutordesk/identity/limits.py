"""How much one visitor or one address may ask for in a while, counted in this process by `limits`' moving window.

The counts are settings (0 switches one off); those of signing in are fixed. `spend_…` takes one from each limit, or
raises TooMany with the seconds to wait. Passwords are checked and hashed, one at a time, within `…_try`.
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
TOO_MANY_TRIES = "Too many tries to sign in. Wait {} s and try again."

Limit = tuple[RateLimitItem, tuple[str, str]]


class Limits:
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
        """Raises TooMany when a visitor with so many running replies may not ask for another."""
        limit = self._running_replies
        if limit and running >= limit:
            raise TooMany(
                f"{limit} answers are on their way to you already. Wait for one; your message is kept.", RETRY_SECONDS
            )

    async def spend_message(self, visitor: str, ip: str) -> None:
        """Count one message of `visitor` from `ip`. Raises TooMany."""
        asked = [(self._messages, "visitor", visitor), (self._messages_per_ip, "address", ip)]
        await self._spend(
            [(RateLimitItemPerMinute(most), (kind, who)) for most, kind, who in asked if most],
            "You are asking faster than the tutor may answer. Your message is kept; send it again in {} s.",
        )

    async def spend_ticket(self, visitor: str) -> None:
        """Count one new ticket of `visitor`. Raises TooMany."""
        items = [(RateLimitItemPerHour(self._tickets), ("ticket", visitor))] if self._tickets else []
        await self._spend(items, "You wrote many tickets in the last hour. This one is kept; save it again in {} s.")

    async def spend_room_message(self, member: str) -> None:
        """Count one message of `member` in rooms. Raises TooMany."""
        items = [(RateLimitItemPerMinute(self._room_messages), ("room", member))] if self._room_messages else []
        await self._spend(items, "You write faster than a room can read. Your message is kept; send it again in {} s.")

    async def spend_room(self, member: str) -> None:
        """Count one new room of `member`. Raises TooMany."""
        items = [(RateLimitItemPerHour(self._rooms), ("rooms", member))] if self._rooms else []
        await self._spend(items, "You made many rooms in the last hour. Try again in {} s.")

    async def refuse_spent_tokens(self) -> None:
        """Raises TooMany when the day's tokens of all together are used up."""
        if self._tokens and not await self._daily.test(self._tokens, "tokens"):
            window = await self._daily.get_window_stats(self._tokens, "tokens")
            seconds = max(1, round(window.reset_time - time.time()))
            raise TooMany("The tutor has answered all it may today. Your message is kept; ask again tomorrow.", seconds)

    async def count_tokens(self, tokens: int) -> None:
        if self._tokens and tokens:
            await self._daily.hit(self._tokens, "tokens", cost=min(tokens, self._tokens.amount))

    @asynccontextmanager
    async def sign_in_try(self, email: str, ip: str) -> AsyncIterator[None]:
        """A password is checked inside; WrongCredentials counts as a failed try. Raises TooMany after some.

        Failures count for the address and where they came from, so that nobody can lock out somebody else.
        """
        network = network_of(ip)
        pair = (TRIES, ("sign-in", f"{email} {network}"))
        both = [pair, (TRIES_OF_NETWORK, ("sign-in of", network))]
        async with self._password:
            await self._refuse(both, TOO_MANY_TRIES)
            try:
                yield
            except WrongCredentials:
                for item, who in both:
                    await self._limiter.hit(item, *who)
                raise
            await self._limiter.clear(pair[0], *pair[1])

    @asynccontextmanager
    async def account_try(self, ip: str) -> AsyncIterator[None]:
        """A new password is hashed inside. Raises TooMany."""
        async with self._password:
            items = [(ACCOUNTS_OF_NETWORK, ("account of", network_of(ip)))]
            await self._spend(items, "Many accounts were made from where you are. Wait {} s and try again.")
            yield

    async def _spend(self, items: Sequence[Limit], sentence: str) -> None:
        await self._refuse(items, sentence)
        for item, who in items:
            await self._limiter.hit(item, *who)

    async def _refuse(self, items: Sequence[Limit], sentence: str) -> None:
        for item, who in items:
            if not await self._limiter.test(item, *who):
                window = await self._limiter.get_window_stats(item, *who)
                seconds = max(1, round(window.reset_time - time.time()))
                raise TooMany(sentence.format(seconds), seconds)


def network_of(ip: str) -> str:
    """The address, or of IPv6 the /64 network: whoever has one address there has all."""
    try:
        address = ipaddress.ip_address(ip.partition("%")[0])
    except ValueError:
        return ip
    return str(ipaddress.ip_network((address, 64), strict=False)) if address.version == 6 else ip
