"""Memory: of an open stream on which nothing happens, of a thousand visitors at once, and of an idle server."""

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.harness import Server, rss_kib, running_helper, running_server
from testing.figures import Figure
from testing.processes import mongod_pid
from testing.replies.wire_reader import WireReader, ask, ask_request, connect, get

STREAMS, WARM_STREAMS, AT_ONCE = 1_000, 20, 50
SETTLED_SECONDS = 2.0
IMPORTED_SECONDS = 4.0
QUESTION = "Why does the proxy refuse my upload?"
KIB_A_STREAM, IDLE_MIB = 60, 120


def measure(folder: Path) -> list[Figure]:
    with running_helper("replies.wire") as wire:
        url = f"http://127.0.0.1:{wire.port}"
        openai = {"TUTORDESK_MODEL": "openai:load", "OPENAI_BASE_URL": f"{url}/v1"}
        gemini = {"TUTORDESK_MODEL": "gemini:load", "GEMINI_API_KEY": "key-of-the-benchmark", "GEMINI_BASE_URL": url}
        return [
            *_idle(folder / "idle"),
            Figure("Idle server with google-genai, RSS", _idle_mib(folder / "gemini", gemini)[0], "MiB"),
            _a_stream(folder / "streams", wire.port, openai),
        ]


def _idle(data_dir: Path) -> list[Figure]:
    server, mongod = _idle_mib(data_dir, {"TUTORDESK_MODEL": "offline"})
    return [
        Figure("Idle server, offline tutor, RSS", server, "MiB", IDLE_MIB),
        Figure("Idle mongod beside it, RSS", mongod, "MiB"),
    ]


def _idle_mib(data_dir: Path, settings: dict[str, str]) -> tuple[float, float]:
    with running_server(data_dir, **settings) as server:
        asyncio.run(get(server.port, "/tickets"))
        time.sleep(IMPORTED_SECONDS)
        return rss_kib(server.pid) / 1024, rss_kib(mongod_pid(server.data_dir)) / 1024


def _a_stream(data_dir: Path, wire: int, settings: dict[str, str]) -> Figure:
    with running_server(data_dir, **settings) as server:
        grown = asyncio.run(_grow(server, wire))
    return Figure(f"Memory an open stream, {STREAMS:,} open, OpenAI wire", grown, "KiB", KIB_A_STREAM)


async def _grow(server: Server, wire: int) -> float:
    """KiB that the server grew by for each of `STREAMS` streams, all open and silent after their first text."""
    await get(wire, "/set?chunks=4&per_second=100")
    await asyncio.gather(*(ask(server.port, ask_request(QUESTION)) for _ in range(WARM_STREAMS)))
    await get(wire, "/set?per_second=0")
    await asyncio.sleep(SETTLED_SECONDS)
    before = rss_kib(server.pid)
    readers: list[WireReader] = []
    for _ in range(0, STREAMS, AT_ONCE):
        readers += await asyncio.gather(*(_open(server.port) for _ in range(AT_ONCE)))
    await asyncio.sleep(SETTLED_SECONDS)
    after = rss_kib(server.pid)
    _refuse_ended(readers)
    return (after - before) / STREAMS


async def _open(port: int) -> WireReader:
    reader = await connect(port)
    reader.send(ask_request(QUESTION))
    await asyncio.wait_for(reader.has_text, 60)
    return reader


def _refuse_ended(readers: Sequence[WireReader]) -> None:
    if ended := sum(reader.is_over.done() for reader in readers):
        raise RuntimeError(f"{ended} of {len(readers)} streams ended before they were counted")
    for reader in readers:
        reader.transport.abort()
