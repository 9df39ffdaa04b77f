// Several tabs follow one reply over one connection: each shows the same text, with no gap and no repetition.
// The tabs are readers in one process, joined by a real BroadcastChannel. Ids count the server's characters.
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { FakeLocks } from "@/test/locks";
import { pathOf } from "@/test/requests";
import { api } from "../api/client";
import { runReply } from "./reply";
import type { ReplySource } from "./reply-reader";

interface Connection {
  url: string;
  from: string | null;
  closed: boolean;
  say: (event: string, data: unknown, id?: number) => void;
}

let connections: Connection[] = [];
const stops: AbortController[] = [];
const encoder = new TextEncoder();

function connect(request: Request): Promise<Response> {
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      const from = request.headers.get("Last-Event-ID");
      const connection: Connection = {
        url: pathOf(request),
        from,
        closed: false,
        say: (event, data, id) => {
          const head = id === undefined ? "" : `id: ${id}\n`;
          const text = `${head}event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
          if (!connection.closed) controller.enqueue(encoder.encode(text));
        },
      };
      request.signal.addEventListener("abort", () => {
        connection.closed = true;
        controller.error(new DOMException("aborted", "AbortError"));
      });
      connections.push(connection);
    },
  });
  return Promise.resolve(new Response(body));
}

/** A tab that reads a reply, and what it shows. */
function openTab(source: ReplySource = { kind: "follow", replyId: "r1" }) {
  const stop = new AbortController();
  const tab = { text: "", thinking: "", started: 0, status: "streaming", stop };
  stops.push(tab.stop);
  const handlers = {
    onStart: () => {
      tab.text = "";
      tab.started += 1;
    },
    onDelta: (text: string) => {
      tab.text += text;
    },
    onThinking: ({ delta }: { delta: string }) => {
      tab.thinking = delta;
    },
    onEnd: (end: { content: string; status: string }) => {
      tab.text = end.content;
      tab.status = end.status;
    },
    onError: () => undefined,
    onConnection: () => undefined,
  };
  runReply(source, handlers, tab.stop.signal).catch(() => undefined);
  return tab;
}

const start = { id: "r1", session_id: "s1", model: "m", question_id: "q1" };
const begin = async (count: number): Promise<Connection> => {
  await vi.waitFor(() => expect(connections).toHaveLength(count));
  return connections[count - 1] as Connection;
};
const rest = () => new Promise((resolve) => setTimeout(resolve, 30));

beforeEach(() => {
  connections = [];
  vi.stubGlobal("navigator", { locks: new FakeLocks() });
  vi.stubGlobal("fetch", connect);
});
afterEach(() => {
  for (const stop of stops.splice(0)) stop.abort();
  vi.unstubAllGlobals();
});

test("a tab that joins late shows the whole text at once, without a connection", async () => {
  const one = openTab();
  const wire = await begin(1);
  wire.say("message_start", start);
  wire.say("message_delta", { delta: "👩‍👩‍👧 é" }, 7);
  await vi.waitFor(() => expect(one.text).toBe("👩‍👩‍👧 é"));
  const two = openTab();
  await vi.waitFor(() => expect(two.text).toBe("👩‍👩‍👧 é"));
  wire.say("message_delta", { delta: "!" }, 8);
  await vi.waitFor(() => expect([one.text, two.text]).toEqual(["👩‍👩‍👧 é!", "👩‍👩‍👧 é!"]));
  wire.say("message_complete", { id: "r1", content: "👩‍👩‍👧 é!?", status: "stopped" });
  wire.say("done", {});
  await vi.waitFor(() => expect([one.status, two.status]).toEqual(["stopped", "stopped"]));
  await rest();
  expect(two.text).toBe("👩‍👩‍👧 é!?");
  expect(connections).toHaveLength(1);
});

test("another tab continues at the exact character when the reading tab closes", async () => {
  const one = openTab();
  const wire = await begin(1);
  wire.say("message_start", start);
  wire.say("message_delta", { delta: "🙂🙂" }, 2);
  await vi.waitFor(() => expect(one.text).toBe("🙂🙂"));
  const [two, three] = [openTab(), openTab()];
  await vi.waitFor(() => expect([two.text, three.text]).toEqual(["🙂🙂", "🙂🙂"]));
  one.stop.abort();
  const next = await begin(2);
  expect(next).toMatchObject({ url: "/chat/replies/r1/stream", from: "2" });
  next.say("message_delta", { delta: " yes" }, 6);
  await vi.waitFor(() => expect([two.text, three.text]).toEqual(["🙂🙂 yes", "🙂🙂 yes"]));
  expect([two.started, three.started]).toEqual([1, 1]);
  expect(connections).toHaveLength(2);
});

test("the stream of a question ends the stream that another tab had opened", async () => {
  const two = openTab();
  const early = await begin(1);
  const body = { message: "Hi", client_message_id: "k" };
  const open = (signal: AbortSignal) => api.streamGlobalChat(body, signal);
  const one = openTab({ kind: "ask", open });
  const wire = await begin(2);
  wire.say("message_start", start);
  await vi.waitFor(() => expect(early.closed).toBe(true));
  wire.say("message_delta", { delta: "Hello" }, 5);
  await vi.waitFor(() => expect([one.text, two.text]).toEqual(["Hello", "Hello"]));
  expect(connections).toHaveLength(2);
});

test("a tab that receives the end late does not read the reply again", async () => {
  class SlowChannel extends BroadcastChannel {
    override postMessage(message: unknown): void {
      setTimeout(() => super.postMessage(message), 300);
    }
    override close(): void {
      setTimeout(() => super.close(), 400);
    }
  }
  vi.stubGlobal("BroadcastChannel", SlowChannel);
  const body = { message: "Hi", client_message_id: "k" };
  const asking = openTab({ kind: "ask", open: (signal) => api.streamGlobalChat(body, signal) });
  const wire = await begin(1);
  wire.say("message_start", start);
  await rest();
  const following = openTab();
  wire.say("message_delta", { delta: "Hello" }, 5);
  wire.say("message_complete", { id: "r1", content: "Hello!", status: "complete" });
  wire.say("done", {});
  await vi.waitFor(() => expect(asking.status).toBe("complete"));
  await vi.waitFor(() => expect(following.status).toBe("complete"), 2_000);
  await rest();
  expect(following.text).toBe("Hello!");
  expect(connections).toHaveLength(1);
});

test("a gap is filled from the tab that reads", async () => {
  const one = openTab();
  const wire = await begin(1);
  wire.say("message_start", start);
  wire.say("message_delta", { delta: "ab" }, 2);
  const two = openTab();
  await vi.waitFor(() => expect(two.text).toBe("ab"));
  const stranger = new BroadcastChannel("tutordesk.reply.r1");
  const event = { event: "message_delta", data: '{"delta":"e"}', id: "5" };
  stranger.postMessage({ kind: "event", event, after: "4" });
  await rest();
  expect(two.text).toBe("ab");
  wire.say("message_delta", { delta: "cd" }, 4);
  await vi.waitFor(() => expect([one.text, two.text]).toEqual(["abcd", "abcd"]));
  expect(two.started).toBe(1);
  stranger.close();
});

test("a tab that joins late shows the thinking so far, and what follows", async () => {
  const one = openTab();
  const wire = await begin(1);
  wire.say("message_start", start);
  wire.say("thinking_delta", { delta: "Hm. ", is_loading: false });
  await vi.waitFor(() => expect(one.thinking).toBe("Hm. "));
  const two = openTab();
  await vi.waitFor(() => expect(two.thinking).toBe("Hm. "));
  wire.say("thinking_delta", { delta: "So.", is_loading: false });
  await vi.waitFor(() => expect([one.thinking, two.thinking]).toEqual(["Hm. So.", "Hm. So."]));
  wire.say("message_start", start);
  wire.say("thinking_delta", { delta: "Hm.", is_loading: false });
  await vi.waitFor(() => expect(one.thinking).toBe("Hm."));
});
