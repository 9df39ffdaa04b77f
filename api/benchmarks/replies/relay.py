"""Measures the cost of a relayed chunk: 100 streams of 20 chunks a second, against a bare client and a bare relay.

Each wire is measured in rounds Tutordesk, other, other, Tutordesk, on processes that stay, after a short warm-up.
CPU is read with the wire's count of chunks: "streaming" while all streams run, which is what a chunk costs by itself;
"whole" from before the questions until all is saved, what a turn costs spread over its chunks. Both have the limit.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from benchmarks.harness import Helper, Server, cpu_ns, running_helper, running_server
from benchmarks.replies.wire import TEXT
from testing.figures import Figure
from testing.processes import mongod_pid
from testing.replies.wire_reader import ask, ask_request, get, wire_state

STREAMS, CHUNKS, PER_SECOND = 100, 300, 20
ROUNDS = 2
WARM_CHUNKS = 20
SAVED_SECONDS = 1.0
QUESTION = "Why does the proxy refuse my upload?"
Play = Callable[[int], Awaitable[int]]


@dataclass(frozen=True, slots=True)
class Reading:
    """CPU so far of some processes in ns, and chunks sent so far."""

    cpu: tuple[int, ...]
    sent: int


@dataclass(frozen=True, slots=True)
class Cost:
    """µs of CPU a chunk, one number a process."""

    whole: tuple[float, ...]
    streaming: tuple[float, ...]


def measure(folder: Path) -> list[Figure]:
    with running_helper("replies.wire") as wire:
        return [*_gemini(folder, wire.port), *_openai(folder, wire.port)]


def _gemini(folder: Path, wire: int) -> list[Figure]:
    url = f"http://127.0.0.1:{wire}"
    settings = {"TUTORDESK_MODEL": "gemini:load", "GEMINI_API_KEY": "key-of-the-benchmark", "GEMINI_BASE_URL": url}
    with running_server(folder / "gemini", **settings) as server, running_helper("replies.alone", url) as alone:

        async def play_alone(streams: int) -> int:
            return int(await asyncio.to_thread(alone.tell, str(streams)))

        ours, others = _rounds(wire, server, alone, play_alone)
    return _figures("Gemini", "google-genai alone", 1.25, ours, others)


def _openai(folder: Path, wire: int) -> list[Figure]:
    url = f"http://127.0.0.1:{wire}/v1"
    settings = {"TUTORDESK_MODEL": "openai:load", "OPENAI_BASE_URL": url}
    with running_server(folder / "openai", **settings) as server, running_helper("replies.bare", url) as bare:
        ours, others = _rounds(wire, server, bare, lambda streams: read_streams(bare.port, streams))
    return _figures("OpenAI wire", "a bare httpx relay", 1.1, ours, others)


def _figures(wire: str, other: str, limit: float, ours: Sequence[Cost], others: Sequence[Cost]) -> list[Figure]:
    whole, streaming = median(one.whole[0] for one in ours), median(one.streaming[0] for one in ours)
    other_whole, other_streaming = median(one.whole[0] for one in others), median(one.streaming[0] for one in others)
    mongod_streaming, mongod_whole = (
        median(one.streaming[1] for one in ours),
        median(one.whole[1] for one in ours),
    )
    return [
        Figure(f"{wire}: CPU of a relayed chunk ÷ {other}", streaming / other_streaming, limit=limit, digits=2),
        Figure(
            f"{wire}: the same, with question and ending spread over {CHUNKS} chunks",
            whole / other_whole,
            limit=limit,
            digits=2,
        ),
        Figure(f"{wire}: CPU of a relayed chunk", streaming, "µs"),
        Figure(f"{wire}: the same, with question and ending", whole, "µs"),
        Figure(f"{wire}: CPU a chunk of {other}", other_streaming, "µs"),
        Figure(f"{wire}: the same, with beginning and end", other_whole, "µs"),
        Figure(f"{wire}: mongod's CPU of a relayed chunk", mongod_streaming, "µs", limit=15),
        Figure(f"{wire}: the same, with question and ending", mongod_whole, "µs", limit=15),
    ]


def _rounds(wire: int, server: Server, other: Helper, play_other: Play) -> tuple[list[Cost], list[Cost]]:
    ours: list[Cost] = []
    others: list[Cost] = []

    async def play(streams: int) -> int:
        return await read_streams(server.port, streams)

    for one in (play, play_other):
        asyncio.run(_round(wire, (), one, WARM_CHUNKS))
    for number in range(ROUNDS):
        turns = [(ours, (server.pid, mongod_pid(server.data_dir)), play), (others, (other.pid,), play_other)]
        for costs, pids, one in turns if number % 2 == 0 else turns[::-1]:
            costs.append(asyncio.run(_round(wire, pids, one, CHUNKS)))
    return ours, others


async def read_streams(port: int, streams: int) -> int:
    """Ask in `streams` new chats at once and read them to their ends. Returns how many characters came."""
    readers = await asyncio.gather(*(ask(port, ask_request(QUESTION)) for _ in range(streams)))
    return sum(len(reader.text()) for reader in readers)


async def _round(wire: int, pids: Sequence[int], play: Play, chunks: int) -> Cost:
    await get(wire, f"/set?chunks={chunks}&per_second={PER_SECOND}")
    before = await _read(wire, pids)
    playing = asyncio.ensure_future(play(STREAMS))
    await _until(wire, lambda state: state["begun"] == STREAMS)
    await asyncio.sleep(SAVED_SECONDS)
    first = await _read(wire, pids)
    await _until(wire, lambda state: state["open"] < STREAMS)
    last = await _read(wire, pids)
    characters = await playing
    await asyncio.sleep(SAVED_SECONDS)
    after = await _read(wire, pids)
    if characters != STREAMS * chunks * len(TEXT):
        raise RuntimeError(f"{characters} characters came of {STREAMS} streams of {chunks} chunks")
    return Cost(_cost(before, after), _cost(first, last))


async def _read(wire: int, pids: Sequence[int]) -> Reading:
    return Reading(tuple(map(cpu_ns, pids)), (await wire_state(wire))["sent"])


def _cost(start: Reading, end: Reading) -> tuple[float, ...]:
    chunks = max(1, end.sent - start.sent)
    return tuple((b - a) / 1000 / chunks for a, b in zip(start.cpu, end.cpu, strict=True))


async def _until(wire: int, is_so: Callable[[dict[str, int]], bool]) -> None:
    deadline = time.monotonic() + 60
    while not is_so(await wire_state(wire)):
        if time.monotonic() > deadline:
            raise RuntimeError("the streams did not come so far within a minute")
        await asyncio.sleep(0.05)
