"""A thousand random cuts and reloads: readers of running replies whose connections break at any byte, also inside a
character and inside a frame, and that continue at either of two servers. Counts texts that differ from the model's, and
measures how long a reader waits for twenty kilobytes that it missed.
"""

import asyncio
import random
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median, quantiles

from benchmarks.harness import running_database, running_server
from testing.fake_gemini import FakeModels
from testing.figures import Figure
from testing.replies.pieces import Pieces
from testing.replies.wire_reader import WireReader, ask_request, connect, follow_request, grow

CUTS, AT_ONCE, CUTS_OF_EACH = 1_000, 25, 20
TEXT = "so the proxy says no to größere Bilder: 上传失败 🙂🙃 " * 40
CATCH_UPS, CATCH_UP_BYTES, CATCH_UP_MS = 200, 20_000, 300


def measure(folder: Path) -> list[Figure]:
    return asyncio.run(_measure(folder))


async def _measure(folder: Path) -> list[Figure]:
    async with FakeModels() as wire:
        settings = {"TUTORDESK_MODEL": "gemini:load", "GEMINI_API_KEY": "key-of-the-benchmark"}
        settings |= {"GEMINI_BASE_URL": wire.url, "TUTORDESK_SECRET_KEY": "a-key-of-benchmarks-0123456789abcdefg"}
        with running_database(folder / "database") as url:
            settings["MONGODB_URL"] = url
            with running_server(folder / "one", **settings) as one, running_server(folder / "other", **settings) as two:
                return [*await _cuts(wire, (one.port, two.port)), *await _catch_ups(wire, (one.port, two.port))]


async def _cuts(wire: FakeModels, ports: Sequence[int]) -> list[Figure]:
    chance = random.Random(5)
    wire.text, wire.chunk, wire.delay_ms = TEXT, 3, 15
    differing = cut = halves = 0
    while cut < CUTS:
        readers = [await _start(ports[place % 2]) for place in range(AT_ONCE)]
        pieces = [Pieces(ports, reader, random.Random(chance.random())) for reader in readers]
        await asyncio.gather(*(one.read(CUTS_OF_EACH) for one in pieces))
        differing += sum(one.text != TEXT for one in pieces)
        cut += sum(one.cuts for one in pieces)
        halves += sum(one.halves for one in pieces)
    return [
        Figure(f"Texts that differ after {cut:,} cuts and reloads over two servers", differing, limit=0, digits=0),
        Figure("Cuts inside a character", halves, digits=0),
    ]


async def _catch_ups(wire: FakeModels, ports: Sequence[int]) -> list[Figure]:
    """A reader that comes back to a running reply of 20 kB, to the process that writes it and to the other."""
    text = (TEXT * 20).encode()[:CATCH_UP_BYTES].decode(errors="ignore")
    wire.text, wire.chunk, wire.delay_ms = text + "." * 10_000, len(text), 0
    wire.script = "stall@1"
    writing = await _start(ports[0])
    await asyncio.sleep(2)
    request = follow_request(writing.start()["id"], writing.cookie)
    waited: dict[int, list[float]] = {port: [] for port in ports}
    for place in range(CATCH_UPS):
        port = ports[place % 2]
        started = time.perf_counter()
        stream, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**20)
        writer.write(request)
        await stream.readuntil(b"\nid: ")
        delta = b"id: " + await stream.readuntil(b"\n\n")
        waited[port].append((time.perf_counter() - started) * 1000)
        writer.transport.abort()
        if grow("", delta) != text:
            raise RuntimeError("a reader that came back got another text")
    slowest = [quantiles(waited[port], n=100)[98] for port in ports]
    return [
        Figure("Catching up 20 kB where it is written, p99", slowest[0], "ms", CATCH_UP_MS),
        Figure("Catching up 20 kB at the other server, p99", slowest[1], "ms", CATCH_UP_MS),
        Figure("The same, p50", median(waited[ports[1]]), "ms"),
    ]


async def _start(port: int) -> WireReader:
    reader = await connect(port)
    reader.send(ask_request("Why?"))
    await asyncio.wait_for(reader.has_text, 20)
    return reader
