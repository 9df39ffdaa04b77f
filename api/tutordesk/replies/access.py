"""The replies of this process, and the right to read or stop one, as parameters of a route."""

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
    """Return the reply of the path. Raises NotFound unless the visitor asked for it."""
    return await replies.access(visitor.id, reply_id)


async def stoppable_reply(reply_id: ReplyId, visitor: Visitor, replies: RepliesOf) -> PydanticObjectId:
    """Return the id of the reply of the path if the visitor may stop it.

    The author of the question may, and in a room also its creator and admins. Raises NotFound for others.
    """
    reply = await replies.find(reply_id)
    if not reply or visitor.id not in (reply.author_id, reply.room_owner):
        user = await visitor.user() if reply and reply.room_id else None
        if not user or user.role != "admin":
            raise NotFound
    return reply_id


OwnReply = Annotated[Reply, Depends(own_reply)]
StoppableReply = Annotated[PydanticObjectId, Depends(stoppable_reply)]
