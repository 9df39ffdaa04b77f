"""Versions: what a turn looks like that was asked again. Nothing is lost: the earlier turn becomes an alternative."""

from collections.abc import Sequence

from tutordesk.replies.models import Alternative, Message, Reply, Version

MAX_TURN_BYTES = 1_000_000
OVERHEAD_BYTES = 400


def size_of(message: Message) -> int:
    """About the bytes that a message takes in MongoDB, with its earlier versions."""
    texts = [message.content]
    for earlier in message.alternatives:
        texts += [earlier.content, *(answer.content for answer in earlier.answers)]
    return sum(len(text.encode()) + OVERHEAD_BYTES for text in texts)


def replaced_turn(earlier: Sequence[Message], reply: Reply) -> list[Message]:
    """Question and answer in the place of `earlier`, a question with its answer if there was one.

    The same question asked again: the answer gets the earlier ones as alternatives. An edited question: it gets the
    earlier question as an alternative, which keeps its answers.
    """
    asked, answers = earlier[0], earlier[1:]
    question, answer = reply.question, reply.as_message()
    versions = [version for one in answers for version in (*one.alternatives, _version(one))]
    if question.id == asked.id:
        answer.alternatives = [Alternative(**version.model_dump()) for version in versions]
        return [asked, answer]
    kept = Alternative(**_version(asked).model_dump(), answers=[Version(**one.model_dump()) for one in versions])
    question.alternatives = [*asked.alternatives, kept]
    return [question, answer]


def _version(message: Message) -> Version:
    return Version(**message.model_dump(include=set(Version.model_fields)))
