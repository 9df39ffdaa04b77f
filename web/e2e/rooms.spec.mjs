// People and the tutor in one room, each in a browser of their own: everybody sees every message, people who were away
// catch up without gap or double, and all see the tutor's words as they come.
import {
  answer,
  answers,
  api,
  expect,
  expectSentences,
  longerThan,
  pathOf,
  roomField,
  roomLog,
  SENTENCE,
  say,
  test,
  until,
  watch,
} from "./fixtures.mjs";

const SENTENCES = 8;
const ANSWER = `${SENTENCE.repeat(SENTENCES)}\n\nThe end.`;

/** Creates a room by its dialog. Returns its path. */
async function createRoom({ page }, name) {
  await page.goto("/rooms");
  await page.getByRole("button", { name: "New room" }).click();
  await page.getByRole("textbox", { name: "Name" }).fill(name);
  await page.keyboard.press("Enter");
  await expect(roomField(page)).toBeVisible();
  return pathOf(page);
}

async function join({ page }, path) {
  await page.goto(path);
  await page.getByRole("button", { name: "Join" }).click();
  await expect(roomField(page)).toBeVisible();
}

/** Returns the numbers of the messages "say 1", "say 2", … in the order of the page. */
const numbersIn = async (page) =>
  (await roomLog(page).locator(".md").allInnerTexts())
    .map((text) => /^say (\d+)$/.exec(text.trim())?.[1])
    .filter(Boolean)
    .map(Number);
const untilCount = (page, count, message) =>
  expect.poll(async () => (await numbersIn(page)).length, { message }).toBe(count);
const range = (first, last) =>
  Array.from({ length: last - first + 1 }, (_, index) => first + index);

test("a nameless visitor is asked for a name, and misleading names are refused", async ({
  newPerson,
  server,
  context,
  page,
}) => {
  const ana = await newPerson("Ana");
  const path = await createRoom(ana, "algebra-2");
  const watched = watch(page, server.url, [/status of 422/]);
  await page.goto(path);
  await expect(page.getByText("1 person")).toBeVisible();
  expect(await roomLog(page).count(), "strangers read nothing").toBe(0);
  await page.getByRole("button", { name: "Join" }).click();
  await page.getByRole("textbox", { name: "Name" }).fill("Tutor");
  await page.keyboard.press("Enter");
  await expect(page.getByText(/could be taken for the tutor/)).toBeVisible();
  await page.getByRole("textbox", { name: "Name" }).fill("Bob");
  await page.keyboard.press("Enter");
  await expect(roomField(page)).toBeVisible();
  await expect(ana.page.getByText("Here now · 3")).toBeVisible();
  await roomField(page).pressSequentially("hm");
  await expect(ana.page.getByText("Bob is typing")).toBeVisible();
  watched.check();
  await context.close();
  await expect(ana.page.getByText("Away · 1")).toBeVisible();
});

test("what the tutor thought is folded in the room, also after a reload", async ({
  newPerson,
  server,
}) => {
  const ana = await newPerson("Ana");
  await createRoom(ana, "thoughts");
  await server.control({ script: "thinking", text: "A proxy reads the size first." });
  await say(ana.page, "@tutor why?");
  await expect(answer(ana.page).getByText("asked by Ana")).toBeVisible();
  await ana.page.reload();
  await expect(answer(ana.page).getByText("A proxy reads the size first.")).toBeVisible();
  await expect(ana.page.getByText("SECRET THOUGHT")).toBeHidden();
  await answer(ana.page).getByText("Thought", { exact: true }).press("Enter");
  await expect(ana.page.getByText("SECRET THOUGHT")).toBeVisible();
});

test("a renamed room has its new name and topic in every open tab", async ({ newPerson }) => {
  const ana = await newPerson("Ana");
  const bob = await newPerson("Bob");
  const path = await createRoom(ana, "old-name");
  await join(bob, path);
  await ana.page.getByRole("button", { name: "More for old-name" }).click();
  await ana.page.getByRole("menuitem", { name: "Change name and topic" }).click();
  await ana.page.getByRole("textbox", { name: "Name", exact: true }).fill("new-name");
  await ana.page.getByRole("textbox", { name: "Topic" }).fill("Maths");
  await ana.page.keyboard.press("Enter");
  for (const { page } of [bob, ana]) {
    await expect(page.locator("header").getByText("Maths")).toBeVisible();
    await expect(page.getByRole("heading", { level: 1, name: "new-name" })).toBeVisible();
    await expect(page).toHaveTitle(/new-name/);
    const column = page.getByRole("navigation", { name: "Your rooms" });
    await expect(column.getByRole("link", { name: /new-name/ })).toBeAttached();
  }
});

test("a member who was away catches up without gap or double, and nothing sent is lost", async ({
  newPerson,
  cutter,
}) => {
  const ana = await newPerson("Ana");
  const bob = await newPerson("Bob", cutter.url);
  const path = await createRoom(ana, "library-desk");
  await join(bob, path);
  await say(ana.page, "say 1");
  await untilCount(bob.page, 1, "the first");

  await bob.context.setOffline(true);
  await say(bob.page, "say 100");
  await expect(bob.page.getByText(/sent again when the connection is back/)).toBeVisible();
  for (const n of range(2, 9)) await say(ana.page, `say ${n}`);
  await bob.page.reload().catch(() => undefined); // not even the page comes now
  await bob.context.setOffline(false);
  await bob.page.goto(path);
  await untilCount(bob.page, 10, "all of them");
  expect(await numbersIn(bob.page)).toEqual([...range(1, 9), 100]);
  await untilCount(ana.page, 10, "Bob's, once");

  for (const n of range(10, 24)) {
    await say(n % 2 ? ana.page : bob.page, `say ${n}`);
    if (n % 4 === 0) cutter.cut();
  }
  for (const { page } of [ana, bob]) {
    await untilCount(page, 25, "everything");
    const sorted = (await numbersIn(page)).toSorted((a, b) => a - b);
    expect(sorted).toEqual([...range(1, 24), 100]);
  }
  expect(await numbersIn(ana.page), "in one order for all").toEqual(await numbersIn(bob.page));
  expect(await bob.page.locator("[data-pending]").count()).toBe(0);
});

test("everybody sees the tutor's words as they come, also a member who comes late", async ({
  newPerson,
  server,
}) => {
  const ana = await newPerson("Ana");
  const bob = await newPerson("Bob");
  const path = await createRoom(ana, "red-team");
  await join(bob, path);
  const watched = [ana, bob].map(({ page }) => watch(page, server.url));
  await server.control({ text: ANSWER, delay_ms: 60, chunk: 6 });
  await roomField(bob.page).pressSequentially("@tu");
  await expect(bob.page.getByRole("option", { name: "@tutor AI" })).toBeVisible();
  await bob.page.keyboard.press("Enter");
  await roomField(bob.page).pressSequentially("why 413?");
  await bob.page.keyboard.press("Enter");
  for (const { page } of [ana, bob]) {
    await expect(answer(page).getByText("answering Bob")).toBeVisible();
    await longerThan(page, (await longerThan(page, 0)).length);
    await expect(answer(page).getByText("asked by")).toHaveCount(0);
  }
  await say(ana.page, "@tutor and now?");
  await expect(bob.page.getByText(/1 question is waiting for the tutor: Ana/)).toBeVisible();
  const chen = await newPerson("Chen");
  await join(chen, path);
  expect(await longerThan(chen.page, 0), "from its start").toMatch(
    /^The proxy reads the size first/,
  );
  expect(await answer(chen.page).getByRole("button", { name: /Stop/ }).count()).toBe(0);
  for (const { page } of [ana, bob, chen]) {
    const first = answers(page).first();
    await expect(first.getByText("The end.")).toBeVisible({ timeout: 30_000 });
    await expectSentences(first, SENTENCES);
    await expect(first.getByText("asked by Bob")).toBeVisible();
    await expect(first.getByText("answering")).toHaveCount(0);
  }
  await expect(answer(chen.page).getByText("answering Ana")).toBeVisible();
  const status = bob.page.getByRole("status").getByText(/answering|ready/);
  await expect(status).toBeAttached();
  await longerThan(ana.page, 0);
  await answer(ana.page).getByRole("button", { name: /Stop/ }).click();
  for (const { page } of [ana, bob, chen]) {
    await expect(answer(page).getByText("stopped", { exact: true })).toBeVisible();
    await expect(answer(page).getByText(/^stopped\s*The answer ends here\.$/i)).toBeVisible();
    await expect(answer(page).getByText("asked by Ana")).toBeVisible();
    await expect(answer(page).getByText("answering")).toHaveCount(0);
  }
  for (const { check } of watched) check();
});

test("edit, delete, silence, remove: everybody sees each", async ({ newPerson }) => {
  const ana = await newPerson("Ana");
  const bob = await newPerson("Bob");
  const path = await createRoom(ana, "quiet-room");
  await join(bob, path);
  await say(bob.page, "helo");
  await expect(ana.page.getByText("helo")).toBeVisible();
  await roomField(bob.page).press("ArrowUp");
  const editor = bob.page.getByRole("textbox", { name: "Edit your message" });
  await editor.fill("hello");
  await editor.press("Enter");
  await expect(ana.page.getByText("hello", { exact: true })).toBeVisible();
  await expect(ana.page.getByText("edited", { exact: true })).toBeVisible();

  await say(bob.page, "to be forgotten");
  const message = bob.page.getByRole("article", { name: /^(?:Bob|You), / }).last();
  await message.hover();
  await message.getByRole("button", { name: /^More for/ }).click();
  await bob.page.getByRole("menuitem", { name: "Delete" }).click();
  await bob.page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
  await expect(ana.page.getByText("Deleted message")).toBeVisible();
  // Nowhere on the page, the list of rooms included.
  await expect(ana.page.getByText("to be forgotten")).toHaveCount(0);

  const openMenuOfBob = () => ana.page.getByRole("button", { name: "More for Bob" }).click();
  await roomField(bob.page).fill("half a sentence");
  await openMenuOfBob();
  await ana.page.getByRole("menuitem", { name: "Silence" }).click();
  await expect(bob.page.getByText(/An admin silenced you/)).toBeVisible();
  expect(await roomField(bob.page).count()).toBe(0);
  await openMenuOfBob();
  await ana.page.getByRole("menuitem", { name: "Allow to write" }).click();
  await expect(roomField(bob.page)).toBeVisible();
  expect(await roomField(bob.page).inputValue(), "the draft is kept").toBe("half a sentence");

  await openMenuOfBob();
  await ana.page.getByRole("menuitem", { name: "Remove" }).click();
  await ana.page.getByRole("dialog").getByRole("button", { name: "Remove" }).click();
  const removed = bob.page.getByText("An admin removed you from this room.");
  await expect(removed).toBeVisible();
  const removedPeople = ana.page.getByRole("heading", { name: "Removed · 1" });
  await expect(removedPeople).toBeVisible();
  await ana.page.reload();
  await ana.page.getByRole("button", { name: "Let Bob back in" }).click();
  await expect(ana.page.getByText("Bob can join again.")).toBeVisible();
  await expect(removedPeople).not.toBeAttached();
  await bob.page.reload();
  await bob.page.getByRole("button", { name: "Join" }).click();
  await expect(roomField(bob.page)).toBeVisible();
  expect(await roomField(bob.page).inputValue()).toBe("half a sentence");

  await ana.page.getByRole("button", { name: "More for quiet-room" }).click();
  await ana.page.getByRole("menuitem", { name: "Delete" }).click();
  await ana.page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
  await expect(bob.page.getByText("Room not found")).toBeVisible();
  await expect(bob.page.getByText("half a sentence")).toBeVisible();
});

/** Sends "say 1" to "say `count`" over a socket of its own, and waits for the last. */
const sayMany = (page, path, count) =>
  page.evaluate(
    async ([path, count]) => {
      const socket = new WebSocket(`${location.origin.replace("http", "ws")}${path}/socket`);
      await new Promise((resolve) => socket.addEventListener("open", resolve));
      let posted = 0;
      const all = new Promise((resolve) => {
        socket.addEventListener("message", ({ data }) => {
          if (JSON.parse(data).type === "message_posted" && ++posted === count) resolve();
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

test("unread messages are marked, and read when they were seen", async ({ newPerson }) => {
  const ana = await newPerson("Ana");
  const bob = await newPerson("Bob");
  const path = await createRoom(ana, "algebra-3");
  await join(bob, path);
  await bob.page.goto("/rooms");
  for (const n of range(1, 40)) await say(ana.page, `say ${n}`);
  await say(ana.page, "@Bob say what you think");
  await expect(ana.page.locator("[data-pending]"), "all are sent").toHaveCount(0);
  await bob.page.reload();
  const row = bob.page.getByRole("main").getByRole("link", { name: /algebra-3/ });
  await expect(row.getByText("@1")).toBeVisible();
  const navigation = bob.page.getByRole("navigation", { name: "Pages" }).first();
  await expect(navigation.getByText("1 mention")).toBeVisible();
  await row.click();
  const line = bob.page.locator("#room-new");
  await expect(line).toBeVisible();
  expect(await line.innerText()).toMatch(/^New/);
  await until(async () => {
    const { y } = await line.boundingBox();
    return y > 60 && y < 600;
  }, "it opens at the unread");
  await expect(bob.page.getByText("say 1", { exact: true })).toBeVisible();
  await bob.page.getByRole("button", { name: /^Latest/ }).click();
  await until(async () => {
    const rooms = await api(bob.context, "GET", new URL("/rooms", bob.page.url()).href);
    return rooms.find(({ name }) => name === "algebra-3").unread === 0;
  }, "it is read");
});

test("news of a room reaches pages that show something else", async ({ newPerson }) => {
  const ana = await newPerson("Ana");
  const bob = await newPerson("Bob");
  const path = await createRoom(ana, "algebra-4");
  await join(bob, path);
  await bob.page.goto("/tickets");
  const navigation = bob.page.getByRole("navigation", { name: "Pages" }).first();
  await expect(navigation.getByText("Rooms")).toBeVisible();
  await say(ana.page, "@Bob look at this");
  await expect(navigation.getByText("1 mention")).toBeVisible();
  await bob.page.goto("/rooms");
  const rooms = bob.page.getByRole("main");
  await expect(rooms.getByRole("link", { name: /algebra-4/ })).toBeVisible();
  const id = path.split("/").at(-1);
  const url = new URL(`/rooms/${id}`, ana.page.url()).href;
  await api(ana.context, "PATCH", url, { name: "algebra-five" });
  await expect(rooms.getByRole("link", { name: /algebra-five/ })).toBeVisible();
  await api(ana.context, "DELETE", url);
  await expect(rooms.getByRole("link", { name: /algebra-five/ })).toHaveCount(0);
});

test("earlier messages come in above, and what is read stays in its place", async ({
  newPerson,
}) => {
  const ana = await newPerson("Ana");
  const path = await createRoom(ana, "long-room");
  await sayMany(ana.page, path, 150);
  await ana.page.goto(path);
  await expect(ana.page.getByText("say 150", { exact: true })).toBeVisible();
  const count = () => roomLog(ana.page).locator("article").count();
  expect(await count(), "not all are loaded").toBeLessThan(110);
  let release;
  const isReleased = new Promise((resolve) => {
    release = resolve;
  });
  await ana.page.route(/messages\?.*before=/, async (route) => {
    await isReleased;
    await route.continue();
  });
  const up = async () => {
    await roomLog(ana.page).hover();
    await ana.page.mouse.wheel(0, -400);
    await ana.page.waitForTimeout(60);
  };
  const loading = ana.page.getByRole("button", { name: "Loading…" });
  for (let turn = 0; turn < 60 && !(await loading.count()); turn++) await up();
  for (let turn = 0; turn < 3; turn++) await up();
  const loaded = await count();
  const second = (await numbersIn(ana.page))[1];
  const message = roomLog(ana.page).getByText(`say ${second}`, { exact: true });
  const before = (await message.boundingBox()).y;
  release();
  await until(async () => (await count()) > loaded, "earlier ones");
  await ana.page.waitForTimeout(200);
  const moved = (await message.boundingBox()).y - before;
  expect(Math.abs(moved), "what is read moved").toBeLessThan(40);
  await say(ana.page, "say 151");
  await until(async () => (await numbersIn(ana.page)).includes(151), "the new one");
  for (let turn = 0; turn < 90 && !(await numbersIn(ana.page)).includes(1); turn++) await up();
  expect(await numbersIn(ana.page)).toEqual(range(1, 151));
});

test("a page returns to a crashed server, and a visitor signed out elsewhere is told", async ({
  newPerson,
  server,
}) => {
  const ana = await newPerson("Ana");
  const path = await createRoom(ana, "phoenix");
  await say(ana.page, "say 1");
  await roomField(ana.page).fill("half a sentence");
  await server.kill();
  await say(ana.page, "say 2");
  const waiting = ana.page.getByText(/sent again when the connection is back/).first();
  await expect(waiting).toBeVisible();
  await expect(ana.page.getByText("Reconnecting… Your text is saved.")).toBeVisible();
  await server.serve();
  await untilCount(ana.page, 2, "both, once");
  await expect(ana.page.getByText("Reconnecting…")).not.toBeAttached();

  await roomField(ana.page).fill("half a sentence");
  await ana.page.waitForTimeout(400); // the draft is saved
  await api(ana.context, "DELETE", `${server.url}/me/session`);
  await expect(ana.page.getByText("You are signed out. Your text is kept.")).toBeVisible();
  await ana.page.getByRole("button", { name: "Continue as a visitor" }).click();
  await expect(ana.page.getByRole("button", { name: "Join" })).toBeVisible();
  expect(pathOf(ana.page)).toBe(path);
});

test("an account carries the name to another browser", async ({ newPerson }) => {
  const { page } = await newPerson("Ana Account");
  const email = `${crypto.randomUUID()}@example.com`;
  const named = page.getByRole("button", { name: "You are Ana Account" });
  await page.goto("/rooms");
  await named.click();
  await page.getByRole("menuitem", { name: "Create an account" }).click();
  await page.getByRole("textbox", { name: "E-mail" }).fill(email);
  await page.getByLabel("Password").fill("a long enough one");
  await page.getByRole("button", { name: "Create account" }).click();
  await expect(page.getByText("Account created.", { exact: false })).toBeVisible();
  await named.click();
  await page.getByRole("menuitem", { name: "Sign out" }).click();
  await page.getByRole("button", { name: "You are Visitor" }).click();
  await page.getByRole("menuitem", { name: "Sign in" }).click();
  await page.getByRole("textbox", { name: "E-mail" }).fill(email);
  await page.getByLabel("Password").fill("not this one");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("alert")).toBeVisible();
  await page.getByLabel("Password").fill("a long enough one");
  await page.keyboard.press("Enter");
  await expect(named).toBeVisible();
});

test("a ticket leads to its room", async ({ newPerson, server }) => {
  const { context, page } = await newPerson("Ana");
  const { id } = await api(context, "POST", `${server.url}/tickets`, {
    title: "Image upload error",
    description: "Photos end with `413`.",
    tags: [],
  });
  await page.goto(`/tickets/${id}`);
  await page.getByRole("link", { name: "Discuss in a room" }).click();
  await expect(page.getByText(/About the ticket/)).toBeVisible();
  await page.getByRole("button", { name: "Create room" }).click();
  await expect(roomField(page)).toBeVisible();
  const room = page.url();
  const ticket = page.getByRole("region", { name: "Ticket" });
  await expect(ticket.getByRole("link", { name: "Image upload error" })).toBeVisible();
  await expect(ticket.getByText("Photos end with")).toBeVisible();
  await page.goto(`/tickets/${id}`);
  await page.getByRole("link", { name: "Discuss in a room" }).click();
  await expect(roomField(page)).toBeVisible();
  expect(page.url()).toBe(room);
  await page.setViewportSize({ width: 390, height: 844 });
  await page.getByRole("button", { name: "Ticket: Image upload error" }).click();
  await expect(page.getByRole("dialog").getByText("Photos end with")).toBeVisible();
});
