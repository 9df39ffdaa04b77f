// People and the tutor in one room, each in a browser of their own: what one says the others see, who was away
// catches up without gap or double, everybody sees the tutor's words as they come.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { cuttingProxy, launch, startServer, watch } from "./server.mjs";

const SENTENCE = "The proxy reads the size first, so it answers **413** at once. 👩‍👩‍👧 é ";
const ANSWER = `${SENTENCE.repeat(8)}\n\nThe end.`;

let server;
let browser;
before(async () => {
  server = await startServer({ TUTORDESK_MAX_ROOM_MESSAGES_PER_MINUTE: "0" });
  browser = await launch();
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

const field = (page) => page.getByRole("textbox", { name: /^Message to/ });
const log = (page) => page.getByRole("log", { name: "Messages" });
const answer = (page) => page.getByRole("article", { name: /^Tutor/ }).last();

async function until(page, condition, what) {
  const deadline = Date.now() + 20_000;
  while (!(await condition())) {
    assert.ok(Date.now() < deadline, `waited for: ${what}`);
    await page.waitForTimeout(50);
  }
}

/** A browser of somebody who goes by a name. */
async function person(name, url = server.url) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
  const response = await context.request.patch(`${url}/me`, {
    data: { name },
    headers: { Origin: url },
  });
  assert.ok(response.ok(), await response.text());
  const page = await context.newPage();
  return { context, page, url };
}

async function say(page, text) {
  await field(page).fill(text);
  await page.keyboard.press("Enter");
}

/** Makes a room by its dialog; gives its path. */
async function makeRoom({ page, url }, name) {
  await page.goto(`${url}/rooms`);
  await page.getByRole("button", { name: "New room" }).click();
  await page.getByRole("textbox", { name: "Name" }).fill(name);
  await page.keyboard.press("Enter");
  await field(page).waitFor();
  return new URL(page.url()).pathname;
}

async function join({ page, url }, path) {
  await page.goto(url + path);
  await page.getByRole("button", { name: "Join" }).click();
  await field(page).waitFor();
}

const numbers = async (page) =>
  (await log(page).locator(".md").allInnerTexts())
    .map((text) => /^say (\d+)$/.exec(text.trim())?.[1])
    .filter(Boolean)
    .map(Number);

test("who has no name is asked for one, and names that mislead are refused", async () => {
  const ana = await person("Ana");
  const path = await makeRoom(ana, "algebra-2");
  const context = await browser.newContext();
  const page = await context.newPage();
  const seen = watch(page, server.url, [/status of 422/]);
  await page.goto(server.url + path);
  await page.getByText("1 person here").waitFor();
  assert.equal(await log(page).count(), 0, "nothing is read from outside");
  await page.getByRole("button", { name: "Join" }).click();
  await page.getByRole("textbox", { name: "Name" }).fill("Tutor");
  await page.keyboard.press("Enter");
  await page.getByText(/could be taken for the tutor/).waitFor();
  await page.getByRole("textbox", { name: "Name" }).fill("Bob");
  await page.keyboard.press("Enter");
  await field(page).waitFor();
  await ana.page.getByText("Here now · 3").waitFor();
  await field(page).pressSequentially("hm");
  await ana.page.getByText("Bob is typing").waitFor();
  seen.check();
  await context.close();
  await ana.page.getByText("Away · 1").waitFor();
  await ana.context.close();
});

test("who was away catches up without gap or double, and nothing sent is lost", async () => {
  const proxy = await cuttingProxy(new URL(server.url).port);
  const ana = await person("Ana");
  const bob = await person("Bob", proxy.url);
  const path = await makeRoom(ana, "library-desk");
  await join(bob, path);
  await say(ana.page, "say 1");
  await until(bob.page, async () => (await numbers(bob.page)).length === 1, "the first");

  await bob.context.setOffline(true);
  await say(bob.page, "say 100");
  await bob.page.getByText(/sent again when the connection is back/).waitFor();
  for (let n = 2; n <= 9; n++) await say(ana.page, `say ${n}`);
  await bob.page.reload().catch(() => undefined); // not even the page comes now
  await bob.context.setOffline(false);
  await bob.page.goto(bob.url + path);
  await until(bob.page, async () => (await numbers(bob.page)).length === 10, "all of them");
  assert.deepEqual(await numbers(bob.page), [1, 2, 3, 4, 5, 6, 7, 8, 9, 100]);
  await until(ana.page, async () => (await numbers(ana.page)).length === 10, "Bob's, once");

  for (let n = 10; n <= 24; n++) {
    await say(n % 2 ? ana.page : bob.page, `say ${n}`);
    if (n % 4 === 0) proxy.cut();
  }
  const all = [...Array(9).keys()].map((n) => n + 1);
  const late = [...Array(15).keys()].map((n) => n + 10);
  for (const { page } of [ana, bob]) {
    await until(page, async () => (await numbers(page)).length === 25, "everything");
    const shown = await numbers(page);
    assert.deepEqual(
      shown.toSorted((a, b) => a - b),
      [...all, ...late, 100],
    );
  }
  assert.deepEqual(await numbers(ana.page), await numbers(bob.page), "in one order for all");
  assert.equal(await bob.page.locator("[data-pending]").count(), 0);
  await bob.context.close();
  await ana.context.close();
  await proxy.stop();
});

test("everybody sees the tutor's words as they come, also who comes late", async () => {
  const ana = await person("Ana");
  const bob = await person("Bob");
  const path = await makeRoom(ana, "red-team");
  await join(bob, path);
  const seen = [watch(ana.page, server.url), watch(bob.page, server.url)];
  await server.control({ script: "ok", text: ANSWER, delay_ms: 60, chunk: 6 });
  await field(bob.page).pressSequentially("@tu");
  await bob.page.getByRole("option", { name: "@tutor AI" }).waitFor();
  await bob.page.keyboard.press("Enter");
  await field(bob.page).pressSequentially("why 413?");
  await bob.page.keyboard.press("Enter");
  const lengths = [];
  for (const { page } of [ana, bob]) {
    await answer(page).getByText("answering Bob").waitFor();
    await until(page, async () => (await answer(page).locator(".md").count()) > 0, "text");
    const text = await answer(page).locator(".md").innerText();
    await until(
      page,
      async () => (await answer(page).locator(".md").innerText()).length > text.length,
      "the text grows",
    );
    lengths.push(text.length);
  }
  await say(ana.page, "@tutor and now?");
  await bob.page.getByText(/1 question waits for the tutor: Ana/).waitFor();
  const chen = await person("Chen");
  await join(chen, path);
  await until(chen.page, async () => (await answer(chen.page).locator(".md").count()) > 0, "text");
  const late = await answer(chen.page).locator(".md").innerText();
  assert.match(late, /^The proxy reads the size first/, "from its start");
  assert.equal(await answer(chen.page).getByRole("button", { name: /Stop/ }).count(), 0);
  const first = (page) => page.getByRole("article", { name: /^Tutor/ }).first();
  for (const { page } of [ana, bob, chen]) {
    await first(page).getByText("The end.").waitFor({ timeout: 30_000 });
    const words = (await first(page).locator(".md-block").first().innerText()).match(/413/g);
    assert.equal(words.length, 8, "nothing is missing, nothing is doubled");
  }
  await answer(chen.page).getByText("answering Ana").waitFor();
  await bob.page
    .getByRole("status")
    .getByText(/answering|ready/)
    .waitFor({ state: "attached" });
  await until(ana.page, async () => (await answer(ana.page).locator(".md").count()) > 0, "text");
  await answer(ana.page).getByRole("button", { name: /Stop/ }).click();
  for (const { page } of [ana, bob, chen]) {
    await answer(page).getByText("stopped", { exact: true }).waitFor();
  }
  for (const one of seen) one.check();
  for (const { context } of [ana, bob, chen]) await context.close();
});

test("edit, delete, silence, put out: each is seen by all, and said", async () => {
  const ana = await person("Ana");
  const bob = await person("Bob");
  const path = await makeRoom(ana, "quiet-room");
  await join(bob, path);
  await say(bob.page, "helo");
  await ana.page.getByText("helo").waitFor();
  await field(bob.page).press("ArrowUp");
  const editor = bob.page.getByRole("textbox", { name: "Edit your message" });
  await editor.fill("hello");
  await editor.press("Enter");
  await ana.page.getByText("hello", { exact: true }).waitFor();
  await ana.page.getByText("edited", { exact: true }).waitFor();

  await say(bob.page, "to be forgotten");
  const message = (page) => page.getByRole("article", { name: /^(?:Bob|You), / }).last();
  await message(bob.page).hover();
  await message(bob.page)
    .getByRole("button", { name: /^More for/ })
    .click();
  await bob.page.getByRole("menuitem", { name: "Delete" }).click();
  await bob.page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
  await ana.page.getByText("Deleted message").waitFor();
  await until(
    ana.page,
    async () => (await ana.page.getByText("to be forgotten").count()) === 0,
    "it is nowhere any more, the list of rooms included",
  );

  await field(bob.page).fill("half a sentence");
  await ana.page.getByRole("button", { name: "More for Bob" }).click();
  await ana.page.getByRole("menuitem", { name: "Silence" }).click();
  await bob.page.getByText(/An admin silenced you/).waitFor();
  assert.equal(await field(bob.page).count(), 0);
  await ana.page.getByRole("button", { name: "More for Bob" }).click();
  await ana.page.getByRole("menuitem", { name: "Let speak" }).click();
  await field(bob.page).waitFor();
  assert.equal(await field(bob.page).inputValue(), "half a sentence", "the draft is kept");

  await ana.page.getByRole("button", { name: "More for Bob" }).click();
  await ana.page.getByRole("menuitem", { name: "Put out" }).click();
  await ana.page.getByRole("dialog").getByRole("button", { name: "Put out" }).click();
  await bob.page.getByText("You are not in this room any more: an admin put you out.").waitFor();
  await ana.page.getByRole("heading", { name: "Put out · 1" }).waitFor();
  await ana.page.reload();
  await ana.page.getByRole("button", { name: "Let Bob in again" }).click();
  await ana.page.getByText("Bob may join again.").waitFor();
  await ana.page.getByRole("heading", { name: "Put out · 1" }).waitFor({ state: "detached" });
  await bob.page.reload();
  await bob.page.getByRole("button", { name: "Join" }).click();
  await field(bob.page).waitFor();
  assert.equal(await field(bob.page).inputValue(), "half a sentence");

  await ana.page.getByRole("button", { name: "More for quiet-room" }).click();
  await ana.page.getByRole("menuitem", { name: "Delete" }).click();
  await ana.page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
  await bob.page.getByText("There is no such room").waitFor();
  await bob.page.getByText("half a sentence").waitFor();
  for (const { context } of [ana, bob]) await context.close();
});

test("what is unread is marked, and read when it was seen", async () => {
  const ana = await person("Ana");
  const bob = await person("Bob");
  const path = await makeRoom(ana, "algebra-3");
  await join(bob, path);
  await bob.page.goto(`${bob.url}/rooms`);
  for (let n = 1; n <= 40; n++) await say(ana.page, `say ${n}`);
  await say(ana.page, "@Bob say what you think");
  const pending = ana.page.locator("[data-pending]");
  await until(ana.page, async () => (await pending.count()) === 0, "all are sent");
  await bob.page.reload();
  const row = bob.page.getByRole("main").getByRole("link", { name: /algebra-3/ });
  await row.getByText("@1").waitFor();
  await bob.page
    .getByRole("navigation", { name: "Pages" })
    .first()
    .getByText("1 mention")
    .waitFor();
  await row.click();
  const line = bob.page.locator("#room-new");
  await line.waitFor();
  assert.match(await line.innerText(), /^New/);
  await until(
    bob.page,
    async () => {
      const { y } = await line.boundingBox();
      return y > 60 && y < 600;
    },
    "it opens at the unread",
  );
  await bob.page.getByText("say 1", { exact: true }).waitFor();
  await bob.page.getByRole("button", { name: /^Latest/ }).click();
  await until(
    bob.page,
    async () => {
      const rooms = await (await bob.context.request.get(`${bob.url}/rooms`)).json();
      return rooms.find(({ name }) => name === "algebra-3").unread === 0;
    },
    "it is read",
  );
  for (const { context } of [ana, bob]) await context.close();
});

/** Says many things at once, over a socket of its own. */
const sayMany = (page, path, count) =>
  page.evaluate(
    async ([path, count]) => {
      const socket = new WebSocket(`${location.origin.replace("http", "ws")}${path}/socket`);
      await new Promise((resolve) => socket.addEventListener("open", resolve));
      let told = 0;
      const all = new Promise((resolve) => {
        socket.addEventListener("message", ({ data }) => {
          if (JSON.parse(data).type === "message_posted" && ++told === count) resolve();
        });
      });
      for (let n = 1; n <= count; n++) {
        const content = `say ${n}`;
        socket.send(JSON.stringify({ type: "send", client_message_id: content, content }));
      }
      await all;
      socket.close();
    },
    [path, count],
  );

test("earlier messages come in above, and what is read stays where it is", async () => {
  const ana = await person("Ana");
  const path = await makeRoom(ana, "long-room");
  await sayMany(ana.page, path, 150);
  await ana.page.goto(ana.url + path);
  await ana.page.getByText("say 150", { exact: true }).waitFor();
  const count = () => log(ana.page).locator("article").count();
  assert.ok((await count()) < 110, "not all are loaded");
  await ana.page.route(/messages\?.*before=/, async (route) => {
    await new Promise((resolve) => setTimeout(resolve, 700));
    await route.continue();
  });
  const up = async () => {
    await log(ana.page).hover();
    await ana.page.mouse.wheel(0, -400);
    await ana.page.waitForTimeout(60);
  };
  const loading = ana.page.getByRole("button", { name: "Loading…" });
  for (let turn = 0; turn < 60 && !(await loading.count()); turn++) await up();
  for (let turn = 0; turn < 3; turn++) await up();
  const known = await count();
  const mark = log(ana.page).getByText(`say ${(await numbers(ana.page))[1]}`, { exact: true });
  const before = (await mark.boundingBox()).y;
  await until(ana.page, async () => (await count()) > known, "earlier ones");
  await ana.page.waitForTimeout(200);
  const moved = (await mark.boundingBox()).y - before;
  assert.ok(Math.abs(moved) < 40, `what is read moved by ${moved} px`);
  await say(ana.page, "say 151");
  await until(ana.page, async () => (await numbers(ana.page)).includes(151), "the new one");
  for (let turn = 0; turn < 90 && !(await numbers(ana.page)).includes(1); turn++) {
    await up();
  }
  assert.deepEqual(
    await numbers(ana.page),
    [...Array(151).keys()].map((n) => n + 1),
  );
  await ana.context.close();
});

test("a server that crashes is come back to, and who signs out elsewhere is told", async () => {
  const ana = await person("Ana");
  const path = await makeRoom(ana, "phoenix");
  await say(ana.page, "say 1");
  await field(ana.page).fill("half a sentence");
  await server.kill();
  await say(ana.page, "say 2");
  await ana.page
    .getByText(/sent again when the connection is back/)
    .first()
    .waitFor();
  await ana.page.getByText("Reconnecting… your text is kept").waitFor();
  await server.serve();
  await until(ana.page, async () => (await numbers(ana.page)).length === 2, "both, once");
  await ana.page.getByText("Reconnecting…").waitFor({ state: "detached" });

  await field(ana.page).fill("half a sentence");
  await ana.page.waitForTimeout(400);
  const signOut = { headers: { Origin: ana.url } };
  assert.ok((await ana.context.request.delete(`${ana.url}/me/session`, signOut)).ok());
  await ana.page.getByText("You are signed out. Your text is kept.").waitFor({ timeout: 20_000 });
  await ana.page.getByRole("button", { name: "Go on as a visitor" }).click();
  await ana.page.getByRole("button", { name: "Join" }).waitFor();
  assert.equal(new URL(ana.page.url()).pathname, path);
  await ana.context.close();
});

test("an account carries the name to another browser", async () => {
  const ana = await person("Ana Account");
  await ana.page.goto(`${ana.url}/rooms`);
  await ana.page.getByRole("button", { name: "You are Ana Account" }).click();
  await ana.page.getByRole("menuitem", { name: "Keep an account" }).click();
  await ana.page.getByRole("textbox", { name: "E-mail" }).fill("ana@example.com");
  await ana.page.getByLabel("Password").fill("a long enough one");
  await ana.page.getByRole("button", { name: "Keep account" }).click();
  await ana.page.getByText("Your account is kept.", { exact: false }).waitFor();
  await ana.page.getByRole("button", { name: "You are Ana Account" }).click();
  await ana.page.getByRole("menuitem", { name: "Sign out" }).click();
  await ana.page.getByRole("button", { name: "You are Visitor" }).waitFor();
  await ana.page.getByRole("button", { name: "You are Visitor" }).click();
  await ana.page.getByRole("menuitem", { name: "Sign in" }).click();
  await ana.page.getByRole("textbox", { name: "E-mail" }).fill("ana@example.com");
  await ana.page.getByLabel("Password").fill("not this one");
  await ana.page.keyboard.press("Enter");
  await ana.page.getByRole("alert").waitFor();
  await ana.page.getByLabel("Password").fill("a long enough one");
  await ana.page.keyboard.press("Enter");
  await ana.page.getByRole("button", { name: "You are Ana Account" }).waitFor();
  await ana.context.close();
});

test("a ticket leads to its room", async () => {
  const ana = await person("Ana");
  const answer = await ana.context.request.post(`${ana.url}/tickets`, {
    data: { title: "Image upload error", description: "Photos end with `413`.", tags: [] },
    headers: { Origin: ana.url },
  });
  const { id } = await answer.json();
  await ana.page.goto(`${ana.url}/tickets/${id}`);
  await ana.page.getByRole("link", { name: "Discuss in a room" }).click();
  await ana.page.getByText(/About the ticket/).waitFor();
  await ana.page.getByRole("button", { name: "Create room" }).click();
  await field(ana.page).waitFor();
  const room = ana.page.url();
  const beside = ana.page.getByRole("region", { name: "Ticket" });
  await beside.getByRole("link", { name: "Image upload error" }).waitFor();
  await beside.getByText("Photos end with").waitFor();
  await ana.page.goto(`${ana.url}/tickets/${id}`);
  await ana.page.getByRole("link", { name: "Discuss in a room" }).click();
  await field(ana.page).waitFor();
  assert.equal(ana.page.url(), room);
  await ana.page.setViewportSize({ width: 390, height: 844 });
  await ana.page.getByRole("button", { name: "Ticket: Image upload error" }).click();
  await ana.page.getByRole("dialog").getByText("Photos end with").waitFor();
  await ana.context.close();
});
