"""How much one visitor or one address may ask for in a while, counted in this process by `limits`' moving window.

The counts are settings (0 switches one off). `spend` takes one from each limit that it is given, or raises TooMany
with the seconds to wait.
"""

import time
from collections.abc import Sequence

from limits import RateLimitItem, RateLimitItemPerDay, RateLimitItemPerHour, RateLimitItemPerMinute
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import FixedWindowRateLimiter, MovingWindowRateLimiter

from api.errors import TooMany
from api.settings import Settings


class Limits:
    def __init__(self, settings: Settings) -> None:
        self._limiter = MovingWindowRateLimiter(MemoryStorage())
        self._messages = settings.max_messages_per_minute
        self._messages_per_ip = settings.max_messages_per_minute_per_ip
        self._tickets = settings.max_tickets_per_hour
        self._room_messages = settings.max_room_messages_per_minute
        self._rooms = settings.max_rooms_per_hour
        self._daily = FixedWindowRateLimiter(MemoryStorage())
        self._tokens = RateLimitItemPerDay(settings.max_tokens_per_day) if settings.max_tokens_per_day else None

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

    async def _spend(self, items: Sequence[tuple[RateLimitItem, tuple[str, str]]], sentence: str) -> None:
        for item, who in items:
            if not await self._limiter.test(item, *who):
                window = await self._limiter.get_window_stats(item, *who)
                seconds = max(1, round(window.reset_time - time.time()))
                raise TooMany(sentence.format(seconds), seconds)
        for item, who in items:
            await self._limiter.hit(item, *who)
