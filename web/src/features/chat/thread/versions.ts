// Arranges the versions of a turn that was asked again, as the server stores them (tutordesk/chat/versions.py). The same
// question asked once more gives its answer alternatives. An edited question has alternatives, each with its answers.
import type { Alternative, Message } from "@/lib/api/types";

const versionsOf = (answers: Message[]): Alternative[] =>
  answers.flatMap(({ alternatives, ...answer }) => [...alternatives, { ...answer, answers: [] }]);

/**
 * Put a turn in the place of `earlier`, a question with its answer if there was one.
 * `question` is null where the same one is answered once more.
 * Returns question and answer, with the earlier ones as their alternatives.
 */
export function replaceTurn(
  earlier: [Message, ...Message[]],
  question: Message | null,
  answer: Message,
): [Message, Message] {
  const [replaced, ...answers] = earlier;
  const versions = versionsOf(answers);
  if (!question) return [replaced, { ...answer, alternatives: versions }];
  const { alternatives, ...version } = replaced;
  const all = [...alternatives, { ...version, answers: versions }];
  return [{ ...question, alternatives: all }, answer];
}

/** Return an earlier version of a question, with the answers that it had as one answer. */
export function branchAt(
  question: Message,
  at: number,
): { question: Message; answer: Message | null } {
  const earlier = question.alternatives[at];
  if (!earlier) return { question, answer: null };
  const { answers, ...version } = earlier;
  const last = answers.at(-1);
  const before = answers.slice(0, -1).map((answer) => ({ ...answer, answers: [] }));
  return {
    question: { ...version, role: "user", alternatives: [] },
    answer: last ? { ...last, role: "assistant", alternatives: before } : null,
  };
}

/** Return the ids of messages and of all their earlier versions. */
export function savedIds(messages: Message[]): Set<string> {
  const ids = new Set<string>();
  for (const message of messages) {
    ids.add(message.id);
    for (const earlier of message.alternatives) {
      ids.add(earlier.id);
      for (const answer of earlier.answers) ids.add(answer.id);
    }
  }
  return ids;
}
