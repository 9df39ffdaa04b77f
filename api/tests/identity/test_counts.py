"""Counts hold alike in this process, in MongoDB and in Redis: exact, in order, and from many callers at once."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest

from testing.rooms.redis import Redis
from testing.serving import Live
from tutordesk.identity.counts import Counts, Full, LocalCounts, MongoCounts, RedisCounts, Window
from tutordesk.identity.limits import network_of


@pytest.fixture(scope="module")
def redis_server() -> Iterator[Redis]:
    redis = Redis()
    redis.start()
    yield redis
    redis.kill()


@pytest.fixture(params=["local", "mongodb", "redis"])
async def counts(request: pytest.FixtureRequest, live: Live, redis_server: Redis) -> AsyncIterator[Counts]:
    """The counts of one kind, empty. The documents are bound to the database of `live`."""
    in_redis = RedisCounts(redis_server.url, f"{request.node.name}:", 5)
    kinds: dict[str, Counts] = {"local": LocalCounts(), "mongodb": MongoCounts(), "redis": in_redis}
    yield kinds[request.param]
    await in_redis.close()


async def _takes(counts: Counts, *windows: Window, times: int) -> list[str | None]:
    """Take one event after the other. Returns the key of the full window of each refusal, None where it was counted."""
    return [await _take(counts, *windows) for _ in range(times)]


async def _take(counts: Counts, *windows: Window) -> str | None:
    try:
        await counts.take(windows)
    except Full as full:
        return full.window.key if -0.1 <= full.seconds <= full.window.seconds else f"wrong seconds: {full.seconds}"
    return None


@pytest.mark.parametrize("limit", [1, 3, 30])
async def test_window_takes_as_many_as_its_limit(counts: Counts, limit: int) -> None:
    window = Window("Ana", limit, 60)
    assert await _takes(counts, window, times=limit + 2) == [None] * limit + ["Ana"] * 2
    assert await _takes(counts, Window("Ben", limit, 60), times=1) == [None]


@pytest.mark.parametrize("callers", [2, 40])
async def test_callers_at_once_get_exactly_the_limit(counts: Counts, callers: int) -> None:
    window = Window("Ana", 10, 60)
    taken = await asyncio.gather(*(_takes(counts, window, times=20) for _ in range(callers)))
    assert sum(refusal is None for refusals in taken for refusal in refusals) == 10


async def test_window_moves(counts: Counts) -> None:
    window = Window("Ana", 2, 1)
    assert await _takes(counts, window, times=3) == [None, None, "Ana"]
    await asyncio.sleep(1.1)
    assert await _takes(counts, window, times=3) == [None, None, "Ana"]


async def test_refused_visitor_uses_up_nothing_of_the_address(counts: Counts) -> None:
    """Else one visitor could shut out a whole school."""
    visitor, address = Window("Ana", 2, 60), Window("address", 4, 60)
    assert await _takes(counts, visitor, address, times=9) == [None, None, *["Ana"] * 7]
    assert await _takes(counts, Window("Ben", 9, 60), address, times=3) == [None, None, "address"]


async def test_check_counts_nothing_and_clear_forgets(counts: Counts) -> None:
    window = Window("Ana", 2, 60)
    for _ in range(5):
        await counts.check([window])
    assert await _takes(counts, window, times=2) == [None, None]
    with pytest.raises(Full):
        await counts.check([Window("Ben", 2, 60), window])
    await counts.clear(window)
    await counts.check([window])
    assert await _takes(counts, window, times=3) == [None, None, "Ana"]


async def test_sums_grow(counts: Counts) -> None:
    assert await counts.total("tokens") == 0
    await asyncio.gather(*(counts.add("tokens", 7) for _ in range(6)))
    assert await counts.total("tokens") == 42


@pytest.mark.parametrize("hours", [-1, 1])
async def test_clock_that_was_set_shuts_nobody_out_for_long(
    live: Live, monkeypatch: pytest.MonkeyPatch, hours: int
) -> None:
    """Events that another server counted by a clock an hour ahead or behind are not taken for recent."""
    counts, window = MongoCounts(), Window("Ana", 2, 60)
    with monkeypatch.context() as patch:
        import time

        moment = time.time() + hours * 3600
        patch.setattr("tutordesk.identity.counts.time.time", lambda: moment)
        assert await _takes(counts, window, times=3) == [None, None, "Ana"]
    assert await _takes(counts, window, times=3) == [None, None, "Ana"]


@pytest.mark.parametrize(
    ("ip", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("::FFFF:c000:207", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::", "2001:db8:1:2::/64"),
        ("2001:0DB8:0001:0002:ffff::1", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::1", "::/64"),
        ("unknown", "unknown"),
    ],
)
def test_address_counts_as_its_network(ip: str, network: str) -> None:
    assert network_of(ip) == network
