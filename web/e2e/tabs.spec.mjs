// Eight tabs of one browser over HTTP/1.1, which allows six connections: one stream for tickets, one for each
// reply, whatever the number of tabs, and every tab shows the same text.
import {
  answer,
  ask,
  composer,
  expect,
  longerThan,
  pathOf,
  SENTENCE,
  test,
  textOf,
  until,
  watch,
} from "./fixtures.mjs";

const SENTENCES = 30;
const ANSWER = `${SENTENCE.repeat(SENTENCES)}\n\nThe end.`;
const STREAM =
  /\/tickets\/events$|\/chat\/replies\/[0-9a-f]+\/stream|\/chat\/(?:global|ticket\/[0-9a-f]+)\/stream$/;

/** Records which streams the tabs of a context have open (`paths`), and how many they opened. */
function recordStreams(context) {
  const open = new Map();
  let opened = 0;
  context.on("request", (request) => {
    if (!STREAM.test(new URL(request.url()).pathname)) return;
    open.set(request, request.frame().page());
    opened += 1;
  });
  for (const end of ["requestfinished", "requestfailed"]) {
    context.on(end, (request) => open.delete(request));
  }
  const paths = () =>
    [...open]
      .filter(([, page]) => !page.isClosed())
      .map(([request]) => new URL(request.url()).pathname)
      .sort();
  return { paths, opened: () => opened };
}

async function openTab(context, url) {
  const page = await context.newPage();
  await page.goto(url);
  return page;
}

/** Starts a chat in the tab with a question. Returns the URL of the chat. */
async function startChat(tab, url, question) {
  await tab.goto(url);
  await ask(tab, question);
  await tab.waitForURL(/session=/);
  return tab.url();
}

/** Waits until the tab's answer is complete and checks that nothing is missing and nothing is doubled. */
async function expectWholeAnswer(tab) {
  await expect(answer(tab).getByText("The end.")).toBeVisible({ timeout: 60_000 });
  const shown = await answer(tab).locator(".md-block").first().innerText();
  expect(shown.trim()).toBe(SENTENCE.replaceAll("*", "").repeat(SENTENCES).trim());
}

/** Milliseconds until the tab shows the composer, and from sending a question until its answer begins. */
async function measureChat(tab, question) {
  const opened = performance.now();
  await tab.goto("/chat");
  await composer(tab).waitFor();
  const loaded = Math.round(performance.now() - opened);
  await composer(tab).fill(question);
  const response = tab.waitForResponse((candidate) => candidate.url().endsWith("/stream"));
  const sent = performance.now();
  await tab.keyboard.press("Enter");
  await response;
  return { loaded, begun: Math.round(performance.now() - sent) };
}

test("eight tabs share the streams, and the eighth waits for no connection", async ({
  server,
  context,
}) => {
  const streams = recordStreams(context);
  const watched = [];
  context.on("page", (page) => watched.push(watch(page, server.url)));
  await server.control({ text: ANSWER, delay_ms: 40, chunk: 8 });
  const first = await context.newPage();
  const alone = await measureChat(first, "What is a proxy?");
  await first.waitForURL(/session=/);
  const chat = pathOf(first);
  const tabs = [first];
  for (const path of [chat, "/tickets", chat, "/tickets", chat, chat]) {
    tabs.push(await openTab(context, path));
  }
  const readers = tabs.filter((tab) => tab.url().includes("session="));
  expect(readers.length).toBe(5);
  for (const tab of readers) await longerThan(tab, 60);
  expect(streams.paths()).toEqual(["/chat/global/stream", "/tickets/events"]);

  // A tab that waits for a connection would wait for the end of the first answer.
  const eighth = await context.newPage();
  const { loaded, begun } = await measureChat(eighth, "Do you hear me?");
  await expect(first.getByRole("button", { name: /Stop/ }), "the first answer runs").toBeVisible();
  expect(loaded, "as quick as the first tab").toBeLessThan(Math.max(2_000, 5 * alone.loaded));
  expect(begun, "as quick as the first tab").toBeLessThan(Math.max(1_500, 5 * alone.begun));

  for (const tab of [...readers, eighth]) await expectWholeAnswer(tab);
  expect(new Set(await Promise.all(readers.map(textOf))).size).toBe(1);
  await until(
    () => streams.paths().join() === "/tickets/events",
    "only the tickets' stream is left",
  );
  expect(streams.opened(), "no stream was opened twice").toBe(3);
  expect(watched.length).toBe(8);
  for (const { check } of watched) check();
});

test("when the tab that reads is closed, another continues at the exact character", async ({
  server,
  context,
}) => {
  const streams = recordStreams(context);
  await server.control({ text: ANSWER, delay_ms: 40, chunk: 7 });
  const first = await context.newPage();
  const chat = await startChat(first, "/chat", "Will it go on?");
  const tabs = [];
  for (let count = 0; count < 3; count++) tabs.push(await openTab(context, chat));
  for (const tab of tabs) await longerThan(tab, 60);
  await first.close();
  await until(() => streams.paths().length === 2, "another tab reads");
  await longerThan(tabs[2], (await textOf(tabs[2])).length + 60);
  expect(streams.paths().length).toBe(2);
  expect(streams.paths()[0]).toMatch(/^\/chat\/replies\//);

  // A ticket made now reaches the tab that took over the tickets' stream too.
  const tickets = await openTab(context, "/tickets");
  await tabs[0].close();
  const ticket = { title: "A new ticket", description: "For everyone who looks." };
  await until(() => streams.paths().includes("/tickets/events"), "the tickets' stream");
  await tabs[1].waitForTimeout(300);
  await context.request.post("/tickets", { data: ticket });
  await expect(tickets.getByRole("link", { name: "A new ticket" })).toBeVisible();
  for (const tab of tabs.slice(1)) await expectWholeAnswer(tab);
});

test("Stop in one tab stops all", async ({ server, context }) => {
  await server.control({ text: ANSWER, delay_ms: 60, chunk: 6 });
  const first = await context.newPage();
  const chat = await startChat(first, "/chat", "What is a proxy?");
  const tabs = [first, await openTab(context, chat), await openTab(context, chat)];
  for (const tab of tabs) await longerThan(tab, 30);
  await tabs[1].getByRole("button", { name: /Stop/ }).click();
  for (const tab of tabs)
    await expect(answer(tab).getByText("The answer ends here.")).toBeVisible();
  expect(new Set(await Promise.all(tabs.map(textOf))).size).toBe(1);
});

test("connections cut under three tabs leave no gap and no double in any", async ({
  server,
  cutter,
  context,
}) => {
  await server.control({ text: ANSWER, delay_ms: 40, chunk: 5 });
  const first = await context.newPage();
  const chat = await startChat(first, `${cutter.url}/chat`, "Does it hold?");
  const tabs = [first, await openTab(context, chat), await openTab(context, chat)];
  for (const tab of tabs) await longerThan(tab, 30);
  for (let cut = 0; cut < 6; cut++) {
    await first.waitForTimeout(350 + 170 * cut); // at different places of frames and characters
    cutter.cut();
  }
  for (const tab of tabs) await expectWholeAnswer(tab);
});

test("without locks, as over plain HTTP from another machine, each tab reads for itself", async ({
  server,
  context,
}) => {
  await context.addInitScript(() => {
    Object.defineProperty(Navigator.prototype, "locks", { get: () => undefined });
  });
  const streams = recordStreams(context);
  await server.control({ text: ANSWER, delay_ms: 30, chunk: 9 });
  const first = await context.newPage();
  const chat = await startChat(first, "/chat", "Anyone?");
  const second = await openTab(context, chat);
  await longerThan(second, 30);
  expect(streams.paths().length).toBe(4);
  for (const tab of [first, second]) await expectWholeAnswer(tab);
});
