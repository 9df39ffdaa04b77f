"""Bad input at a room's socket gets its close code or a typed error, and leaves the room untouched."""

import asyncio
import json
import os
import struct
from typing import Any

import httpx
import pytest
from websockets.exceptions import InvalidStatus

from testing.rooms.people import Person, Socket, open_socket, person
from testing.serving import COOKIE, Live


async def close_code(url: str, room_id: str, cookie: str) -> int:
    async with open_socket(url, room_id, cookie) as connection:
        return await Socket(connection).closed()


async def test_anonymous_visitor_is_refused(live: Live, room_id: str) -> None:
    assert await close_code(live.url, room_id, "") == 4401


async def test_forged_cookie_is_refused(live: Live, room_id: str) -> None:
    assert await close_code(live.url, room_id, f"{COOKIE}=forged") == 4401


async def test_nameless_visitor_is_refused(live: Live, room_id: str, stranger: httpx.AsyncClient) -> None:
    await stranger.post("/tickets", json={"title": "T", "description": "D", "category": "c", "tags": []})
    cookie = f"{COOKIE}={stranger.cookies[COOKIE]}"
    assert await close_code(live.url, room_id, cookie) == 4403


async def test_stranger_is_refused(live: Live, room_id: str) -> None:
    """Only members get a socket."""
    other = await person(live.url, "Eve")
    assert await close_code(live.url, room_id, other.cookie) == 4403
    assert (await other.client.get(f"/rooms/{room_id}/messages")).status_code == 404
    assert (await other.client.post("/agent/stream", json={"room_id": room_id, "prompt": "Hi"})).status_code == 404
    await other.client.aclose()


@pytest.mark.parametrize("unknown", ["0" * 24, "nonsense", "x" * 3000])
async def test_unknown_room_is_refused(ana: Person, unknown: str) -> None:
    assert await close_code(ana.url, unknown, ana.cookie) == 4404


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "http://127.0.0.1.evil.example", "https://127.0.0.1", None]
)
async def test_other_site_is_refused_before_the_handshake(ana: Person, room_id: str, origin: str | None) -> None:
    """The answer is a plain 403, with the right cookie or without."""
    with pytest.raises(InvalidStatus) as refused:
        async with open_socket(ana.url, room_id, ana.cookie, origin=origin):
            pass
    assert refused.value.response.status_code == 403


@pytest.mark.parametrize(
    "text",
    [
        "",
        "nonsense",
        "[]",
        "null",
        "{}",
        '{"type": "become_admin"}',
        '{"type": "send", "content": "no key"}',
        '{"type": "send", "client_message_id": "k", "content": {"$ne": null}}',
        '{"type": "send", "client_message_id": "k", "content": "x", "role": "admin"}',
        '{"type": "send", "client_message_id": "k", "content": "x", "is_agent": true, "seq": 1}',
        '{"type": "read", "seq": -1}',
        '{"type": "read", "seq": 18446744073709551616}',
        '{"type": "read", "seq": "1"}',
        '{"type": "edit", "message_id": {"$gt": ""}, "content": "x"}',
        "[" * 10_000,
    ],
)
async def test_malformed_command_is_a_typed_error(ana: Person, room_id: str, text: str) -> None:
    """The sender gets a typed error and keeps the socket."""
    before = await ana.room(room_id)
    async with ana.socket(room_id) as socket:
        await socket.connection.send(text)
        error = await socket.wait("error")
        assert error["code"] == "invalid"
        assert error["error"]
        assert (await ana.room(room_id))["seq"] == before["seq"]
        await socket.say("Still here")


@pytest.mark.parametrize("content", ["", "  \n ", "\ud83d", "x" * 32_001, "ü" * 16_001])
async def test_unsendable_text_is_a_typed_error(ana: Person, room_id: str, content: str) -> None:
    async with ana.socket(room_id) as socket:
        await socket.send("send", client_message_id="k", content=content)
        error = await socket.wait("error")
        assert error["code"] in ("invalid", "too-long")
    assert await ana.messages(room_id) == []


@pytest.mark.parametrize(
    "content", ["\x00 nul", "\u202e right to left", "👨‍👩‍👧‍👦" * 500, "a\u2028b", "a\r\nb", "$where", "`" * 5_000]
)
async def test_odd_text_is_stored_unchanged(ana: Person, room_id: str, content: str) -> None:
    async with ana.socket(room_id) as socket:
        posted = await socket.say(content, "key")
    assert posted["message"]["content"] == content
    assert [message["content"] for message in await ana.messages(room_id)] == [content]


async def test_binary_frame_is_refused(ana: Person, room_id: str) -> None:
    async with ana.socket(room_id) as socket:
        await socket.connection.send(b'{"type": "typing"}')
        assert await socket.closed() == 1003


async def test_frame_over_the_limit_closes_the_socket(ana: Person, room_id: str) -> None:
    """One byte over 64 kB closes the socket."""
    async with ana.socket(room_id) as socket:
        await socket.connection.send(" " * 65_537)
        assert await socket.closed() == 1009


async def test_compression_is_not_agreed_to(ana: Person, room_id: str) -> None:
    """Without compression there are no bombs, and it takes half the CPU."""
    async with open_socket(ana.url, room_id, ana.cookie, compression="deflate") as connection:
        assert connection.response
        assert "permessage-deflate" not in connection.response.headers.get("Sec-WebSocket-Extensions", "")


async def test_invalid_utf_8_closes_the_socket(ana: Person, room_id: str) -> None:
    async with ana.socket(room_id) as socket:
        await raw_frame(socket, 0x81, b"\xff\xfe")
        assert await socket.closed() == 1007


async def test_endless_message_in_parts_closes_the_socket(ana: Person, room_id: str) -> None:
    """All parts together may be as long as one frame."""
    async with ana.socket(room_id) as socket:
        await raw_frame(socket, 0x01, b" " * 40_000)
        await raw_frame(socket, 0x00, b" " * 40_000)
        assert await socket.closed() == 1009


async def test_flood_is_cut_off(ana: Person, ben: Person, room_id: str) -> None:
    """Ten thousand tiny frames cut off their sender, and nobody else notices."""
    async with ben.socket(room_id) as other, ana.socket(room_id) as socket:
        sending = asyncio.gather(*(socket.send("typing") for _ in range(10_000)), return_exceptions=True)
        assert await socket.closed() == 4429
        await sending
        await other.say("I am still here")
    assert len([event for event in other.events if event["type"] == "typing"]) <= 2


async def test_too_many_sockets_of_one_user_are_refused(ana: Person, room_id: str) -> None:
    """A user may have twenty sockets."""
    sockets = [await open_socket(ana.url, room_id, ana.cookie) for _ in range(20)]
    for socket in sockets:
        await Socket(socket).wait("resumed")
    assert await close_code(ana.url, room_id, ana.cookie) == 4429
    await asyncio.gather(*(socket.close() for socket in sockets))


async def test_messages_above_the_limit_are_refused_and_the_socket_stays(
    live: Live, ana: Person, room_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live.app.state.limits, "_room_messages", 3)
    async with ana.socket(room_id) as socket:
        for number in range(3):
            await socket.say(f"Message {number}")
        await socket.send("send", client_message_id="fourth", content="One more")
        error = await socket.wait("error")
        assert (error["code"], error["client_message_id"]) == ("too-many", "fourth")
        await socket.send("typing")
        await socket.wait("typing")
    assert len(await ana.messages(room_id)) == 3


async def raw_frame(socket: Socket, first_byte: int, data: bytes) -> None:
    """A masked frame past the library, which refuses to send what is wrong."""
    mask = os.urandom(4)
    length = bytes([0x80 | len(data)]) if len(data) < 126 else b"\xfe" + struct.pack("!H", len(data))
    masked = bytes(byte ^ mask[place % 4] for place, byte in enumerate(data))
    transport: Any = socket.connection.transport
    transport.write(bytes([first_byte]) + length + mask + masked)
    await asyncio.sleep(0)


async def test_edit_of_another_persons_message_is_refused(ana: Person, ben: Person, room_id: str) -> None:
    async with ana.socket(room_id) as one, ben.socket(room_id) as other:
        message_id = (await one.say("Mine"))["message"]["id"]
        for command in ({"type": "edit", "content": "Yours"}, {"type": "delete"}):
            await other.connection.send(json.dumps({**command, "message_id": message_id}))
            assert (await other.wait("error"))["code"] == "forbidden"
        for message_id in ("0" * 24, "nonsense", room_id):
            await other.send("delete", message_id=message_id)
            assert (await other.wait("error"))["code"] == "not-found"
    assert [message["content"] for message in await ana.messages(room_id)] == ["Mine"]


async def test_silenced_member_reads_and_writes_nothing(ana: Person, ben: Person, room_id: str) -> None:
    async with ben.socket(room_id) as other:
        message_id = (await other.say("Before"))["message"]["id"]
        await ana.client.patch(f"/rooms/{room_id}/members/{ben.id}", json={"is_silenced": True})
        await other.wait("member_changed")
        for type, fields in (
            ("send", {"client_message_id": "k", "content": "x"}),
            ("edit", {"message_id": message_id, "content": "x"}),
            ("delete", {"message_id": message_id}),
        ):
            await other.send(type, **fields)
            assert (await other.wait("error"))["code"] == "silenced"
        refused = await ben.client.post("/agent/stream", json={"room_id": room_id, "prompt": "And now?"})
        assert refused.status_code == 403
    assert [message["content"] for message in await ben.messages(room_id)] == ["Before"]


async def test_removed_member_receives_nothing_more(ana: Person, ben: Person, room_id: str) -> None:
    """The socket closes with 4403 at once, and a new one is refused."""
    async with ben.socket(room_id) as other, ana.socket(room_id) as one:
        await other.wait("resumed")
        assert (await ana.client.delete(f"/rooms/{room_id}/members/{ben.id}")).status_code == 204
        await one.say("About Ben")
        assert await other.closed(1) == 4403
    assert "message_posted" not in [event["type"] for event in other.events]
    assert await close_code(ben.url, room_id, ben.cookie) == 4403
    assert (await ben.client.post(f"/rooms/{room_id}/join", json={})).status_code == 403
    assert (await ben.client.get(f"/rooms/{room_id}/messages")).status_code == 404
    assert [member["name"] for member in (await ana.room(room_id))["removed"]] == ["Ben"]
    assert (await ben.room(room_id))["removed"] == []
    again = await ana.client.patch(f"/rooms/{room_id}/members/{ben.id}", json={"is_removed": False})
    assert again.status_code == 204
    assert (await ana.room(room_id))["removed"] == []
    await ben.join(room_id)


async def test_sign_out_ends_the_socket(ana: Person, ben: Person, room_id: str) -> None:
    """The socket closes within five seconds."""
    async with ben.socket(room_id) as other:
        await other.wait("resumed")
        cookie = ben.cookie
        assert (await ben.client.delete("/me/session")).status_code == 204
        assert await other.closed(5) == 4401
    assert await close_code(ana.url, room_id, cookie) == 4401


async def test_deleted_room_closes_its_sockets(ana: Person, ben: Person, room_id: str) -> None:
    async with ben.socket(room_id) as other:
        await other.wait("resumed")
        assert (await ben.client.delete(f"/rooms/{room_id}")).status_code == 403
        assert (await ana.client.delete(f"/rooms/{room_id}")).status_code == 204
        assert await other.closed(1) == 4404
    assert (await ana.client.get(f"/rooms/{room_id}")).status_code == 404
