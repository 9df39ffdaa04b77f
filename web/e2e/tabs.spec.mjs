// Eight tabs of one browser over HTTP/1.1, which allows six connections: one stream for tickets, one for each
// reply, whatever the number of tabs, and every tab shows the same text.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { cuttingProxy, launch, startServer, watch } from "./server.mjs";

const SENTENCE = "The proxy reads the size first, so it answers **413** at once. 👩‍👩‍👧 é ";
const ANSWER = `${SENTENCE.repeat(30)}\n\nThe end.`;
const STREAM =
  /\/tickets\/events$|\/chat\/replies\/[0-9a-f]+\/stream|\/chat\/(?:global|ticket\/[0-9a-f]+)\/stream$/;

let server;
let browser;
before(async () => {
  server = await startServer();
  browser = await launch();
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

const answer = (page) => page.getByRole("article", { name: /^Tutor/ }).last();
const textOf = (page) => answer(page).locator(".md").innerText();
const composer = (page) => page.getByRole("textbox", { name: "Message to the tutor" });

async function until(condition, what, ms = 20_000) {
  const deadline = Date.now() + ms;
  while (!(await condition())) {
    assert.ok(Date.now() < deadline, `waited for: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Which streams the tabs of a context have open, and how many were opened. */
function streamsOf(context) {
  const open = new Map();
  let begun = 0;
  context.on("request", (request) => {
    if (!STREAM.test(new URL(request.url()).pathname)) return;
    open.set(request, request.frame().page());
    begun += 1;
  });
  for (const end of ["requestfinished", "requestfailed"]) {
    context.on(end, (request) => open.delete(request));
  }
  const urls = () =>
    [...open]
      .filter(([, page]) => !page.isClosed())
      .map(([request]) => new URL(request.url()).pathname)
      .sort();
  return { urls, begun: () => begun };
}

async function open(context, path, seen) {
  const page = await context.newPage();
  seen?.push(watch(page, server.url));
  await page.goto(server.url + path);
  return page;
}

async function ask(page, question) {
  await composer(page).fill(question);
  await page.keyboard.press("Enter");
  await page.waitForURL(/session=/);
  return new URL(page.url()).pathname + new URL(page.url()).search;
}

async function hasText(page, length) {
  return (await answer(page).locator(".md").count()) > 0 && (await textOf(page)).length > length;
}

/** Milliseconds until a new tab shows the composer, and from sending a question until its answer begins. */
async function timesOf(page, question) {
  const opened = performance.now();
  await page.goto(`${server.url}/chat`);
  await composer(page).waitFor();
  const loaded = Math.round(performance.now() - opened);
  await composer(page).fill(question);
  const answered = page.waitForResponse((one) => one.url().endsWith("/stream"));
  const asked = performance.now();
  await page.keyboard.press("Enter");
  await answered;
  return { loaded, begun: Math.round(performance.now() - asked) };
}

test("eight tabs share the streams, and the eighth is as quick as the first", async () => {
  const context = await browser.newContext();
  const streams = streamsOf(context);
  const seen = [];
  await server.control({ script: "ok", text: ANSWER, delay_ms: 40, chunk: 8 });
  const first = await context.newPage();
  seen.push(watch(first, server.url));
  const alone = await timesOf(first, "What is a proxy?");
  await first.waitForURL(/session=/);
  const chat = new URL(first.url()).pathname + new URL(first.url()).search;
  const tabs = [first];
  for (const path of [chat, "/tickets", chat, "/tickets", chat, chat]) {
    tabs.push(await open(context, path, seen));
  }
  const readers = tabs.filter((tab) => tab.url().includes("session="));
  assert.equal(readers.length, 5);
  for (const tab of readers) await until(() => hasText(tab, 60), "text in every tab");
  assert.deepEqual(streams.urls(), ["/chat/global/stream", "/tickets/events"]);

  const eighth = await context.newPage();
  seen.push(watch(eighth, server.url));
  const { loaded, begun } = await timesOf(eighth, "Do you hear me?");
  console.log(`eighth tab: loaded in ${loaded} ms, its answer began in ${begun} ms`, alone);
  // Of the first tab, which has the machine for itself; a tab that waits for a connection would take seconds.
  assert.ok(loaded < Math.max(1_000, 3 * alone.loaded), `the eighth tab took ${loaded} ms`);
  assert.ok(begun < Math.max(500, 3 * alone.begun), `its answer began after ${begun} ms`);
  assert.ok(await composer(first).isDisabled(), "the first answer still runs");

  for (const tab of [...readers, eighth]) {
    await answer(tab).getByText("The end.").waitFor({ timeout: 60_000 });
    assert.equal((await textOf(tab)).match(/413/g).length, 30, "nothing missing, nothing twice");
  }
  const texts = new Set(await Promise.all(readers.map(textOf)));
  assert.equal(texts.size, 1);
  await until(
    () => streams.urls().join() === "/tickets/events",
    "only the tickets' stream is left",
  );
  assert.equal(streams.begun(), 3, "no stream was opened twice");
  for (const one of seen) one.check();
  await context.close();
});

test("when the tab that reads is closed, another goes on at the exact character", async () => {
  const context = await browser.newContext();
  const streams = streamsOf(context);
  await server.control({ script: "ok", text: ANSWER, delay_ms: 40, chunk: 7 });
  const first = await open(context, "/chat");
  const chat = await ask(first, "Will it go on?");
  const tabs = [await open(context, chat), await open(context, chat), await open(context, chat)];
  for (const tab of tabs) await until(() => hasText(tab, 60), "text");
  await first.close();
  await until(() => streams.urls().length === 2, "another tab reads");
  const had = (await textOf(tabs[2])).length;
  await until(async () => (await textOf(tabs[2])).length > had + 60, "the text grows on");
  assert.equal(streams.urls().length, 2);
  assert.match(streams.urls()[0], /^\/chat\/replies\//);
  // A ticket made now reaches the tab that took over the tickets' stream too.
  const tickets = await open(context, "/tickets");
  await tabs[0].close();
  const body = { title: "A new ticket", description: "For everyone who looks." };
  await until(() => streams.urls().includes("/tickets/events"), "the tickets' stream");
  await tabs[1].waitForTimeout(300);
  await context.request.post(`${server.url}/tickets`, { data: body });
  await tickets.getByRole("link", { name: "A new ticket" }).waitFor();
  for (const tab of tabs.slice(1)) {
    await answer(tab).getByText("The end.").waitFor({ timeout: 60_000 });
    assert.equal((await textOf(tab)).match(/413/g).length, 30);
  }
  await context.close();
});

test("Stop in one tab stops all", async () => {
  const context = await browser.newContext();
  await server.control({ script: "ok", text: ANSWER, delay_ms: 60, chunk: 6 });
  const first = await open(context, "/chat");
  const chat = await ask(first, "What is a proxy?");
  const tabs = [first, await open(context, chat), await open(context, chat)];
  for (const tab of tabs) await until(() => hasText(tab, 30), "text");
  await tabs[1].getByRole("button", { name: /Stop/ }).click();
  for (const tab of tabs) await answer(tab).getByText("Stopped.").waitFor();
  const texts = new Set(await Promise.all(tabs.map(textOf)));
  assert.equal(texts.size, 1);
  await context.close();
});

test("connections cut under three tabs leave no gap and no double in any", async () => {
  const proxy = await cuttingProxy(new URL(server.url).port);
  const context = await browser.newContext();
  await server.control({ script: "ok", text: ANSWER, delay_ms: 40, chunk: 5 });
  const first = await context.newPage();
  await first.goto(`${proxy.url}/chat`);
  const chat = await ask(first, "Does it hold?");
  const tabs = [first];
  for (let count = 0; count < 2; count++) {
    const tab = await context.newPage();
    await tab.goto(proxy.url + chat);
    tabs.push(tab);
  }
  for (const tab of tabs) await until(() => hasText(tab, 30), "text");
  for (let cut = 0; cut < 6; cut++) {
    await first.waitForTimeout(350 + 170 * cut);
    proxy.cut();
  }
  const expected = SENTENCE.replaceAll("*", "").repeat(30).trim();
  for (const tab of tabs) {
    await answer(tab).getByText("The end.").waitFor({ timeout: 60_000 });
    const shown = await answer(tab).locator(".md-block").first().innerText();
    assert.equal(shown.trim(), expected);
  }
  await context.close();
  await proxy.stop();
});

test("without locks, as over plain HTTP from another machine, each tab reads for itself", async () => {
  const context = await browser.newContext();
  await context.addInitScript(() => {
    Object.defineProperty(Navigator.prototype, "locks", { get: () => undefined });
  });
  const streams = streamsOf(context);
  await server.control({ script: "ok", text: ANSWER, delay_ms: 30, chunk: 9 });
  const first = await open(context, "/chat");
  const chat = await ask(first, "Anyone?");
  const second = await open(context, chat);
  await until(() => hasText(second, 30), "text");
  assert.equal(streams.urls().length, 4);
  for (const tab of [first, second]) {
    await answer(tab).getByText("The end.").waitFor({ timeout: 60_000 });
    assert.equal((await textOf(tab)).match(/413/g).length, 30);
  }
  await context.close();
});
