"""Time to first token that Tutordesk adds: from sending a question of a continued chat to its first text, without the
wire's own time. In it: the signed cookie, the search for tickets, history and prompt, the saved question and reply.
"""

import asyncio
from pathlib import Path
from statistics import median, quantiles

from benchmarks.harness import add_sample_tickets, running_helper, running_server
from testing.figures import Figure
from testing.replies.wire_reader import WireReader, ask, ask_request, get, wire_state

ASKS, WARM_ASKS = 200, 20
CHUNKS, PER_SECOND = 4, 200
QUESTION = "Why does the proxy refuse my upload with 413?"


def measure(folder: Path) -> list[Figure]:
    with running_helper("replies.wire") as wire:
        url = f"http://127.0.0.1:{wire.port}"
        openai = {"TUTORDESK_MODEL": "openai:load", "OPENAI_BASE_URL": f"{url}/v1"}
        gemini = {"TUTORDESK_MODEL": "gemini:load", "GEMINI_API_KEY": "key-of-the-benchmark", "GEMINI_BASE_URL": url}
        return [
            *_figures("OpenAI wire", _measure(folder / "openai", wire.port, openai), limit=8),
            *_figures("Gemini", _measure(folder / "gemini", wire.port, gemini)),
        ]


def _measure(data_dir: Path, wire: int, settings: dict[str, str]) -> list[float]:
    with running_server(data_dir, **settings) as server:
        add_sample_tickets(server)
        return asyncio.run(added_ms(server.port, wire))


async def added_ms(port: int, wire: int, asks: int = ASKS) -> list[float]:
    """Milliseconds that each of `asks` questions of one chat waited for its first text, less those of the wire."""
    await get(wire, f"/set?chunks={CHUNKS}&per_second={PER_SECOND}")
    first = await ask(port, ask_request(QUESTION))
    session_id, cookie = str(first.events()[0]["session_id"]), first.cookie
    readers: list[WireReader] = []
    for _ in range(WARM_ASKS + asks):
        reader = await ask(port, ask_request(QUESTION, session_id, cookie))
        reader.events()
        readers.append(reader)
    of_wire: list[float] = (await wire_state(wire))["first_ms"][1:]
    waited = [(reader.first_at - reader.sent_at) * 1000 for reader in readers]
    return [all_of_it - wires for all_of_it, wires in zip(waited, of_wire, strict=True)][WARM_ASKS:]


def _figures(wire: str, added: list[float], limit: float | None = None) -> list[Figure]:
    return [
        Figure(f"{wire}: added time to first token, p50", median(added), "ms", limit),
        Figure(f"{wire}: the same, p95", quantiles(added, n=20)[-1], "ms"),
    ]
