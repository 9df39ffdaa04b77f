// Past chats with the real server: found by their words and opened at the place, renamed, saved as files,
// deleted and brought back; on a desk by keyboard, on a phone by touch.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, test } from "node:test";
import { launch, startServer, watch } from "./server.mjs";

const PHONE = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true };
const TURNS = 110;

let server;
let browser;
let state;
let long;

/** Asks without a browser page; returns the chat's id. */
async function say(context, message, session_id) {
  const answer = await context.request.post(`${server.url}/chat/global/stream`, {
    data: { message, session_id, client_message_id: crypto.randomUUID() },
  });
  assert.ok(answer.ok());
  return JSON.parse(/data: (.*)/.exec(await answer.text())[1]).session_id;
}

before(async () => {
  server = await startServer();
  browser = await launch();
  const context = await browser.newContext();
  await server.control({ script: "ok", text: "An answer **in** short.", title: "A long talk" });
  for (let turn = 1; turn <= TURNS; turn++) {
    const words = turn === 30 ? "Where does the quokka sleep, and which quokkas do not?" : "";
    long = await say(context, `Question ${turn} ${words}`, long);
  }
  await server.control({ text: "The **wombat** digs at night.", title: "Wombats" });
  await say(context, "What does a wombat do?");
  state = await context.storageState();
  await context.close();
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

async function until(condition, what, ms = 10_000) {
  const deadline = Date.now() + ms;
  while (!(await condition())) {
    assert.ok(Date.now() < deadline, `waited for: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function visit(path, options = {}) {
  const context = await browser.newContext({ storageState: state, ...options });
  const page = await context.newPage();
  const seen = watch(page, server.url);
  await page.goto(server.url + path);
  return { context, page, seen };
}

const search = (page) => page.getByRole("searchbox", { name: "Search chats" });
const past = (page) => page.getByRole("navigation", { name: "Past chats" });
const hit = (page) => past(page).getByRole("link", { name: /quokka/ });
const question = (page, number) =>
  page
    .getByRole("article", { name: /^You/ })
    .filter({ hasText: new RegExp(`^.*Question ${number}\\b`, "s") });
const inView = (locator) =>
  locator.evaluate((node) => {
    const { top, bottom } = node.getBoundingClientRect();
    const box = node.closest("[role=log]").getBoundingClientRect();
    return top >= box.top && bottom <= box.bottom;
  });
const highlighted = (page) =>
  page.evaluate(() => [...(CSS.highlights.get("found") ?? [])].map((range) => range.toString()));

/** How far a message moves while something is done. */
async function moved(page, locator, act) {
  const before = (await locator.boundingBox()).y;
  await act();
  await page.waitForTimeout(300);
  return Math.abs((await locator.boundingBox()).y - before);
}

test("a search leads to the message, its words marked, and back to the results", async () => {
  const { context, page, seen } = await visit("/chat");
  await page.getByRole("button", { name: "History" }).click();
  await past(page)
    .getByText(`${2 * TURNS} messages`)
    .waitFor();
  await search(page).fill("platypus");
  await past(page).getByText("No chat of yours has “platypus”").waitFor();
  await search(page).fill("quok");
  await hit(page).waitFor();
  assert.deepEqual(await past(page).locator("mark").allInnerTexts(), ["quokka", "quokkas"]);
  await hit(page).click();
  const message = question(page, 30);
  await message.waitFor();
  assert.match(page.url(), new RegExp(`session=${long}&m=[0-9a-f]{24}&q=quok`));
  await until(() => inView(message), "the message is in view");
  assert.notEqual(await message.getAttribute("data-found"), null);
  assert.deepEqual(await highlighted(page), ["quokka", "quokkas"]);
  await page.waitForTimeout(3_000);
  assert.ok(await inView(message), "it stays in view");
  assert.equal(await message.getAttribute("data-found"), null, "the mark goes");

  // From there the pages go up and down, and nothing moves.
  assert.equal(await question(page, 1).count(), 0);
  assert.equal(await question(page, TURNS).count(), 0);
  const up = page.getByRole("button", { name: "Show earlier messages" });
  const byUp = await moved(page, message, async () => {
    await up.evaluate((button) => button.click());
    await question(page, 1).waitFor({ state: "attached" });
  });
  assert.ok(byUp <= 2, `moved by ${byUp} px`);
  const down = page.getByRole("button", { name: "Show later messages" });
  const byDown = await moved(page, message, async () => {
    await down.evaluate((button) => button.click());
    await question(page, TURNS).waitFor({ state: "attached" });
  });
  assert.ok(byDown <= 2, `moved by ${byDown} px`);
  assert.equal(await down.count(), 0);
  for (const number of [1, 29, 30, 31, 80, TURNS]) {
    assert.equal(await question(page, number).count(), 1, `question ${number}`);
  }

  await page.goBack();
  await hit(page).waitFor();
  assert.equal(await search(page).inputValue(), "quok");
  assert.equal(new URL(page.url()).search, "?q=quok");
  seen.check();
  await context.close();
});

test("asking at a found message leads to the end of the chat", async () => {
  const { context, page, seen } = await visit("/chat?q=quokka");
  await hit(page).click();
  await question(page, 30).waitFor();
  await page.getByRole("textbox", { name: "Message to the tutor" }).fill("And in winter?");
  await page.keyboard.press("Enter");
  await page.getByRole("article", { name: /^You/ }).last().getByText("And in winter?").waitFor();
  assert.equal(new URL(page.url()).searchParams.has("m"), false);
  await question(page, TURNS).waitFor();
  await page
    .getByRole("article", { name: /^Tutor/ })
    .last()
    .getByText("digs at night")
    .waitFor();
  seen.check();
  await context.close();
});

test("a message that is gone is said so, and the chat shown from its end", async () => {
  const context = await browser.newContext({ storageState: state });
  const page = await context.newPage();
  await page.goto(`${server.url}/chat?session=${long}&m=0123456789abcdef01234567&q=quokka`);
  await page.getByText("This message is not in the chat any more.").waitFor();
  await question(page, TURNS).waitFor();
  await context.close();
});

test("a chat is renamed in its place, by keyboard alone", async () => {
  const { context, page, seen } = await visit("/chat?q=wombat");
  const more = past(page).getByRole("button", { name: "More for “Wombats”" });
  await more.focus();
  await page.keyboard.press("Enter");
  await page.getByRole("menuitem", { name: "Rename" }).waitFor();
  await page.keyboard.press("End");
  assert.equal(await page.evaluate(() => document.activeElement.textContent), "Delete");
  await page.keyboard.press("Escape");
  assert.equal(await page.getByRole("menu").count(), 0);
  assert.ok(await more.evaluate((button) => button === document.activeElement));
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("r");
  await page.keyboard.press("Enter");
  const field = page.getByRole("textbox", { name: "Name of the chat" });
  await field.fill("  ");
  await page.keyboard.press("Enter");
  await past(page).getByText("Give the chat a name.").waitFor();
  await page.keyboard.press("Escape");
  await past(page).getByText("Wombats", { exact: true }).waitFor();
  await more.click();
  await page.getByRole("menuitem", { name: "Rename" }).click();
  await context.setOffline(true);
  await field.fill("What wombats do");
  await page.keyboard.press("Enter");
  await past(page)
    .getByText(/^Not saved/)
    .waitFor();
  assert.equal(await field.inputValue(), "What wombats do");
  await context.setOffline(false);
  await page.keyboard.press("Enter");
  const row = past(page).getByRole("link", { name: /What wombats do/ });
  await row.waitFor();
  // The line above the chat has the same menu.
  await row.click();
  await page
    .getByRole("main")
    .getByRole("button", { name: "More for “What wombats do”" })
    .last()
    .click();
  await page.getByRole("menuitem", { name: "Rename" }).click();
  await field.fill("Wombats");
  await page.keyboard.press("Enter");
  await past(page).getByText("Wombats", { exact: true }).waitFor();
  assert.match(await page.title(), /^Wombats/);
  seen.wrong.splice(
    0,
    seen.wrong.length,
    ...seen.wrong.filter((one) => !/ERR_INTERNET_DISCONNECTED/.test(one)),
  );
  seen.check();
  await context.close();
});

test("a chat is saved as Markdown and as JSON", async () => {
  const { context, page, seen } = await visit("/chat?q=wombat");
  for (const [format, ending] of [
    ["Markdown", ".md"],
    ["JSON", ".json"],
  ]) {
    await past(page).getByRole("button", { name: "More for “Wombats”" }).click();
    const saved = page.waitForEvent("download");
    await page.getByRole("menuitem", { name: `Export as ${format}` }).click();
    const file = await saved;
    assert.ok(file.suggestedFilename().endsWith(ending), file.suggestedFilename());
    const text = await readFile(await file.path(), "utf8");
    assert.match(text, /What does a wombat do\?/);
    assert.match(text, /The \*\*wombat\*\* digs at night\./);
    if (format === "JSON") assert.equal(JSON.parse(text).messages.length, 2);
  }
  seen.check();
  await context.close();
});

test("a deleted chat comes back with Undo; the open one leads to a new chat", async () => {
  const { context, page, seen } = await visit("/chat");
  await page.getByRole("button", { name: "History" }).click();
  const row = past(page).getByRole("link", { name: /Wombats/ });
  await row.click();
  await page
    .getByRole("article", { name: /^Tutor/ })
    .getByText("digs at night")
    .waitFor();
  const remove = async () => {
    await past(page).getByRole("button", { name: "More for “Wombats”" }).click();
    await page.getByRole("menuitem", { name: "Delete" }).click();
    await page.getByText("Chat deleted.").waitFor();
  };
  await remove();
  await page.waitForURL(/\/chat$/);
  assert.equal(await row.count(), 0);
  await page.getByRole("button", { name: "Undo" }).click();
  await page.getByText("The chat is back.").waitFor();
  await row.waitFor();
  await row.click();
  await page
    .getByRole("article", { name: /^Tutor/ })
    .getByText("digs at night")
    .waitFor();
  seen.check();
  await context.close();
});

test("the name that the model gives a chat appears by itself", async () => {
  const { context, page, seen } = await visit("/chat");
  await page.getByRole("button", { name: "History" }).click();
  await server.control({ text: "They eat leaves.", title: "Food of koalas" });
  await page.getByRole("textbox", { name: "Message to the tutor" }).fill("What do koalas eat?");
  await page.keyboard.press("Enter");
  await past(page).getByText("What do koalas eat?").waitFor();
  await past(page).getByText("Food of koalas").waitFor({ timeout: 8_000 });
  await until(async () => /^Food of koalas/.test(await page.title()), "the title of the page");
  seen.check();
  await context.close();
});

test("on a phone, Undo can be pressed beside the open list", async () => {
  const { context, page, seen } = await visit("/chat?q=wombat", PHONE);
  await page.getByRole("button", { name: "Tickets and history" }).tap();
  const sheet = page.getByRole("dialog", { name: "Chat about" });
  const row = sheet.getByRole("link", { name: /Wombats/ });
  await sheet.getByRole("button", { name: "More for “Wombats”" }).tap();
  await page.getByRole("menuitem", { name: "Delete" }).tap();
  await row.waitFor({ state: "detached" });
  await page.getByRole("button", { name: "Undo" }).tap();
  await row.waitFor();
  seen.check();
  await context.close();
});

test("on a phone, back from a found message leads to the results again", async () => {
  const { context, page, seen } = await visit("/chat", PHONE);
  await page.getByRole("button", { name: "Tickets and history" }).tap();
  await page.getByRole("button", { name: "History", exact: true }).tap();
  const sheet = page.getByRole("dialog", { name: "Chat about" });
  await search(sheet).fill("quokka");
  await hit(sheet).waitFor();
  await page.screenshot({ path: new URL("shots/history-sheet-390.png", import.meta.url).pathname });
  await sheet
    .getByRole("button", { name: /^More for/ })
    .first()
    .tap();
  await page.getByRole("menuitem", { name: "Rename" }).waitFor();
  await page.screenshot({ path: new URL("shots/history-menu-390.png", import.meta.url).pathname });
  await page.keyboard.press("Escape");
  assert.ok(await sheet.isVisible(), "Esc closes the menu only");
  await hit(sheet).tap();
  await sheet.waitFor({ state: "hidden" });
  await question(page, 30).waitFor();
  await until(() => inView(question(page, 30)), "the message is in view");
  await page.goBack();
  await hit(sheet).waitFor();
  assert.equal(await search(sheet).inputValue(), "quokka");
  await page.goBack();
  await sheet.waitFor({ state: "hidden" });
  assert.equal(new URL(page.url()).search, "");
  seen.check();
  await context.close();
});
