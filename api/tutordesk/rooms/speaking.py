"""People's messages in a room, by socket or HTTP: post, edit and delete them, relay the change, answer questions."""

from beanie import PydanticObjectId

from tutordesk.ground.patience import Patience
from tutordesk.identity.access import MemberOfRequest
from tutordesk.identity.limits import Limits
from tutordesk.rooms.agent.agent import Agent
from tutordesk.rooms.mentions import asks_tutor
from tutordesk.rooms.messages import Posted, delete_message, edit_message, post_message
from tutordesk.rooms.models import MessageOut, RoomMember
from tutordesk.rooms.relay.relay import Relay
from tutordesk.rooms.timeline import Timeline, event_of


class Speaking:
    """Passes each message through the limits, the timeline, the relay and the agent."""

    def __init__(self, limits: Limits, timeline: Timeline, relay: Relay, agent: Agent) -> None:
        self._limits, self._timeline, self._relay, self._agent = limits, timeline, relay, agent

    async def say(
        self,
        person: MemberOfRequest,
        member: RoomMember,
        content: str,
        client_message_id: str | None,
        to_tutor: bool = False,
        patience: Patience | None = None,
    ) -> Posted:
        """Post a message once. With `to_tutor` it asks the tutor even without a mention.

        `patience` limits the remaining steps of the request. Raises TooMany, and the errors of `post_message`.
        """
        asks = to_tutor or asks_tutor(content)
        patience = patience or Patience()
        with patience.limit():
            await self._limits.spend_room_message(str(person.id), person.ip, asks)
            if asks:
                await self._limits.refuse_spent_tokens()
            posted = await post_message(self._timeline, member, content, client_message_id, asks, patience)
        if posted.record:
            await self._announce(posted)
            if asks:
                self._agent.answer_soon(member.room_id)
        return posted

    async def change_text(
        self, member: RoomMember, is_admin: bool, message_id: PydanticObjectId, content: str
    ) -> MessageOut:
        """Edit a message. Raises the errors of `edit_message`."""
        posted = await edit_message(self._timeline, member, is_admin, message_id, content)
        if posted.record:
            await self._announce(posted)
        return posted.message

    async def remove_message(self, member: RoomMember, is_admin: bool, message_id: PydanticObjectId) -> None:
        """Delete a message. Raises the errors of `delete_message`."""
        record = await delete_message(self._timeline, member, is_admin, message_id)
        await self._relay.announce(member.room_id, event_of(record, {}))

    async def _announce(self, posted: Posted) -> None:
        assert posted.record, "only a change is announced"
        message = posted.message
        await self._relay.announce(message.room_id, event_of(posted.record, {message.id: message}))
