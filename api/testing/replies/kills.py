"""How much text a killed process lost: the age, at the kill, of the oldest text that was shown and not saved."""

import asyncio

from testing.replies.wire_reader import TimedReader, ask_request, connect_timed

STUCK_SECONDS = 15.0


async def start_reply(port: int) -> TimedReader:
    """Ask in a new chat and keep reading. Returns the reader as soon as it has the first text."""
    reader = await connect_timed(port)
    reader.send(ask_request("Why does the proxy refuse my upload?"))
    await asyncio.wait_for(reader.has_text, 20)
    return reader


def lost_seconds(reader: TimedReader, killed_at: float, saved: str) -> float:
    """Return the age at the kill of the oldest text that this reader had and that was not saved."""
    arrived_at = reader.arrival_of(len(saved))
    return max(0.0, killed_at - arrived_at) if arrived_at else 0.0
