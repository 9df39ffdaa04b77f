// The state of a chat, with the server replaced at `fetch`: what is sent, resumed and refused.
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { readDraft, writeDraft } from "@/lib/drafts/drafts";
import { useThoughts } from "@/lib/streams/thoughts";
import { savedMessage } from "@/test/messages";
import { pathOf } from "@/test/requests";
import { mergeThread } from "../thread/thread";
import { ask, followReply, stop } from "./ask";
import { draftKey, dropSaved, edit, editDraftKey, takeUnsent, unsentKey, useChat } from "./store";

type Answer = () => Response | Promise<Response>;
let answers: Answer[] = [];
let calls: Request[] = [];

function sse(...events: [string, unknown, string?][]): Response {
  const text = events
    .map(([event, data, id]) => {
      const head = id ? `id: ${id}\n` : "";
      return `${head}event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
    })
    .join("");
  return new Response(text, { headers: { "Content-Type": "text/event-stream" } });
}

const start = {
  id: "r1",
  session_id: "s1",
  role: "assistant",
  model: "m",
  ticket_ids: [],
  question_id: "q1",
  left_out_messages: 0,
};
const end = {
  id: "r1",
  content: "Hello world",
  status: "complete",
  usage: { output_tokens: 2 },
  citations: [],
  model: "m",
  finish_reason: "stop",
};
const turn = () => useChat.getState().turns[0];

beforeEach(() => {
  answers = [];
  calls = [];
  useChat.setState({ turns: [], refusals: {}, keys: {}, editing: null, announcement: "" });
  vi.stubGlobal("fetch", (request: Request) => {
    calls.push(request);
    const next = answers.shift();
    return next ? Promise.resolve(next()) : new Promise(() => undefined);
  });
});
afterEach(() => vi.unstubAllGlobals());

const question = { chat: "new:all", text: "Hi", ticketId: null, sessionId: null };

describe("asking", () => {
  test("streams an answer to its end and forgets the draft", async () => {
    const onStarted = vi.fn();
    answers = [
      () =>
        sse(
          ["message_start", start],
          ["message_delta", { delta: "Hello " }, "6"],
          ["message_delta", { delta: "world" }, "11"],
          ["message_complete", end],
          ["done", { session_id: "s1" }],
        ),
    ];
    ask({ ...question, onStarted });
    expect(turn()?.status).toBe("streaming");
    expect(readDraft(unsentKey("new:all"))?.value).toBe("Hi");
    await vi.waitFor(() => expect(turn()?.status).toBe("complete"));
    expect(turn()).toMatchObject({ text: "Hello world", chat: "session:s1", questionId: "q1" });
    expect(onStarted).toHaveBeenCalledWith("s1");
    expect(readDraft(unsentKey("new:all"))).toBeNull();
    expect(useChat.getState().announcement).toBe("Answer ready");
  });

  test("another text in the composer stays when a question is taken", async () => {
    writeDraft(draftKey("new:all"), "My next question");
    answers = [() => sse(["message_start", start], ["message_complete", end], ["done", {}])];
    ask(question);
    await vi.waitFor(() => expect(turn()?.status).toBe("complete"));
    expect(readDraft(draftKey("new:all"))?.value).toBe("My next question");
  });

  test("thinking is kept apart from the text, and an answer at its maximum length says so", async () => {
    answers = [
      () =>
        sse(
          ["message_start", start],
          ["thinking_delta", { delta: "Hm. ", is_loading: true }],
          ["thinking_delta", { delta: "So.", is_loading: false }],
          ["message_delta", { delta: "Hello world" }, "11"],
          ["message_complete", { ...end, finish_reason: "length" }],
          ["done", {}],
        ),
    ];
    ask(question);
    await vi.waitFor(() => expect(turn()?.status).toBe("complete"));
    expect(turn()).toMatchObject({ text: "Hello world", finishReason: "length" });
    expect(useThoughts.getState().r1).toEqual({ delta: "Hm. So.", is_loading: false });
  });

  test("a second question waits for the first answer", () => {
    ask(question);
    ask(question);
    expect(useChat.getState().turns).toHaveLength(1);
  });

  test("a refused question returns to the composer with the reason", async () => {
    const problem = { detail: "You have 4 answers running.", status: 429 };
    answers = [() => new Response(JSON.stringify(problem), { status: 429 })];
    ask(question);
    await vi.waitFor(() => expect(useChat.getState().turns).toHaveLength(0));
    expect(useChat.getState().refusals["new:all"]).toEqual({
      sentence: "You have 4 answers running.",
      text: "Hi",
    });
    expect(takeUnsent("new:all")).toBe("Hi");
    expect(takeUnsent("new:all"), "only once").toBe("");
    expect(useChat.getState().refusals["new:all"]?.sentence).toBe("You have 4 answers running.");
  });

  test("a question whose answer never began is repeated with the same id", async () => {
    answers = [
      () => Promise.reject(new TypeError("network")),
      () => sse(["message_start", start], ["message_complete", end], ["done", {}]),
    ];
    ask(question);
    await vi.waitFor(() => expect(turn()?.status).toBe("complete"), 3_000);
    const bodies = await Promise.all(calls.map((request) => request.json()));
    const ids = bodies.map((body) => body.client_message_id);
    expect(ids).toHaveLength(2);
    expect(ids[0]).toBe(ids[1]);
  });

  test("a question refused for its cookie is sent once more", async () => {
    answers = [
      () => new Response("{}", { status: 401 }),
      () => sse(["message_start", start], ["message_complete", end], ["done", {}]),
    ];
    ask(question);
    await vi.waitFor(() => expect(turn()?.status).toBe("complete"));
  });

  test("a failed reply keeps its text and its reason", async () => {
    const error = { error: "The model is busy.", type: "busy", retryable: true };
    answers = [
      () =>
        sse(
          ["message_start", start],
          ["message_delta", { delta: "Hel" }, "3"],
          ["error", error],
          ["done", {}],
        ),
    ];
    ask(question);
    await vi.waitFor(() => expect(turn()?.status).toBe("failed"));
    expect(turn()).toMatchObject({ text: "Hel", error });
  });
});

describe("asking again", () => {
  const replaces = { id: "q1", content: "Hi" };
  const inChat = { chat: "session:s1", ticketId: null, sessionId: "s1", replaces };
  const again = { ...start, id: "r2", replaces: "q1" };
  const ended = { ...end, id: "r2" };

  test("the same question is sent with what it replaces, and leaves the composer's text unchanged", async () => {
    writeDraft(draftKey("session:s1"), "Something else");
    answers = [() => sse(["message_start", again], ["message_complete", ended], ["done", {}])];
    ask({ ...inChat, text: "Hi" });
    expect(await calls[0]?.json()).toMatchObject({
      message: "Hi",
      session_id: "s1",
      replaces: "q1",
    });
    await vi.waitFor(() => expect(turn()?.status).toBe("complete"));
    expect(turn()).toMatchObject({ question: null, replaces: "q1", questionId: "q1" });
    expect(readDraft(draftKey("session:s1"))?.value).toBe("Something else");
  });

  test("a refused edit opens its editor again with the text", async () => {
    const problem = { detail: "Wait a moment.", status: 429 };
    answers = [() => new Response(JSON.stringify(problem), { status: 429 })];
    edit("q1");
    ask({ ...inChat, text: "Hi there" });
    expect(useChat.getState().editing).toBeNull();
    await vi.waitFor(() => expect(useChat.getState().turns).toHaveLength(0));
    const { editing, refusals } = useChat.getState();
    expect(editing).toEqual({ questionId: "q1", sentence: "Wait a moment." });
    expect(readDraft(editDraftKey("q1"))?.value).toBe("Hi there");
    expect(refusals["session:s1"]).toBeUndefined();
  });

  test("an edit is no longer a draft once its answer begins", async () => {
    const start2 = { ...again, question_id: "q2", question: "Hi there" };
    answers = [() => sse(["message_start", start2], ["message_complete", ended], ["done", {}])];
    ask({ ...inChat, text: "Hi there" });
    await vi.waitFor(() => expect(turn()?.status).toBe("complete"));
    expect(turn()).toMatchObject({ question: "Hi there", replaces: "q1", questionId: "q2" });
    expect(readDraft(editDraftKey("q1"))).toBeNull();
  });

  test("a refusal to answer again says why and leaves the composer empty", async () => {
    const problem = { detail: "That is not the last question.", status: 409 };
    answers = [() => new Response(JSON.stringify(problem), { status: 409 })];
    ask({ ...inChat, text: "Hi" });
    await vi.waitFor(() => expect(useChat.getState().turns).toHaveLength(0));
    const refusal = useChat.getState().refusals["session:s1"];
    expect(refusal).toEqual({ sentence: "That is not the last question.", text: "" });
    expect(useChat.getState().editing).toBeNull();
  });

  test("a followed reply says which question it replaces and which it answers", async () => {
    const start2 = { ...again, question_id: "q2", question: "Edited elsewhere" };
    answers = [() => sse(["message_start", start2], ["message_complete", ended], ["done", {}])];
    followReply("s1", "r2");
    await vi.waitFor(() => expect(turn()?.status).toBe("complete"));
    expect(turn()).toMatchObject({
      question: "Edited elsewhere",
      replaces: "q1",
      isSentHere: false,
    });
  });
});

describe("resuming", () => {
  test("continues after the last event id of the server, which counts characters and not code units", async () => {
    answers = [
      () => sse(["message_start", start], ["message_delta", { delta: "👩‍👩‍👧é" }, "6"]),
      () =>
        sse(
          ["message_delta", { delta: "!" }, "7"],
          ["message_complete", { ...end, content: "👩‍👩‍👧é!" }],
          ["done", {}],
        ),
    ];
    ask(question);
    await vi.waitFor(() => expect(turn()?.status).toBe("complete"), 3_000);
    expect(calls.map(pathOf)[1]).toBe("/chat/replies/r1/stream");
    expect(calls[1]?.headers.get("Last-Event-ID")).toBe("6");
    expect(turn()?.text).toBe("👩‍👩‍👧é!");
  });

  test("following a running reply begins at its start and repeats nothing", async () => {
    answers = [
      () =>
        sse(
          ["message_start", start],
          ["message_delta", { delta: "Hello world" }, "11"],
          ["message_complete", end],
          ["done", {}],
        ),
    ];
    followReply("s1", "r1");
    followReply("s1", "r1");
    expect(calls.map(pathOf)).toEqual(["/chat/replies/r1/stream?after=0"]);
    await vi.waitFor(() => expect(turn()?.status).toBe("complete"));
    expect(useChat.getState().turns).toHaveLength(1);
    expect(turn()?.text).toBe("Hello world");
  });

  test("a reply that no longer exists is no longer followed", async () => {
    answers = [() => new Response("{}", { status: 404 })];
    followReply("s9", "r9");
    await vi.waitFor(() => expect(useChat.getState().turns).toHaveLength(0));
    followReply("s9", "r9");
    expect(calls).toHaveLength(1);
  });
});

test("stop says so at once and asks the server", async () => {
  let release: (() => void) | undefined;
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      const text = `event: message_start\ndata: ${JSON.stringify(start)}\n\n`;
      controller.enqueue(new TextEncoder().encode(text));
      release = () => controller.close();
    },
  });
  answers = [() => new Response(body), () => new Response(null, { status: 202 })];
  ask(question);
  await vi.waitFor(() => expect(turn()?.replyId).toBe("r1"));
  stop(turn()?.key ?? "");
  expect(turn()?.stopping).toBe(true);
  expect(calls.map(pathOf)[1]).toBe("/chat/replies/r1/stop");
  expect(calls[1]?.method).toBe("POST");
  release?.();
});

describe("joining with the saved chat", () => {
  test("keys stay when a live turn becomes saved messages", async () => {
    answers = [() => sse(["message_start", start], ["message_complete", end], ["done", {}])];
    ask(question);
    await vi.waitFor(() => expect(turn()?.status).toBe("complete"));
    const live = mergeThread([], useChat.getState().turns, {});
    expect(live.map((entry) => entry.message.role)).toEqual(["user", "assistant"]);
    const saved = [savedMessage("q1", "user"), savedMessage("r1", "assistant")];
    dropSaved(new Set(["q1", "r1"]));
    const { turns, keys } = useChat.getState();
    expect(turns).toHaveLength(0);
    expect(mergeThread(saved, turns, keys).map((entry) => entry.key)).toEqual(
      live.map((entry) => entry.key),
    );
  });

  test("a question that is saved already is not shown twice", async () => {
    answers = [() => sse(["message_start", start], ["message_complete", end], ["done", {}])];
    ask(question);
    await vi.waitFor(() => expect(turn()?.questionId).toBe("q1"));
    const entries = mergeThread([savedMessage("q1", "user")], useChat.getState().turns, {});
    expect(entries.map((entry) => entry.message.role)).toEqual(["user", "assistant"]);
  });
});
