// Versions of a turn that was asked again, in the shape that the server keeps (api/chat/versions.py): the
// same question asked once more gives its answer alternatives, an edited one gives the question some, each
// with the answers that it had.
import type { Message, Version } from "@/lib/api/types";

const versionsOf = (answers: Message[]): Version[] =>
  answers.flatMap(({ alternatives = [], ...answer }) => [...alternatives, answer]);

/**
 * Question and answer in the place of `earlier`, a question with its answer if there was one.
 * `question` is null where the same one is answered once more.
 */
export function replaceTurn(
  earlier: [Message, ...Message[]],
  question: Message | null,
  answer: Message,
): [Message, Message] {
  const [asked, ...answers] = earlier;
  const versions = versionsOf(answers);
  if (!question) return [asked, { ...answer, alternatives: versions }];
  const { alternatives = [], ...kept } = asked;
  return [{ ...question, alternatives: [...alternatives, { ...kept, answers: versions }] }, answer];
}

/** An earlier version of a question, with the answers that it had as one answer. */
export function branchAt(
  question: Message,
  at: number,
): { question: Message; answer: Message | null } {
  const earlier = question.alternatives?.[at];
  if (!earlier) return { question, answer: null };
  const { answers = [], ...asked } = earlier;
  const last = answers.at(-1);
  return {
    question: { ...asked, role: "user" },
    answer: last ? { ...last, role: "assistant", alternatives: answers.slice(0, -1) } : null,
  };
}

/** The ids of messages and of all their earlier versions. */
export function savedIds(messages: Message[]): Set<string> {
  const ids = new Set<string>();
  for (const message of messages) {
    ids.add(message.id);
    for (const earlier of message.alternatives ?? []) {
      ids.add(earlier.id);
      for (const answer of earlier.answers ?? []) ids.add(answer.id);
    }
  }
  return ids;
}
