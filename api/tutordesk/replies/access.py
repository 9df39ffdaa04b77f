"""The replies of this process, and who may do what with one, as parameters of a route."""

from typing import Annotated

from beanie import PydanticObjectId
from fastapi import Depends
from fastapi.requests import HTTPConnection

from tutordesk.ground.errors import NotFound
from tutordesk.identity.access import ReplyId, Visitor
from tutordesk.replies.models import Reply
from tutordesk.replies.replies import Replies


async def replies_of(connection: HTTPConnection) -> Replies:
    replies: Replies = connection.app.state.replies
    return replies


RepliesOf = Annotated[Replies, Depends(replies_of)]


async def own_reply(reply_id: ReplyId, visitor: Visitor, replies: RepliesOf) -> Reply:
    """Raises NotFound unless the visitor asked for this reply."""
    return await replies.access(visitor.id, reply_id)


async def stoppable_reply(reply_id: ReplyId, visitor: Visitor, replies: RepliesOf) -> PydanticObjectId:
    """Raises NotFound unless the visitor asked for this reply, owns its room, or is an admin and it is in a room."""
    reply = await replies.find(reply_id)
    if not reply or visitor.id not in (reply.author_id, reply.room_owner):
        user = await visitor.user() if reply and reply.room_id else None
        if not user or user.role != "admin":
            raise NotFound
    return reply_id


OwnReply = Annotated[Reply, Depends(own_reply)]
StoppableReply = Annotated[PydanticObjectId, Depends(stoppable_reply)]
