"""C1, C4: what happens in a room reaches everybody in it, once, in order, and again after a reconnect."""

from api.tests.rooms.people import Person


async def test_message_reaches_everybody_and_its_sender(ana: Person, ben: Person, room_id: str) -> None:
    async with ana.socket(room_id) as one, ben.socket(room_id) as other:
        await one.wait("resumed")
        await other.wait("resumed")
        own = await one.say("Hello, **Ben**")
        heard = await other.wait("message_posted")
    assert own == heard
    assert own["seq"] == 3
    message = own["message"]
    assert message["room_id"] == room_id
    assert (message["user_id"], message["name"], message["is_agent"]) == (ana.id, "Ana", False)
    assert await ben.messages(room_id) == [message]
