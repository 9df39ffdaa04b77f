// Past chats with the real server: found by their words and opened at the place, renamed, saved as files,
// deleted and brought back; on a desk by keyboard, on a phone by touch.
import { readFile } from "node:fs/promises";
import {
  answer,
  answers,
  api,
  ask,
  expect,
  PHONE,
  pathOf,
  questions,
  SHOTS,
  test,
  until,
  watch,
} from "./fixtures.mjs";

const TURNS = 110;

test.describe.configure({ mode: "default" }); // one after the other: they share one visitor's chats

let state;
let long;

/** Asks without a page. Returns the chat's id. */
async function post(context, message, session_id) {
  const response = await context.request.post("/chat/global/stream", {
    data: { message, session_id, client_message_id: crypto.randomUUID() },
  });
  expect(response.ok()).toBe(true);
  return JSON.parse(/data: (.*)/.exec(await response.text())[1]).session_id;
}

test.beforeAll(async ({ server, browser }) => {
  const context = await browser.newContext({ baseURL: server.url });
  await server.control({ text: "An answer **in** short.", title: "A long talk" });
  for (let turn = 1; turn <= TURNS; turn++) {
    const words = turn === 30 ? "Where does the quokka sleep, and which quokkas do not?" : "";
    long = await post(context, `Question ${turn} ${words}`, long);
  }
  await server.control({ text: "The **wombat** digs at night.", title: "Wombats" });
  await post(context, "What does a wombat do?");
  await until(async () => {
    const chats = await api(context, "GET", `${server.url}/chat/sessions`);
    return chats.map(({ title }) => title).join() === "Wombats,A long talk";
  }, "the names that the model gives");
  state = await context.storageState();
  await context.close();
});

/** Opens a path as the visitor with the past chats. Returns the page and what it may not do. */
async function visit({ server, newContext }, path, { allowed, ...options } = {}) {
  const context = await newContext({ storageState: state, ...options });
  const page = await context.newPage();
  const watched = watch(page, server.url, allowed);
  await page.goto(path);
  return { context, page, watched };
}

const search = (page) => page.getByRole("searchbox", { name: "Search chats" });
const past = (page) => page.getByRole("navigation", { name: "Past chats" });
const hit = (page) => past(page).getByRole("link", { name: /quokka/ });
const question = (page, number) =>
  questions(page).filter({ hasText: new RegExp(`^.*Question ${number}\\b`, "s") });
const inView = (locator) =>
  locator.evaluate((node) => {
    const { top, bottom } = node.getBoundingClientRect();
    const box = node.closest("[role=log]").getBoundingClientRect();
    return top >= box.top && bottom <= box.bottom;
  });
const highlighted = (page) =>
  page.evaluate(() => [...(CSS.highlights.get("found") ?? [])].map((range) => range.toString()));

/** Returns how many pixels a message moves during an act. */
async function moved(page, locator, act) {
  const before = (await locator.boundingBox()).y;
  await act();
  await page.waitForTimeout(300);
  return Math.abs((await locator.boundingBox()).y - before);
}

test("a search leads to the message, its words marked, and back to the results", async ({
  server,
  newContext,
}) => {
  const { page, watched } = await visit({ server, newContext }, "/chat");
  await page.getByRole("button", { name: "History" }).click();
  await expect(past(page).getByText(`${2 * TURNS} messages`)).toBeVisible();
  await search(page).fill("platypus");
  await expect(past(page).getByText("None of your chats has “platypus”")).toBeVisible();
  await search(page).fill("quok");
  await expect(hit(page)).toBeVisible();
  expect(await past(page).locator("mark").allInnerTexts()).toEqual(["quokka", "quokkas"]);
  await hit(page).click();
  const message = question(page, 30);
  await expect(message).toBeVisible();
  expect(page.url()).toMatch(new RegExp(`session=${long}&m=[0-9a-f]{24}&q=quok`));
  await until(() => inView(message), "the message is in view");
  await expect(message).toHaveAttribute("data-found");
  expect(await highlighted(page)).toEqual(["quokka", "quokkas"]);
  await page.waitForTimeout(3_000);
  expect(await inView(message), "it stays in view").toBe(true);
  expect(await message.getAttribute("data-found"), "the mark goes").toBe(null);

  // From there the pages go up and down, and nothing moves.
  expect(await question(page, 1).count()).toBe(0);
  expect(await question(page, TURNS).count()).toBe(0);
  const up = page.getByRole("button", { name: "Show earlier messages" });
  const byUp = await moved(page, message, async () => {
    await up.evaluate((button) => button.click());
    await expect(question(page, 1)).toBeAttached();
  });
  expect(byUp, "pixels moved").toBeLessThanOrEqual(2);
  const down = page.getByRole("button", { name: "Show later messages" });
  const byDown = await moved(page, message, async () => {
    await down.evaluate((button) => button.click());
    await expect(question(page, TURNS)).toBeAttached();
  });
  expect(byDown, "pixels moved").toBeLessThanOrEqual(2);
  expect(await down.count()).toBe(0);
  for (const number of [1, 29, 30, 31, 80, TURNS]) {
    expect(await question(page, number).count(), `question ${number}`).toBe(1);
  }

  await page.goBack();
  await expect(hit(page)).toBeVisible();
  expect(await search(page).inputValue()).toBe("quok");
  expect(pathOf(page)).toBe("/chat?q=quok");
  watched.check();
});

test("asking at a found message leads to the end of the chat", async ({ server, newContext }) => {
  const { page, watched } = await visit({ server, newContext }, "/chat?q=quokka");
  await hit(page).click();
  await expect(question(page, 30)).toBeVisible();
  await server.control({ text: "They dig at night." });
  await ask(page, "And in winter?");
  await expect(questions(page).last().getByText("And in winter?")).toBeVisible();
  expect(new URL(page.url()).searchParams.has("m")).toBe(false);
  await expect(question(page, TURNS)).toBeVisible();
  await expect(answer(page).getByText("They dig at night.")).toBeVisible();
  watched.check();
});

test("a message that is gone is said so, and the chat shown from its end", async ({
  server,
  newContext,
}) => {
  const path = `/chat?session=${long}&m=0123456789abcdef01234567&q=quokka`;
  const { page } = await visit({ server, newContext }, path);
  await expect(page.getByText("This message is no longer in the chat.")).toBeVisible();
  await expect(question(page, TURNS)).toBeVisible();
});

test("a chat is renamed in its place, by keyboard alone", async ({ server, newContext }) => {
  const { context, page, watched } = await visit({ server, newContext }, "/chat?q=wombat", {
    allowed: [/ERR_INTERNET_DISCONNECTED/],
  });
  const more = past(page).getByRole("button", { name: "More for “Wombats”" });
  await more.focus();
  await page.keyboard.press("Enter");
  await expect(page.getByRole("menuitem", { name: "Rename" })).toBeVisible();
  await page.keyboard.press("End");
  expect(await page.evaluate(() => document.activeElement.textContent)).toBe("Delete");
  await page.keyboard.press("Escape");
  expect(await page.getByRole("menu").count()).toBe(0);
  await expect(more).toBeFocused();
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("r");
  await page.keyboard.press("Enter");
  const field = page.getByRole("textbox", { name: "Name of the chat" });
  await field.fill("  ");
  await page.keyboard.press("Enter");
  await expect(past(page).getByText("Give the chat a name.")).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(past(page).getByText("Wombats", { exact: true })).toBeVisible();
  await more.click();
  await page.getByRole("menuitem", { name: "Rename" }).click();
  await context.setOffline(true);
  await field.fill("What wombats do");
  await page.keyboard.press("Enter");
  await expect(past(page).getByText(/^Not saved/)).toBeVisible();
  expect(await field.inputValue()).toBe("What wombats do");
  await context.setOffline(false);
  await page.keyboard.press("Enter");
  const row = past(page).getByRole("link", { name: /What wombats do/ });
  await expect(row).toBeVisible();
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
  await expect(past(page).getByText("Wombats", { exact: true })).toBeVisible();
  expect(await page.title()).toMatch(/^Wombats/);
  watched.check();
});

test("a chat is saved as Markdown and as JSON", async ({ server, newContext }) => {
  const { page, watched } = await visit({ server, newContext }, "/chat?q=wombat");
  for (const [format, ending] of [
    ["Markdown", ".md"],
    ["JSON", ".json"],
  ]) {
    await past(page).getByRole("button", { name: "More for “Wombats”" }).click();
    const saved = page.waitForEvent("download");
    await page.getByRole("menuitem", { name: `Export as ${format}` }).click();
    const file = await saved;
    expect(file.suggestedFilename().endsWith(ending), file.suggestedFilename()).toBe(true);
    const text = await readFile(await file.path(), "utf8");
    expect(text).toMatch(/What does a wombat do\?/);
    expect(text).toMatch(/The \*\*wombat\*\* digs at night\./);
    if (format === "JSON") expect(JSON.parse(text).messages.length).toBe(2);
  }
  watched.check();
});

test("a deleted chat comes back with Undo; the open one leads to a new chat", async ({
  server,
  newContext,
}) => {
  const { page, watched } = await visit({ server, newContext }, "/chat");
  await page.getByRole("button", { name: "History" }).click();
  const row = past(page).getByRole("link", { name: /Wombats/ });
  await row.click();
  await expect(answers(page).getByText("digs at night")).toBeVisible();
  const remove = async () => {
    await past(page).getByRole("button", { name: "More for “Wombats”" }).click();
    await page.getByRole("menuitem", { name: "Delete" }).click();
    await expect(page.getByText("Chat deleted.")).toBeVisible();
  };
  await remove();
  await page.waitForURL(/\/chat$/);
  expect(await row.count()).toBe(0);
  await page.getByRole("button", { name: "Undo" }).click();
  await expect(page.getByText("Chat restored.")).toBeVisible();
  await expect(row).toBeVisible();
  await row.click();
  await expect(answers(page).getByText("digs at night")).toBeVisible();
  watched.check();
});

test("the name that the model gives a chat appears by itself", async ({ server, newContext }) => {
  const { page, watched } = await visit({ server, newContext }, "/chat");
  await page.getByRole("button", { name: "History" }).click();
  await server.control({ text: "They eat leaves.", title: "Food of koalas" });
  await ask(page, "What do koalas eat?");
  await expect(past(page).getByText("What do koalas eat?")).toBeVisible();
  await expect(past(page).getByText("Food of koalas")).toBeVisible();
  await until(async () => /^Food of koalas/.test(await page.title()), "the title of the page");
  watched.check();
});

test("on a phone, Undo can be pressed beside the open list", async ({ server, newContext }) => {
  const { page, watched } = await visit({ server, newContext }, "/chat?q=wombat", PHONE);
  await page.getByRole("button", { name: "Tickets and history" }).tap();
  const sheet = page.getByRole("dialog", { name: "Chat about" });
  const row = sheet.getByRole("link", { name: /Wombats/ });
  await sheet.getByRole("button", { name: "More for “Wombats”" }).tap();
  await page.getByRole("menuitem", { name: "Delete" }).tap();
  await expect(row).not.toBeAttached();
  await page.getByRole("button", { name: "Undo" }).tap();
  await expect(row).toBeVisible();
  watched.check();
});

test("on a phone, back from a found message leads to the results again", async ({
  server,
  newContext,
}) => {
  const { page, watched } = await visit({ server, newContext }, "/chat", PHONE);
  await page.getByRole("button", { name: "Tickets and history" }).tap();
  await page.getByRole("button", { name: "History", exact: true }).tap();
  const sheet = page.getByRole("dialog", { name: "Chat about" });
  await search(sheet).fill("quokka");
  await expect(hit(sheet)).toBeVisible();
  await page.screenshot({ path: `${SHOTS}history-sheet-390.png` });
  await sheet
    .getByRole("button", { name: /^More for/ })
    .first()
    .tap();
  await expect(page.getByRole("menuitem", { name: "Rename" })).toBeVisible();
  await page.screenshot({ path: `${SHOTS}history-menu-390.png` });
  await page.keyboard.press("Escape");
  expect(await sheet.isVisible(), "Esc closes the menu only").toBe(true);
  await hit(sheet).tap();
  await expect(sheet).toBeHidden();
  await expect(question(page, 30)).toBeVisible();
  await until(() => inView(question(page, 30)), "the message is in view");
  await page.goBack();
  await expect(hit(sheet)).toBeVisible();
  expect(await search(sheet).inputValue()).toBe("quokka");
  await page.goBack();
  await expect(sheet).toBeHidden();
  expect(pathOf(page)).toBe("/chat");
  watched.check();
});
