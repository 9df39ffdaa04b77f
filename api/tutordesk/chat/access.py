"""The chats of a visitor, as a parameter of a route."""

from typing import Annotated

from fastapi import Depends

from tutordesk.chat.models import ChatHead
from tutordesk.chat.transcripts import access_chat
from tutordesk.identity.access import SessionId, Visitor


async def own_chat(session_id: SessionId, visitor: Visitor) -> ChatHead:
    """Return the chat of the path. Raises NotFound unless it is the visitor's."""
    return await access_chat(visitor.id, session_id)


OwnChat = Annotated[ChatHead, Depends(own_chat)]
