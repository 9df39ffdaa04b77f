// Every page and overlay, dark and light, on a phone and a desk: no accessibility violations, nothing wider
// than the screen, and a picture of each in e2e/shots to be looked at.
import AxeBuilder from "@axe-core/playwright";
import {
  answer,
  api,
  ask,
  expect,
  pathOf,
  roomField,
  roomLog,
  SHOTS,
  say,
  test,
  watch,
} from "./fixtures.mjs";

const ANSWER =
  "It passes **three hops**:\n\n1. The browser\n2. The proxy, which answers `413`\n3. The application\n\n" +
  "```nginx\nclient_max_body_size 20m; # was 4m\n```\n\n| hop | limit |\n|---|---|\n| proxy | 4 MB |\n\n" +
  "The size is \\(n = 2^{22}\\), see [the manual](https://nginx.org/) and ![a picture](https://x.example/p.png).\n\n" +
  "$$\\sum_{i=0}^{n} x_i$$\n\n> It costs $5 and $10.\n\n- [x] done\n- [ ] open";

let ticket;
let state;
let session;
let versions;
let room;

/** Makes a chat with two questions in one place, two answers to the later one, and an opinion on the last. */
async function askAgain(server, page) {
  await server.control({ script: "ok", text: `It is small.\n\n${ANSWER}` });
  await page.goto("/chat");
  await ask(page, "Why a limt?");
  await page.getByRole("button", { name: "Edit" }).click();
  await page.getByRole("textbox", { name: "Edit your question" }).fill("Why is there a limit?");
  await page.keyboard.press("Enter");
  await page.getByRole("group", { name: "Version 2 of 2 of the question" }).waitFor();
  await page.getByRole("button", { name: "Regenerate" }).waitFor();
  await server.control({ text: "So that one upload cannot fill the disk." });
  await page.getByRole("button", { name: "Regenerate" }).click();
  await page.getByRole("group", { name: "Version 2 of 2 of the answer" }).waitFor();
  await page.getByRole("button", { name: "Bad answer" }).click();
  await page.getByRole("textbox", { name: /^What was wrong/ }).fill("It does not say how much.");
  await page.keyboard.press("Enter");
  await page.getByText("You wrote:").waitFor();
  return pathOf(page);
}

/** Makes a room about the ticket: a second person, an answer, a deleted and an edited message, and news. */
async function talk(server, page, bob) {
  const call = (tab, method, path, data) => api(tab.context(), method, server.url + path, data);
  await call(page, "PATCH", "/me", { name: "Ana" });
  const ticket_id = ticket.split("/").at(-1);
  const created = await call(page, "POST", "/rooms", {
    name: "red-team",
    topic: "Why it fails",
    ticket_id,
  });
  const path = `/rooms/${created.id}`;
  await call(bob, "PATCH", "/me", { name: "Bob" });
  await call(bob, "POST", "/rooms", { name: "library-desk", topic: "Books and more" });
  await call(bob, "POST", `${path}/join`, {});
  const sayAndConfirm = async (tab, text) => {
    await say(tab, text);
    await roomLog(tab).getByText(text.split("@")[0].slice(0, 20)).first().waitFor();
    await tab.locator("[data-pending]").first().waitFor({ state: "detached" });
  };
  await bob.goto(path);
  await page.goto(path);
  await sayAndConfirm(page, "Same 413 here, only behind the proxy.");
  await sayAndConfirm(bob, "This will be deleted");
  const messages = await call(bob, "GET", `${path}/messages`);
  await call(bob, "DELETE", `${path}/messages/${messages.at(-1).id}`);
  await call(page, "PATCH", `${path}/messages/${messages[0].id}`, { content: "Same `413` here." });
  await sayAndConfirm(bob, "Which hop answers, @tutor ?");
  await answer(bob).getByText("It costs $5 and $10.").waitFor();
  await page.goto("/rooms");
  await sayAndConfirm(bob, "What do you think, @Ana ?");
  return path;
}

test.beforeAll(async ({ server, browser }) => {
  const options = { baseURL: server.url };
  const [context, other] = [await browser.newContext(options), await browser.newContext(options)];
  const page = await context.newPage();
  await server.control({ script: "ok", text: "Uploads above 4 MB fail.", delay_ms: 0, chunk: 12 });
  await api(context, "POST", `${server.url}/tickets/samples`);
  await page.goto("/tickets");
  await page.locator("[data-ticket]").first().waitFor();
  await page.goto("/tickets/new");
  await page.getByLabel("Title").fill("Image upload error");
  await page.getByLabel("Description").fill(ANSWER);
  await page.keyboard.press("Control+Enter");
  await page.waitForURL(/tickets\/[0-9a-f]{24}$/);
  ticket = pathOf(page);
  await page.getByText("Uploads above 4 MB fail.").waitFor();
  await server.control({ text: ANSWER });
  await page.goto(`/chat?ticket=${ticket.split("/").at(-1)}`);
  await ask(page, "Why does this happen?");
  await page.getByRole("button", { name: "Copy answer" }).waitFor();
  await server.control({ script: "badkey" });
  await ask(page, "And how do I fix it?");
  await page.getByText("failed", { exact: true }).waitFor();
  session = pathOf(page);
  versions = await askAgain(server, page);
  await server.control({ text: ANSWER });
  room = await talk(server, page, await other.newPage());
  await other.close();
  state = await context.storageState();
  await context.close();
});

/** Waits for the formulas and the coloured code of an answer. */
async function renderedAnswer(page) {
  await page.locator("math").first().waitFor();
  await page.locator("pre [class^=hljs-]").first().waitFor();
}

/** Opens the past chats, a column on a desk and a sheet on a phone. Returns their list. */
async function openHistory(page) {
  const opener = page.getByRole("button", { name: "Tickets and history" });
  await page.getByRole("log").waitFor();
  const isPhone = await opener.isVisible();
  if (isPhone) await opener.click();
  const side = isPhone ? page.getByRole("dialog") : page.getByRole("main");
  await side.getByRole("button", { name: "History", exact: true }).click();
  const list = side.getByRole("navigation", { name: "Past chats" });
  await list.waitFor();
  return list;
}

/** Each page and overlay: its name, its path, and what brings it about. */
const PAGES = [
  ["tickets", () => "/tickets", async (page) => page.locator("[data-ticket]").first().waitFor()],
  ["search", () => "/tickets?q=upload", async (page) => page.locator("mark").first().waitFor()],
  [
    "no-hit",
    () => "/tickets?q=zzzz",
    async (page) => page.getByText(/No ticket matches/).waitFor(),
  ],
  ["ticket", () => ticket, renderedAnswer],
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
      await side.getByText(/None of your chats has/).waitFor();
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
  ["chat", () => session, renderedAnswer],
  ["versions", () => versions, async (page) => page.getByText("You wrote:").waitFor()],
  [
    "version-before",
    () => versions,
    async (page) => {
      await page.getByRole("button", { name: "Previous version of the answer" }).click();
      await renderedAnswer(page);
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
      await renderedAnswer(page);
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
  ["room", () => room, renderedAnswer],
  [
    "room-mention",
    () => room,
    async (page) => {
      await roomField(page).pressSequentially("@");
      await page.getByRole("option").nth(1).waitFor();
    },
  ],
  [
    "room-edit",
    () => room,
    async (page) => {
      await renderedAnswer(page);
      await roomField(page).press("ArrowUp");
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
      await renderedAnswer(page);
      await page.getByRole("button", { name: "More for red-team" }).click();
      await page.getByRole("menuitem", { name: "Leave" }).waitFor();
    },
  ],
  [
    "room-outside",
    () => "/rooms",
    async (page) => {
      await page
        .getByRole("link", { name: /library-desk/ })
        .first()
        .click();
      await page.getByRole("button", { name: "Join" }).waitFor();
    },
  ],
  [
    "room-missing",
    () => "/rooms/0123456789abcdef01234567",
    async (page) => page.getByText("Room not found").waitFor(),
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
      await page.getByRole("combobox").fill("create an");
      await page.getByRole("option", { name: /Create an account/ }).click();
      await page.getByRole("dialog", { name: "Create an account" }).waitFor();
    },
  ],
  [
    "status",
    () => "/status",
    async (page) => {
      // A busy machine delivers the events of the self-test at once, which the page shows as a proxy that buffers.
      await page.getByText(/^(Events come one by one|All events came at once)/).waitFor();
      await page.getByRole("columnheader", { name: "Median" }).waitFor();
    },
  ],
  [
    "missing-ticket",
    () => "/tickets/0123456789abcdef01234567",
    (page) => page.getByText("Ticket not found").waitFor(),
  ],
  ["missing-page", () => "/nowhere", (page) => page.getByText("Page not found").waitFor()],
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

/** Waits until fonts are there, idle work is done and transitions are over. */
const settle = (page) =>
  page.evaluate(async () => {
    await document.fonts.ready;
    await new Promise((resolve) => requestIdleCallback(resolve, { timeout: 1_000 }));
    await new Promise(requestAnimationFrame);
    const ending = document
      .getAnimations()
      .filter(({ effect }) => effect.getComputedTiming().endTime !== Infinity);
    await Promise.allSettled(ending.map(({ finished }) => finished));
  });

/** Scans the page. Returns each violation with the elements that have it. */
async function violationsOf(page) {
  // The pages have no frames, so axe may run in the page alone.
  const builder = new AxeBuilder({ page }).setLegacyMode().options({ resultTypes: ["violations"] });
  const { violations } = await builder.analyze();
  return violations.map(
    ({ id, nodes }) => `${id}: ${nodes.map((node) => node.target.join(" ")).join(" | ")}`,
  );
}

const widthOf = (page) => page.evaluate(() => document.documentElement.scrollWidth);

for (const [name, path, prepare] of PAGES) {
  test(`${name} is accessible in light and dark, on a phone and a desk`, async ({
    server,
    newContext,
  }) => {
    for (const [width, height] of [
      [390, 844],
      [1280, 800],
    ]) {
      const context = await newContext({ viewport: { width, height }, storageState: state });
      const page = await context.newPage();
      const watched = watch(page, server.url, [/status of 404/]);
      await page.goto(path());
      await prepare(page);
      for (const theme of ["light", "dark"]) {
        await page.emulateMedia({ colorScheme: theme });
        await expect(page.locator("html")).toHaveAttribute("data-theme", theme);
        await settle(page);
        await page.screenshot({ path: `${SHOTS}${name}-${theme}-${width}.png` });
        expect(await violationsOf(page), `${theme} at ${width}`).toEqual([]);
        expect(await widthOf(page), "no wider than the screen").toBeLessThanOrEqual(width);
      }
      watched.check();
      await context.close();
    }
  });

  test(`${name} is cut off nowhere at a width of 360`, async ({ newContext }) => {
    const viewport = { width: 360, height: 740 };
    const options = { viewport, storageState: state, hasTouch: true, isMobile: true };
    const page = await (await newContext(options)).newPage();
    await page.goto(path());
    await prepare(page);
    await page.screenshot({ path: `${SHOTS}${name}-360.png` });
    expect(await widthOf(page), "no wider than the screen").toBeLessThanOrEqual(360);
  });
}
