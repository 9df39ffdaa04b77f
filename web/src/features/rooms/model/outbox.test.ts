// Outgoing messages survive the page, belong to their author, and are sent again until the room reports them.
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { RoomCommand, RoomMessage } from "@/lib/api/types";
import { readOutbox, UNSURE_MS } from "./outbox";
import { Sender } from "./sender";
import { forgetView, viewOf } from "./store";

let isConnected = true;
let sent: RoomCommand[] = [];
const post = (command: RoomCommand) => {
  if (isConnected) sent.push(command);
  return isConnected;
};
const states = () => viewOf("r").outbox.map(({ content, status }) => [content, status]);
const idOf = (index: number) => viewOf("r").outbox[index]?.id ?? "";
const posted = (client_message_id: string, user_id = "ana") =>
  ({ client_message_id, user_id }) as RoomMessage;

beforeEach(() => {
  vi.useFakeTimers();
  isConnected = true;
  sent = [];
});
afterEach(() => {
  forgetView("r");
  vi.useRealTimers();
});

test("a message stays in the outbox until the room reports it", () => {
  const sender = new Sender("r", "ana", post);
  sender.send("Hi");
  expect(states()).toEqual([["Hi", "sending"]]);
  expect(sent).toEqual([{ type: "send", client_message_id: idOf(0), content: "Hi" }]);
  expect(sender.confirm(posted(idOf(0), "bob"))).toHaveLength(1);
  expect(sender.confirm(posted(idOf(0)))).toEqual([]);
  expect(readOutbox("r", "ana")).toEqual([]);
});

test("a message without a report counts as not confirmed, and is sent again with the same id", () => {
  const sender = new Sender("r", "ana", post);
  sender.send("Hi");
  vi.advanceTimersByTime(UNSURE_MS);
  expect(states()).toEqual([["Hi", "unsure"]]);
  sender.resend();
  expect(states()).toEqual([["Hi", "sending"]]);
  expect(sent[1]).toEqual(sent[0]);
});

test("a reload keeps a message, for its author and its room only", () => {
  isConnected = false;
  new Sender("r", "ana", post).send("Hi");
  forgetView("r");
  const bob = new Sender("r", "bob", post);
  bob.restore();
  expect(states()).toEqual([]);
  const sender = new Sender("r", "ana", post);
  sender.restore();
  sender.restore();
  expect(states()).toEqual([["Hi", "unsure"]]);
  expect(readOutbox("other", "ana")).toEqual([]);
  isConnected = true;
  sender.resend();
  expect(sent).toHaveLength(1);
});

test("a message is not confirmed after the connection is lost", () => {
  const sender = new Sender("r", "ana", post);
  sender.send("Hi");
  sender.pause();
  expect(states()).toEqual([["Hi", "unsure"]]);
});

test("a refused message stays with its sentence, and is not sent again by itself", () => {
  const sender = new Sender("r", "ana", post);
  sender.send("Hi");
  sender.refuse(idOf(0), "silenced", "An admin silenced you.");
  sender.resend();
  expect(viewOf("r").outbox[0]).toMatchObject({
    status: "refused",
    sentence: "An admin silenced you.",
  });
  expect(readOutbox("r", "ana")[0]).toMatchObject({ status: "refused" });
  expect(sent).toHaveLength(1);
  sender.retry(idOf(0));
  expect(sent).toHaveLength(2);
  expect(sender.takeBack(idOf(0))).toBe("Hi");
  expect(readOutbox("r", "ana")).toEqual([]);
});

test("a message is retried while the database is unavailable", () => {
  const sender = new Sender("r", "ana", post);
  sender.send("Hi");
  sender.refuse(idOf(0), "unavailable", "Try again.");
  expect(states()).toEqual([["Hi", "unsure"]]);
  vi.advanceTimersByTime(3_000);
  expect(sent).toHaveLength(2);
});
