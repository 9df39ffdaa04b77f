"""Clients that insist, as browsers do: what is refused with 503 is sent again under the same id until it is taken.

Each keeps how long every send took to be taken. A send that is refused otherwise is an error, and so is a stream that
ends without its ending; one that breaks off is resumed at its character.
"""

import asyncio
import random
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import httpx
from websockets.exceptions import WebSocketException

from testing.rooms.people import Event, Person, Socket, open_socket
from testing.steps import Event as Frame
from testing.steps import events_of

AGAIN_SECONDS = 1.0
Broken = (httpx.TransportError, OSError)


@dataclass
class Sends:
    """Seconds from the first try to being taken, of each send; how many tries were refused with 503."""

    seconds: list[float] = field(default_factory=list)
    refused: int = 0
    longest_refusal: float = 0.0


@dataclass
class Answer:
    """One question and what its reader saw of the answer."""

    question: str
    session_id: str = ""
    text: str = ""
    ending: Frame | None = None
    cuts: int = 0


async def ask_until_taken(client: httpx.AsyncClient, question: str, sends: Sends, session_id: str = "") -> Answer:
    """Send a question until it is taken, and read its answer to the end."""
    answer, reply_id = Answer(question, session_id), ""
    body = {"message": question, "client_message_id": question, **({"session_id": session_id} if session_id else {})}
    clock = asyncio.get_running_loop().time
    started = clock()
    while not answer.ending:
        path, method, headers = "/chat/global/stream", "POST", {}
        if reply_id:
            path, method, headers = f"/chat/replies/{reply_id}/stream", "GET", {"Last-Event-ID": str(len(answer.text))}
        pause, tried = AGAIN_SECONDS, clock()
        try:
            async with client.stream(method, path, json=None if reply_id else body, headers=headers) as response:
                if response.status_code == 503:
                    sends.refused += 1
                    sends.longest_refusal = max(sends.longest_refusal, clock() - tried)
                    pause = float(response.headers["Retry-After"])
                else:
                    assert response.status_code == 200, await response.aread()
                    async for event in events_of(response):
                        if event.event == "message_start":
                            sends.seconds.append(clock() - started)
                            reply_id, answer.session_id = event.data["id"], event.data["session_id"]
                        elif event.event == "message_delta":
                            answer.text += event.data["delta"]
                            assert event.id == str(len(answer.text)), "a gap or a double"
                        elif event.event != "done":
                            answer.ending = event
        except Broken:
            answer.cuts += 1
        if not answer.ending:
            await asyncio.sleep(pause)
    return answer


class Speaker:
    """A member who posts numbered messages over a socket, each until it is confirmed, and returns with `?after=`."""

    def __init__(self, who: Person, room_id: str, sends: Sends) -> None:
        self.who, self.room_id, self.sends = who, room_id, sends
        self.seq, self.posted, self.events = 0, 0, list[Event]()
        self._confirmed: asyncio.Future[bool] | None = None
        self._key = ""

    def key(self, number: int) -> str:
        return f"{self.who.name} {number}"

    async def speak(self, ending: asyncio.Event, pause: float) -> None:
        """Post until `ending`, then keep listening until cancelled."""
        clock = asyncio.get_running_loop().time
        started, spoken = clock(), asyncio.Event()
        while True:
            with suppress(OSError, WebSocketException, EOFError):
                async with open_socket(self.who.url, self.room_id, self.who.cookie, self.seq) as connection:
                    listening = asyncio.create_task(self._listen(Socket(connection)))
                    try:
                        while not spoken.is_set():
                            if not await self._post(Socket(connection), listening):
                                break
                            self.sends.seconds.append(clock() - started)
                            self.posted += 1
                            if ending.is_set():
                                spoken.set()
                            await asyncio.sleep(random.uniform(0, 2 * pause))
                            started = clock()
                        await listening
                    finally:
                        listening.cancel()
            await asyncio.sleep(AGAIN_SECONDS)

    async def _post(self, socket: Socket, listening: "asyncio.Task[None]") -> bool:
        """Return whether the next message was confirmed; False means that the socket ended."""
        clock = asyncio.get_running_loop().time
        while True:
            self._key, tried = self.key(self.posted), clock()
            self._confirmed = asyncio.get_running_loop().create_future()
            await socket.send("send", client_message_id=self._key, content=self._key)
            either: list[asyncio.Future[Any]] = [self._confirmed, listening]
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            if not self._confirmed.done():
                return False
            if self._confirmed.result():
                return True
            self.sends.refused += 1
            self.sends.longest_refusal = max(self.sends.longest_refusal, clock() - tried)
            await asyncio.sleep(AGAIN_SECONDS)

    async def _listen(self, socket: Socket) -> None:
        while True:
            event = await socket.next(60)
            mine = event.get("client_message_id") or event.get("message", {}).get("client_message_id")
            if event["type"] == "error":
                assert event["code"] == "unavailable", event
            elif "seq" in event and event["type"] != "resumed" and event["seq"] > self.seq:
                assert event["seq"] == self.seq + 1, f"a gap: {event['seq']} after {self.seq}"
                self.seq = event["seq"]
                self.events.append(event)
            if mine == self._key and self._confirmed and not self._confirmed.done():
                self._confirmed.set_result(event["type"] != "error")
