// Every page and overlay, dark and light, on a phone and a desk: no accessibility violations, nothing wider
// than the screen, and a picture of each in e2e/shots to be looked at.
import assert from "node:assert/strict";
import { mkdir } from "node:fs/promises";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import AxeBuilder from "@axe-core/playwright";
import { launch, startServer, watch } from "./server.mjs";

const SHOTS = fileURLToPath(new URL("shots/", import.meta.url));
const ANSWER =
  "It passes **three hops**:\n\n1. The browser\n2. The proxy, which answers `413`\n3. The application\n\n" +
  "```nginx\nclient_max_body_size 20m; # was 4m\n```\n\n| hop | limit |\n|---|---|\n| proxy | 4 MB |\n\n" +
  "The size is \\(n = 2^{22}\\), see [the manual](https://nginx.org/) and ![a picture](https://x.example/p.png).\n\n" +
  "$$\\sum_{i=0}^{n} x_i$$\n\n> It costs $5 and $10.\n\n- [x] done\n- [ ] open";

let server;
let browser;
let ticket;
let state;
let session;
let versions;
let room;

/** A chat with two questions in one place, two answers to the later one, and an opinion on the last. */
async function askAgain(page) {
  await server.control({ script: "ok", text: `It is small.\n\n${ANSWER}`, delay_ms: 0 });
  await page.goto(`${server.url}/chat`);
  await page.getByRole("textbox", { name: "Message to the tutor" }).fill("Why a limt?");
  await page.keyboard.press("Enter");
  await page.getByRole("button", { name: "Edit" }).click();
  await page.getByRole("textbox", { name: "Edit your question" }).fill("Why is there a limit?");
  await page.keyboard.press("Enter");
  await page.getByRole("group", { name: "Version 2 of 2 of the question" }).waitFor();
  await page.getByRole("button", { name: "Regenerate" }).waitFor();
  await server.control({
    script: "ok",
    text: "So that one upload cannot fill the disk.",
    delay_ms: 0,
  });
  await page.getByRole("button", { name: "Regenerate" }).click();
  await page.getByRole("group", { name: "Version 2 of 2 of the answer" }).waitFor();
  await page.getByRole("button", { name: "Bad answer" }).click();
  await page.getByRole("textbox", { name: /^What was wrong/ }).fill("It does not say how much.");
  await page.keyboard.press("Enter");
  await page.getByText("You wrote:").waitFor();
  return new URL(page.url()).pathname + new URL(page.url()).search;
}

/** A room about the ticket, with a second person, an answer, a deleted and an edited message, and news. */
async function talk(context, page) {
  const { request } = context;
  const api = async (method, path, data, from = request) => {
    const headers = { Origin: server.url };
    const answer = await from.fetch(server.url + path, { method, data, headers });
    assert.ok(answer.ok(), `${method} ${path}: ${await answer.text()}`);
    return answer.status() === 204 ? null : answer.json();
  };
  await api("PATCH", "/me", { name: "Ana" });
  const ticket_id = ticket.split("/").at(-1);
  const made = await api("POST", "/rooms", { name: "red-team", topic: "Why it fails", ticket_id });
  const path = `/rooms/${made.id}`;
  const other = await browser.newContext();
  const bob = await other.newPage();
  await api("PATCH", "/me", { name: "Bob" }, other.request);
  await api("POST", "/rooms", { name: "library-desk", topic: "Books and more" }, other.request);
  await api("POST", `${path}/join`, {}, other.request);
  const write = async (who, text) => {
    await who.getByRole("textbox", { name: /^Message to/ }).fill(text);
    await who.keyboard.press("Enter");
    await who.getByRole("log").getByText(text.split("@")[0].slice(0, 20)).first().waitFor();
    await who.locator("[data-pending]").first().waitFor({ state: "detached" }); // confirmed, not only shown
  };
  await bob.goto(server.url + path);
  await page.goto(server.url + path);
  await write(page, "Same 413 here, only behind the proxy.");
  await write(bob, "This will be deleted");
  const messages = await api("GET", `${path}/messages`, undefined, other.request);
  await api("DELETE", `${path}/messages/${messages.at(-1).id}`, undefined, other.request);
  await api("PATCH", `${path}/messages/${messages[0].id}`, { content: "Same `413` here." });
  await write(bob, "Which hop answers, @tutor ?");
  await bob.getByText("It costs $5 and $10.").waitFor();
  await page.goto(`${server.url}/rooms`);
  await write(bob, "What do you think, @Ana ?");
  await other.close();
  return path;
}

before(async () => {
  await mkdir(SHOTS, { recursive: true });
  server = await startServer();
  browser = await launch();
  await server.control({ script: "ok", text: "Uploads above 4 MB fail.", delay_ms: 0 });
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(`${server.url}/tickets`);
  await page.getByRole("button", { name: "Add sample tickets" }).click();
  await page.locator("[data-ticket]").first().waitFor();
  await page.goto(`${server.url}/tickets/new`);
  await page.getByLabel("Title").fill("Image upload error");
  await page.getByLabel("Description").fill(ANSWER);
  await page.keyboard.press("Control+Enter");
  await page.waitForURL(/tickets\/[0-9a-f]{24}$/);
  ticket = new URL(page.url()).pathname;
  await page.getByText("Uploads above 4 MB fail.").waitFor();
  await server.control({ script: "ok", text: ANSWER, delay_ms: 0 });
  await page.goto(`${server.url}/chat?ticket=${ticket.split("/").at(-1)}`);
  const composer = page.getByRole("textbox", { name: "Message to the tutor" });
  await composer.fill("Why does this happen?");
  await page.keyboard.press("Enter");
  await page.getByRole("button", { name: "Copy answer" }).waitFor();
  await server.control({ script: "badkey" });
  await composer.fill("And how do I fix it?");
  await page.keyboard.press("Enter");
  await page.getByText("failed", { exact: true }).waitFor();
  session = new URL(page.url()).pathname + new URL(page.url()).search;
  versions = await askAgain(page);
  await server.control({ script: "ok", text: ANSWER, delay_ms: 0 });
  room = await talk(context, page);
  state = await context.storageState();
  await context.close();
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

/** The past chats: a column on a desk, a sheet on a phone. */
async function openHistory(page) {
  const opener = page.getByRole("button", { name: "Tickets and history" });
  await page.getByRole("log").waitFor();
  const isSheet = await opener.isVisible();
  if (isSheet) await opener.click();
  const side = isSheet ? page.getByRole("dialog") : page.getByRole("main");
  await side.getByRole("button", { name: "History", exact: true }).click();
  const list = side.getByRole("navigation", { name: "Past chats" });
  await list.waitFor();
  return list;
}

const PAGES = [
  ["tickets", () => "/tickets", async (page) => page.locator("[data-ticket]").first().waitFor()],
  ["search", () => "/tickets?q=upload", async (page) => page.locator("mark").first().waitFor()],
  [
    "no-hit",
    () => "/tickets?q=zzzz",
    async (page) => page.getByText(/No ticket matches/).waitFor(),
  ],
  ["ticket", () => ticket, async (page) => page.locator("math").first().waitFor()],
  ["edit", () => `${ticket}/edit`, async (page) => page.getByLabel("Title").waitFor()],
  [
    "new-errors",
    () => "/tickets/new",
    async (page) => {
      await page.getByRole("button", { name: /Create ticket/ }).click();
      await page.getByText("Give the ticket a title.").waitFor();
    },
  ],
  [
    "chat-start",
    () => "/chat",
    async (page) =>
      page
        .getByRole("button", { name: /^Explain: / })
        .first()
        .waitFor(),
  ],
  [
    "history",
    () => session,
    async (page) => {
      const side = await openHistory(page);
      await side.getByText("4 messages").waitFor();
    },
  ],
  [
    "history-menu",
    () => session,
    async (page) => {
      const side = await openHistory(page);
      await side
        .getByRole("button", { name: /^More for/ })
        .last()
        .click();
      await page.getByRole("menuitem", { name: "Delete" }).waitFor();
    },
  ],
  [
    "history-rename",
    () => session,
    async (page) => {
      const side = await openHistory(page);
      await side
        .getByRole("button", { name: /^More for/ })
        .last()
        .click();
      await page.getByRole("menuitem", { name: "Rename" }).click();
      await page.getByRole("textbox", { name: "Name of the chat" }).fill("");
      await page.keyboard.press("Enter");
      await page.getByText("Give the chat a name.").waitFor();
    },
  ],
  [
    "history-search",
    () => "/chat?q=three%20hops",
    async (page) => {
      const side = await openHistory(page);
      await side.locator("mark").first().waitFor();
    },
  ],
  [
    "history-no-hit",
    () => "/chat?q=zzzz",
    async (page) => {
      const side = await openHistory(page);
      await side.getByText(/No chat of yours/).waitFor();
    },
  ],
  [
    "history-hit",
    () => "/chat?q=three%20hops",
    async (page) => {
      const side = await openHistory(page);
      await side
        .getByRole("link", { name: /three hops/ })
        .last()
        .click();
      await page.locator("[data-found]").waitFor();
    },
  ],
  ["chat", () => session, async (page) => page.locator("math").first().waitFor()],
  ["versions", () => versions, async (page) => page.getByText("You wrote:").waitFor()],
  [
    "version-before",
    () => versions,
    async (page) => {
      await page.getByRole("button", { name: "Previous version of the answer" }).click();
      await page.locator("math").first().waitFor();
    },
  ],
  [
    "reason",
    () => versions,
    async (page) => {
      await page.getByRole("button", { name: "Change" }).click();
      await page.getByRole("textbox", { name: /^What was wrong/ }).waitFor();
    },
  ],
  [
    "edit-question",
    () => versions,
    async (page) => {
      await page.getByRole("button", { name: "Edit" }).click();
      await page.getByRole("textbox", { name: "Edit your question" }).waitFor();
    },
  ],
  [
    "latest",
    () => session,
    async (page) => {
      await page.locator("math").first().waitFor();
      await page.setViewportSize({ width: page.viewportSize().width, height: 500 });
      await page.getByRole("log").hover();
      await page.mouse.wheel(0, -900);
      await page.getByRole("button", { name: "Latest" }).waitFor();
    },
  ],
  [
    "rooms",
    () => "/rooms",
    async (page) => page.getByRole("heading", { name: "Other rooms" }).waitFor(),
  ],
  ["room", () => room, async (page) => page.locator("math").first().waitFor()],
  [
    "room-mention",
    () => room,
    async (page) => {
      await page.getByRole("textbox", { name: /^Message to/ }).pressSequentially("@");
      await page.getByRole("option").nth(1).waitFor();
    },
  ],
  [
    "room-edit",
    () => room,
    async (page) => {
      await page.locator("math").first().waitFor();
      await page.getByRole("textbox", { name: /^Message to/ }).fill(""); // the draft of the page before
      await page.getByRole("textbox", { name: /^Message to/ }).press("ArrowUp");
      await page.getByRole("textbox", { name: "Edit your message" }).waitFor();
    },
  ],
  [
    "room-people",
    () => room,
    async (page) => {
      const opener = page.getByRole("button", { name: /^People, / });
      await page.getByRole("log").waitFor();
      if (await opener.isVisible()) await opener.click();
      else await page.getByRole("button", { name: "People · 2" }).click();
      await page.getByRole("heading", { name: /^Away/ }).waitFor();
    },
  ],
  [
    "room-menu",
    () => room,
    async (page) => {
      await page.locator("math").first().waitFor();
      await page.getByRole("button", { name: "More for red-team" }).click();
      await page.getByRole("menuitem", { name: "Leave" }).waitFor();
    },
  ],
  [
    "room-outside",
    () => "/rooms",
    async (page) => {
      await page.getByRole("link", { name: /library-desk/ }).click();
      await page.getByRole("button", { name: "Join" }).waitFor();
    },
  ],
  [
    "room-missing",
    () => "/rooms/0123456789abcdef01234567",
    async (page) => page.getByText("There is no such room").waitFor(),
  ],
  [
    "room-new",
    () => "/rooms",
    async (page) => {
      await page.getByRole("button", { name: "New room" }).click();
      await page.getByRole("dialog", { name: "New room" }).waitFor();
      await page.getByRole("button", { name: "Create room" }).click();
      await page.getByText("Give the room a name.").waitFor();
    },
  ],
  [
    "account",
    () => "/rooms",
    async (page) => {
      await page.getByRole("heading", { name: "Other rooms" }).waitFor();
      await page.keyboard.press("Control+k");
      await page.getByRole("combobox").fill("keep an");
      await page.getByRole("option", { name: /Keep an account/ }).click();
      await page.getByRole("dialog", { name: "Keep an account" }).waitFor();
    },
  ],
  [
    "status",
    () => "/status",
    async (page) => {
      await page.getByText(/^Events come one by one/).waitFor();
      await page.getByText("GET /status", { exact: true }).waitFor();
    },
  ],
  [
    "missing-ticket",
    () => "/tickets/0123456789abcdef01234567",
    (page) => page.getByText("no such ticket").waitFor(),
  ],
  ["missing-page", () => "/nowhere", (page) => page.getByText("There is no page here").waitFor()],
  [
    "palette",
    () => "/tickets",
    async (page) => {
      await page.locator("[data-ticket]").first().waitFor();
      await page.keyboard.press("Control+k");
      await page.getByRole("option").nth(4).waitFor();
    },
  ],
  [
    "help",
    () => "/tickets",
    async (page) => {
      await page.locator("[data-ticket]").first().waitFor();
      await page.keyboard.press("?");
      await page.getByRole("dialog").waitFor();
    },
  ],
];

for (const theme of ["light", "dark"]) {
  for (const [width, height] of [
    [390, 844],
    [1280, 800],
  ]) {
    test(`${theme} at ${width}`, async () => {
      const context = await browser.newContext({
        viewport: { width, height },
        colorScheme: theme,
        storageState: state,
      });
      for (const [name, path, ready] of PAGES) {
        const page = await context.newPage();
        const seen = watch(page, server.url, [/status of 404/]);
        await page.goto(server.url + path());
        await ready(page);
        await page.waitForTimeout(250);
        await page.screenshot({ path: `${SHOTS}${name}-${theme}-${width}.png` });
        const { violations } = await new AxeBuilder({ page }).analyze();
        const found = violations.map(
          ({ id, nodes }) => `${id}: ${nodes.map((node) => node.target.join(" ")).join(" | ")}`,
        );
        assert.deepEqual(found, [], `${name}, ${theme}, ${width}`);
        const wide = await page.evaluate(() => document.documentElement.scrollWidth);
        assert.ok(wide <= width, `${name} is ${wide} wide on a screen of ${width}`);
        seen.check();
        await page.close();
      }
      await context.close();
    });
  }
}

test("360 wide, nothing is cut off", async () => {
  const context = await browser.newContext({
    viewport: { width: 360, height: 740 },
    storageState: state,
    hasTouch: true,
    isMobile: true,
  });
  for (const [name, path, ready] of PAGES.filter(
    ([name], at) => at < 14 || name.startsWith("room") || name === "status",
  )) {
    const page = await context.newPage();
    await page.goto(server.url + path());
    await ready(page);
    await page.screenshot({ path: `${SHOTS}${name}-360.png` });
    const wide = await page.evaluate(() => document.documentElement.scrollWidth);
    assert.ok(wide <= 360, `${name} is ${wide} wide`);
    await page.close();
  }
  await context.close();
});
