"""What somebody says or changes in a room, by socket or by HTTP: committed, then relayed; questions are answered."""

from typing import Any

from beanie import PydanticObjectId

from tutordesk.ground.database import Patience
from tutordesk.identity.access import MemberOfRequest
from tutordesk.rooms.messages import Posted, asks_tutor, delete_message, edit_message, post_message
from tutordesk.rooms.models import MessageOut, RoomMember
from tutordesk.rooms.timeline import event_of


async def say(
    state: Any,
    who: MemberOfRequest,
    member: RoomMember,
    content: str,
    client_message_id: str | None,
    to_tutor: bool = False,
    patience: Patience | None = None,
) -> Posted:
    """Post a message, once. Raises what `post_message` does, and TooMany. `to_tutor`: also without a mention.
    `patience`: what the request has left of it.
    """
    asks = to_tutor or asks_tutor(content)
    await state.limits.spend_room_message(str(who.id))
    if asks:
        await state.limits.spend_message(str(who.id), who.ip)
        await state.limits.refuse_spent_tokens()
    patience = patience or Patience()
    with patience.limit():
        posted = await post_message(member, content, client_message_id, asks, patience)
    if posted.record:
        await _announce(state, posted)
        if asks:
            state.agent.answer_soon(member.room_id)
    return posted


async def change_text(
    state: Any, member: RoomMember, may_all: bool, message_id: PydanticObjectId, content: str
) -> MessageOut:
    posted = await edit_message(member, may_all, message_id, content)
    if posted.record:
        await _announce(state, posted)
    return posted.message


async def remove_message(state: Any, member: RoomMember, may_all: bool, message_id: PydanticObjectId) -> None:
    record = await delete_message(member, may_all, message_id)
    await state.relay.announce(member.room_id, event_of(record, {}))


async def _announce(state: Any, posted: Posted) -> None:
    assert posted.record, "there is something to tell"
    message = posted.message
    await state.relay.announce(message.room_id, event_of(posted.record, {message.id: message}))
