// What the page shows while a turn of a chat is asked again, in every state of that turn, and which versions
// people can read.
import { describe, expect, test } from "vitest";
import type { Message } from "@/lib/api/types";
import { savedMessage as message } from "@/test/messages";
import type { LiveTurn } from "../ask/store";
import { exchanges, mergeThread } from "./thread";
import { branchAt, savedIds } from "./versions";

const turn = (rest: Partial<LiveTurn>): LiveTurn => ({
  key: "t",
  chat: "session:s",
  question: null,
  questionId: null,
  replaces: null,
  isSentHere: true,
  replyId: null,
  sessionId: "s",
  askedAt: "2026-11-21T12:01:00Z",
  model: null,
  text: "",
  status: "streaming",
  stopping: false,
  connectionLost: false,
  leftOut: 0,
  usage: null,
  citations: null,
  finishReason: null,
  error: null,
  endedAt: null,
  ...rest,
});
const saved = [
  message("q0", "user"),
  message("a0", "assistant"),
  message("q1", "user"),
  message("a1", "assistant"),
];
const shown = (messages: Message[], ...turns: LiveTurn[]) =>
  mergeThread(messages, turns, {}).map((entry) => entry.message);
const ids = (messages: Message[]) => messages.map(({ id }) => id);
const versions = (of: Message | undefined) => (of?.alternatives ?? []).map(({ id }) => id);
const ENDINGS = ["streaming", "complete", "stopped", "interrupted", "failed"] as const;

describe("the same question answered once more", () => {
  test("hides the earlier answer at once, and keeps it as a version", () => {
    const messages = shown(saved, turn({ replaces: "q1" }));
    expect(ids(messages)).toEqual(["q0", "a0", "q1", "t:reply"]);
    expect(versions(messages[3])).toEqual(["a1"]);
  });

  test.each(ENDINGS)("%s, it replaces the earlier answer", (status) => {
    const again = turn({ replaces: "q1", questionId: "q1", replyId: "a2", model: "m", status });
    const messages = shown(saved, again);
    expect(ids(messages)).toEqual(["q0", "a0", "q1", "a2"]);
    expect(messages[3]?.status).toBe(status);
    expect(versions(messages[3])).toEqual(["a1"]);
  });

  test("a third answer has both earlier ones, oldest first", () => {
    const a2 = message("a2", "assistant", {
      alternatives: [{ ...message("a1", "assistant"), answers: [] }],
    });
    const messages = shown([...saved.slice(0, 3), a2], turn({ replaces: "q1" }));
    expect(versions(messages[3])).toEqual(["a1", "a2"]);
    expect(messages[3]?.alternatives[1]).not.toHaveProperty("alternatives");
  });

  test("a question whose answer was lost in a crash is answered in its place", () => {
    const messages = shown(saved.slice(0, 3), turn({ replaces: "q1" }));
    expect(ids(messages)).toEqual(["q0", "a0", "q1", "t:reply"]);
    expect(versions(messages[3])).toEqual([]);
  });

  test("asked before the turn that it replaces was read back from the server", () => {
    const first = turn({
      key: "f",
      question: "text of q1",
      questionId: "q1",
      replyId: "a1",
      model: "m",
      status: "failed",
    });
    const again = turn({ replaces: "q1", questionId: "q1", replyId: "a2", model: "m" });
    expect(ids(shown(saved.slice(0, 2), first, again))).toEqual(["q0", "a0", "q1", "a2"]);
    const joined = message("a2", "assistant", {
      alternatives: [{ ...message("a1", "assistant"), answers: [] }],
    });
    const messages = [...saved.slice(0, 3), joined];
    expect(ids(shown(messages, first, again))).toEqual(["q0", "a0", "q1", "a2"]);
    expect(savedIds(messages)).toContain("a1");
  });
});

describe("an edited question", () => {
  const edited = { replaces: "q1", question: "Other words" };

  test.each(ENDINGS)("%s, it replaces the earlier question, which keeps its answer", (status) => {
    const named = { questionId: "q2", replyId: "a2", model: "m", status };
    for (const rest of [{}, named, { ...named, isSentHere: false }]) {
      const messages = shown(saved, turn({ ...edited, ...rest }));
      expect(messages.map(({ content }) => content).slice(0, 3)).toEqual([
        "text of q0",
        "text of a0",
        "Other words",
      ]);
      expect(messages).toHaveLength(4);
      expect(versions(messages[2])).toEqual(["q1"]);
      expect(versions(messages[3])).toEqual([]);
      const branch = branchAt(messages[2] as Message, 0);
      expect([branch.question.id, branch.answer?.id]).toEqual(["q1", "a1"]);
      expect([branch.question.role, branch.answer?.role]).toEqual(["user", "assistant"]);
    }
  });

  test("an earlier branch has all the answers that it had", () => {
    const a2 = message("a2", "assistant", {
      alternatives: [{ ...message("a1", "assistant"), answers: [] }],
    });
    const messages = shown([...saved.slice(0, 3), a2], turn(edited));
    const { answer } = branchAt(messages[2] as Message, 0);
    expect(answer?.id).toBe("a2");
    expect(versions(answer ?? undefined)).toEqual(["a1"]);
  });

  test("edited twice, both earlier questions stay available", () => {
    const q2 = message("q2", "user", {
      alternatives: [{ ...message("q1", "user"), answers: [message("a1", "assistant")] }],
    });
    const messages = shown([q2, message("a2", "assistant")], turn({ ...edited, replaces: "q2" }));
    expect(versions(messages[0])).toEqual(["q1", "q2"]);
    expect(savedIds(messages)).toContain("a1");
  });
});

describe("a reply that is only followed", () => {
  test("replaces an answer that it runs after, even before its first event", () => {
    const messages = shown(saved, turn({ isSentHere: false, replyId: "a2" }));
    expect(ids(messages)).toEqual(["q0", "a0", "q1", "a2"]);
  });

  test("answers the question before it", () => {
    const messages = shown(saved.slice(0, 3), turn({ isSentHere: false, replyId: "a1" }));
    expect(ids(messages)).toEqual(["q0", "a0", "q1", "a1"]);
  });

  test("is shown once when the saved chat has it", () => {
    const joined = [...saved.slice(0, 3), message("a2", "assistant")];
    const over = turn({
      isSentHere: false,
      replyId: "a2",
      replaces: "q1",
      questionId: "q1",
      model: "m",
    });
    expect(ids(shown(joined, over))).toEqual(["q0", "a0", "q1", "a2"]);
  });
});

test("entries that stay visible keep their keys", () => {
  const before = mergeThread(saved, [], {}).map(({ key }) => key);
  const during = mergeThread(saved, [turn({ replaces: "q1" })], {}).map(({ key }) => key);
  expect(during.slice(0, 3)).toEqual(before.slice(0, 3));
  expect(during[3]).not.toBe(before[3]);
});

test("exchanges are questions with their answers, even if a page begins with an answer", () => {
  const list = exchanges(mergeThread(saved.slice(1), [], {}));
  expect(list.map(({ question, answer }) => [question?.message.id, answer?.message.id])).toEqual([
    [undefined, "a0"],
    ["q1", "a1"],
  ]);
});
