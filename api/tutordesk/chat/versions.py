"""Versions of a turn that is asked again. Nothing is lost: the earlier turn becomes an alternative."""

from collections.abc import Sequence

from tutordesk.replies.models import Alternative, Message, Reply, Version

MAX_TURN_BYTES = 1_000_000
OVERHEAD_BYTES = 400


def size_of(message: Message) -> int:
    """Return about the bytes that a message takes in MongoDB, with its earlier versions."""
    versions: list[Version] = [message]
    for earlier in message.alternatives:
        versions += [earlier, *earlier.answers]
    return sum(
        len(version.content.encode()) + len((version.thinking or "").encode()) + OVERHEAD_BYTES for version in versions
    )


def replaced_turn(earlier: Sequence[Message], reply: Reply) -> list[Message]:
    """Return the question and answer that replace `earlier`, a question with its answer if it had one.

    If the same question is asked again, the answer gets the earlier answers as alternatives. An edited question gets
    the earlier question as an alternative, which keeps its answers.
    """
    question, answers = earlier[0], earlier[1:]
    new_question, new_answer = reply.question, reply.as_message()
    versions = [version for answer in answers for version in (*answer.alternatives, _version(answer))]
    if new_question.id == question.id:
        new_answer.alternatives = [Alternative(**version.model_dump()) for version in versions]
        return [question, new_answer]
    answered = [Version(**version.model_dump()) for version in versions]
    alternative = Alternative(**_version(question).model_dump(), answers=answered)
    new_question.alternatives = [*question.alternatives, alternative]
    return [new_question, new_answer]


def _version(message: Message) -> Version:
    return Version(**message.model_dump(include=set(Version.model_fields)))
