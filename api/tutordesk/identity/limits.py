"""Rate limits of visitors and addresses, which hold for all processes together.

Most limits are settings, where 0 means no limit. Those of passwords are fixed. Argon2 needs much memory, so passwords
are checked and hashed one at a time, inside `sign_in_try` or `account_try`.

The counts are in a database (counts.py). This process counts for itself, too: what it alone has seen too often is
refused without asking, and its count decides while the database does not answer within a second. Then nobody waits
for a count for the next two seconds.
"""

import asyncio
import ipaddress
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import TypeVar

import pymongo

from tutordesk.ground.clock import now
from tutordesk.ground.errors import TooMany, WrongCredentials
from tutordesk.ground.settings import Settings
from tutordesk.identity.counts import ENGINE_ERRORS, Counts, Full, LocalCounts, Window

log = logging.getLogger(__name__)
T = TypeVar("T")
MINUTE, QUARTER, HOUR, DAY = 60, 900, 3_600, 86_400
MAX_TRIES = 5  # of one e-mail address from one network, in a quarter of an hour
MAX_TRIES_OF_NETWORK, MAX_ACCOUNTS_OF_NETWORK = 50, 50
RETRY_SECONDS = 5
SHARED_SECONDS, AWAY_SECONDS = 1.0, 2.0
TOO_QUICK = "You are sending messages too quickly. Send this one again in {} s."
TOO_MANY_TRIES = "Too many attempts to sign in. Wait {} s and try again."


class Limits:
    """`spend_…` counts one event, or raises TooMany with the seconds to wait. Without `shared`, counts only here."""

    def __init__(self, settings: Settings, shared: Counts | None = None) -> None:
        self._local, self._shared, self._asks_at, self._is_away = LocalCounts(), shared, 0.0, False
        self._messages = settings.max_messages_per_minute
        self._messages_per_ip = settings.max_messages_per_minute_per_ip
        self._tickets = settings.max_tickets_per_hour
        self._room_messages = settings.max_room_messages_per_minute
        self._rooms = settings.max_rooms_per_hour
        self._running_replies = settings.max_running_replies
        self._tokens = settings.max_tokens_per_day
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
        await self._spend(self._of_message(visitor, ip), TOO_QUICK)

    async def spend_ticket(self, visitor: str) -> None:
        """Count one new ticket of `visitor`. Raises TooMany."""
        windows = [Window(f"tickets {visitor}", self._tickets, HOUR)]
        await self._spend(windows, "You created too many tickets in the last hour. Save this one again in {} s.")

    async def spend_room_message(self, member: str, ip: str, asks: bool) -> None:
        """Count one message of `member` in rooms, also as a question to the tutor if it `asks`. Raises TooMany."""
        windows = [Window(f"room messages {member}", self._room_messages, MINUTE)]
        await self._spend([*windows, *(self._of_message(member, ip) if asks else [])], TOO_QUICK)

    async def spend_room(self, member: str) -> None:
        """Count one new room of `member`. Raises TooMany."""
        windows = [Window(f"rooms {member}", self._rooms, HOUR)]
        await self._spend(windows, "You created too many rooms in the last hour. Try again in {} s.")

    async def refuse_spent_tokens(self) -> None:
        """Refuse a new reply when the day's tokens of all visitors are used up. Raises TooMany."""
        if not self._tokens:
            return
        key = _key_of_today()
        total = max(await self._local.total(key), await self._ask_shared(lambda counts: counts.total(key)) or 0)
        if total >= self._tokens:
            seconds = DAY - int(time.time()) % DAY
            raise TooMany("The tutor has reached its limit for today. Send your message again tomorrow.", seconds)

    async def count_tokens(self, tokens: int) -> None:
        """Add a reply's tokens to the day's."""
        if self._tokens and tokens:
            await self._local.add(_key_of_today(), tokens)
            await self._ask_shared(lambda counts: counts.add(_key_of_today(), tokens))

    @asynccontextmanager
    async def sign_in_try(self, email: str, ip: str) -> AsyncIterator[None]:
        """Check a password inside. WrongCredentials counts as a failure. Raises TooMany after several.

        Failures count for the account and the network together, so that nobody can lock out the owner elsewhere.
        """
        network = network_of(ip)
        of_account = Window(f"sign-in {email} {network}", MAX_TRIES, QUARTER)
        windows = [of_account, Window(f"sign-in {network}", MAX_TRIES_OF_NETWORK, QUARTER)]
        async with self._password:
            try:
                await self._local.check(windows)
                await self._ask_shared(lambda counts: counts.check(windows))
            except Full as full:
                raise _too_many(full, TOO_MANY_TRIES) from None
            try:
                yield
            except WrongCredentials:
                with suppress(Full):
                    await self._ask_shared(lambda counts: counts.take(windows))
                with suppress(Full):
                    await self._local.take(windows)
                raise
            await self._local.clear(of_account)
            await self._ask_shared(lambda counts: counts.clear(of_account))

    @asynccontextmanager
    async def account_try(self, ip: str) -> AsyncIterator[None]:
        """Hash a new password inside. Raises TooMany."""
        async with self._password:
            windows = [Window(f"accounts {network_of(ip)}", MAX_ACCOUNTS_OF_NETWORK, QUARTER)]
            await self._spend(windows, "Too many accounts were created from your network. Wait {} s and try again.")
            yield

    async def close(self) -> None:
        if self._shared:
            await self._shared.close()

    def _of_message(self, visitor: str, ip: str) -> list[Window]:
        """Return the visitor's window before the address's, so that a refused visitor uses up nobody else's limit."""
        of_address = Window(f"messages {network_of(ip)}", self._messages_per_ip, MINUTE)
        return [Window(f"messages {visitor}", self._messages, MINUTE), of_address]

    async def _spend(self, windows: Sequence[Window], sentence: str) -> None:
        limited = [window for window in windows if window.limit]
        if not limited:
            return
        try:
            await self._local.check(limited)
            await self._ask_shared(lambda counts: counts.take(limited))
            await self._local.take(limited)
        except Full as full:
            raise _too_many(full, sentence) from None

    async def _ask_shared(self, ask: Callable[[Counts], Awaitable[T]]) -> T | None:
        """Return what the shared counts say, or None while they do not answer. Raises Full."""
        if not self._shared or time.monotonic() < self._asks_at:
            return None
        try:
            async with asyncio.timeout(SHARED_SECONDS):
                with pymongo.timeout(SHARED_SECONDS):
                    answer = await ask(self._shared)
        except ENGINE_ERRORS as error:
            if not self._is_away:
                log.warning("cannot reach the counts, each process limits for itself: %s", type(error).__name__)
            self._is_away, self._asks_at = True, time.monotonic() + AWAY_SECONDS
            return None
        self._is_away = False
        return answer


def _too_many(full: Full, sentence: str) -> TooMany:
    seconds = max(1, round(full.seconds))
    return TooMany(sentence.format(seconds), seconds)


def _key_of_today() -> str:
    return f"tokens {now():%Y-%m-%d}"


def network_of(ip: str) -> str:
    """Return the address, or for IPv6 the /64 network, since its owner can use all of its addresses.

    An IPv4 address in the form of IPv6 is that IPv4 address.
    """
    try:
        address = ipaddress.ip_address(ip.partition("%")[0])
    except ValueError:
        return ip
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    return str(address.ipv4_mapped or ipaddress.ip_network((address, 64), strict=False))
