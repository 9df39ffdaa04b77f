"""People in rooms, as tests need them: a browser with a name, and its sockets."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from testing.serving import JSON

Event = dict[str, Any]


class Person:
    """A browser whose user has a name. `id` is the user's."""

    def __init__(self, client: httpx.AsyncClient, me: dict[str, Any]) -> None:
        self.client, self.id, self.name = client, me["id"], me["name"]

    @property
    def cookie(self) -> str:
        return "; ".join(f"{name}={value}" for name, value in self.client.cookies.items())

    @property
    def url(self) -> str:
        return str(self.client.base_url).rstrip("/")

    async def make_room(self, name: str = "Networks", **more: Any) -> str:
        answer = await self.client.post("/rooms", json={"name": name, **more})
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    async def join(self, room_id: str) -> None:
        answer = await self.client.post(f"/rooms/{room_id}/join", json={})
        assert answer.status_code == 200, answer.text

    async def messages(self, room_id: str, **position: int) -> list[dict[str, Any]]:
        answer = await self.client.get(f"/rooms/{room_id}/messages", params={"limit": 100, **position})
        assert answer.status_code == 200, answer.text
        return list(answer.json())

    async def room(self, room_id: str) -> dict[str, Any]:
        answer = await self.client.get(f"/rooms/{room_id}")
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    @asynccontextmanager
    async def socket(
        self, room_id: str, after: int | str | None = None, url: str | None = None
    ) -> AsyncIterator["Socket"]:
        async with open_socket(url or self.url, room_id, self.cookie, after) as connection:
            yield Socket(connection)


class MessageRefused(Exception):
    """The server answered a message with an error instead of posting it."""

    def __init__(self, error: Event) -> None:
        super().__init__(error["error"])
        self.code: str = error["code"]


class Socket:
    """A socket, and in `events` everything that it received."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection
        self.events: list[Event] = []

    async def send(self, type: str, **fields: Any) -> None:
        is_odd = "\ud83d" in str(fields.get("content"))  # half a character goes escaped only
        text = json.dumps({"type": type, **fields}, ensure_ascii=is_odd)
        await self.connection.send(text)

    async def say(self, content: str, client_message_id: str | None = None) -> Event:
        """Send a message and wait until it is posted. Raises MessageRefused when the server refuses it."""
        key = client_message_id or f"{content}-{len(self.events)}"
        await self.send("send", client_message_id=key, content=content)
        event = await self.wait(lambda event: _answers(event, key, content))
        if event["type"] == "error":
            raise MessageRefused(event)
        return event

    async def next(self, seconds: float = 30) -> Event:
        event: Event = json.loads(await asyncio.wait_for(self.connection.recv(), seconds))
        self.events.append(event)
        return event

    async def wait(self, is_it: str | Callable[[Event], bool], seconds: float = 30) -> Event:
        """The next event of a type, or that `is_it` accepts."""
        check = (lambda event: event["type"] == is_it) if isinstance(is_it, str) else is_it
        async with asyncio.timeout(seconds):
            while not check(event := await self.next(seconds)):
                pass
        return event

    async def closed(self, seconds: float = 5) -> int:
        """Read until the server closes; returns the code."""
        async with asyncio.timeout(seconds):
            while True:
                try:
                    await self.next(seconds)
                except ConnectionClosed as closing:
                    return closing.rcvd.code if closing.rcvd else 1006

    def persisted(self) -> list[Event]:
        return [event for event in self.events if "seq" in event and event["type"] != "resumed"]


def _answers(event: Event, key: str, content: str) -> bool:
    if event["type"] == "message_posted":
        return bool((event["message"]["client_message_id"], event["message"]["content"]) == (key, content))
    return bool(event["type"] == "error" and event.get("client_message_id") == key)


def open_socket(url: str, room_id: str, cookie: str, after: int | str | None = None, **more: Any) -> connect:
    headers = {"Cookie": cookie} if cookie else {}
    query = "" if after is None else f"?after={after}"
    more = {"origin": url, "compression": None, "max_size": None, **more}
    return connect(f"ws{url[4:]}/rooms/{room_id}/socket{query}", additional_headers=headers, **more)


async def person(url: str, name: str) -> Person:
    client = httpx.AsyncClient(base_url=url, headers=JSON, timeout=20)
    answer = await client.patch("/me", json={"name": name})
    assert answer.status_code == 200, answer.text
    return Person(client, answer.json())


class Timeline:
    """A room as events make it: what a client holds."""

    def __init__(self) -> None:
        self.seq = 0
        self.messages: list[dict[str, Any]] = []
        self.members: dict[str, dict[str, Any]] = {}
        self.running: tuple[str, str, str] | None = None

    def apply(self, event: Event) -> None:
        """Change the room by an event. Events that were applied before are skipped."""
        if event["seq"] <= self.seq:
            return
        assert event["seq"] == self.seq + 1, "there is a gap"
        self.seq = event["seq"]
        type = event["type"]
        if type == "message_posted":
            self.messages.append(event["message"])
        elif type == "message_edited":
            self._change(event["message"]["id"], event["message"])
        elif type == "message_deleted":
            gone = {"content": "", "thinking": None, "mentions": [], "deleted_at": event["deleted_at"]}
            self._change(event["message_id"], gone)
        elif type in ("member_joined", "member_changed"):
            self.members[event["member"]["user_id"]] = event["member"]
        elif type == "member_left":
            del self.members[event["member"]["user_id"]]
        elif type == "reply_started":
            self.running = event["reply_id"], event["asked_by"], event["message_id"]
            self._change(event["message_id"], {"reply_id": event["reply_id"]})
        elif type == "reply_ended":
            self.running = None
            self.messages.append(event["message"])

    def _change(self, message_id: str, change: dict[str, Any]) -> None:
        for message in self.messages:
            if message["id"] == message_id:
                message.update(change)
