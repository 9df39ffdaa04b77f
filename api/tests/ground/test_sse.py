"""Open streams end when their readers may no longer read. However many there are, the database is asked once."""

import asyncio
from collections.abc import AsyncGenerator, Collection

import pymongo.errors
import pytest
from starlette.types import Message

from tutordesk.ground.sse import FindReaders, Reader, Streams

SCOPE = {"type": "http", "asgi": {"spec_version": "2.4"}}


async def _frames() -> AsyncGenerator[bytes]:
    while True:
        yield b": still here\n\n"
        await asyncio.sleep(60)


async def _receive() -> Message:
    await asyncio.sleep(60)
    return {"type": "http.disconnect"}


async def _send(message: Message) -> None:
    """Send nowhere."""


def _open(streams: Streams, reader: Reader) -> asyncio.Task[None]:
    return asyncio.create_task(streams.respond(_frames(), reader)(SCOPE, _receive, _send))


@pytest.mark.parametrize("count", [1, 2, 500])
async def test_one_question_is_asked_for_all_streams(count: int) -> None:
    questions: list[set[int]] = []

    async def find_even(keys: Collection[int]) -> set[int]:
        questions.append(set(keys))
        return {key for key in keys if key % 2 == 0}

    streams = Streams()
    opened = [_open(streams, Reader(lambda: False, find_even, key)) for key in range(count)]
    await asyncio.sleep(0.01)
    await streams._end_unreadable()
    odd = opened[1::2]
    if odd:
        await asyncio.wait(odd, timeout=5)
    assert questions == [set(range(count))]
    assert [stream.done() for stream in opened] == [key % 2 == 1 for key in range(count)]
    for stream in opened[::2]:
        stream.cancel()
    await asyncio.wait(opened)


async def _all(keys: Collection[int]) -> Collection[int]:
    return keys


async def _away(keys: Collection[int]) -> Collection[int]:
    raise pymongo.errors.AutoReconnect


@pytest.mark.parametrize("find_readers", [_all, _away, None])
async def test_revoked_reader_is_ended_whether_or_not_the_database_answers(find_readers: FindReaders | None) -> None:
    streams = Streams()
    revoked, reading = _open(streams, Reader(lambda: True)), _open(streams, Reader(lambda: False, find_readers, 1))
    await asyncio.sleep(0.01)
    if find_readers is _away:
        with pytest.raises(pymongo.errors.AutoReconnect):
            await streams._end_unreadable()
    else:
        await streams._end_unreadable()
    await asyncio.wait_for(revoked, 5)
    assert not reading.done()
    reading.cancel()
    await asyncio.wait([reading])
