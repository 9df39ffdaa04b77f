// What somebody types while the tutor answers: it goes into the composer, wherever the question was asked, and never to
// the shortcuts of the page.
import { answers, api, ask, composer, expect, pathOf, questions, test } from "./fixtures.mjs";

const NEXT = "And now: next?";
const SLOW = { text: "A sentence of an answer that takes a while. ".repeat(20), delay_ms: 60 };

const stopButton = (page) => page.getByRole("button", { name: /^Stop/ });
const sendButton = (page) => page.getByRole("button", { name: "Send" });

const WAYS = {
  "a new chat": async (page) => {
    await page.goto("/chat");
    await ask(page, "Why?");
  },
  "a suggestion": async (page) => {
    await page.goto("/chat");
    await page.getByRole("button", { name: "What do the tickets cover?" }).click();
  },
  "a chat with an answer": async (page, server) => {
    await server.control({ text: "Because.", delay_ms: 0 });
    await page.goto("/chat");
    await ask(page, "Why?");
    await page.getByRole("button", { name: "Regenerate" }).waitFor();
    await server.control(SLOW);
    await ask(page, "Why not?");
  },
  "an edited question": async (page, server) => {
    await server.control({ text: "Because.", delay_ms: 0 });
    await page.goto("/chat");
    await ask(page, "Why?");
    await page.getByRole("button", { name: "Regenerate" }).waitFor();
    await server.control(SLOW);
    await page.keyboard.press("ArrowUp");
    await page.getByRole("textbox", { name: "Edit your question" }).fill("Why not?");
    await page.keyboard.press("Enter");
  },
  "a ticket": async (page, server) => {
    const ticket = { title: "Upload fails", description: "It answers 413.", category: "bug" };
    const { id } = await api(page.context(), "POST", `${server.url}/tickets`, ticket);
    await page.goto(`/tickets/${id}`);
    await page.getByLabel("Ask about this ticket").fill("Why?");
    await page.keyboard.press("Enter");
    await page.waitForURL(/\/chat/);
  },
};

for (const [name, begin] of Object.entries(WAYS)) {
  test(`text typed during the answer to ${name} is kept and sent afterwards`, async ({
    server,
    page,
  }) => {
    await server.control(SLOW);
    await begin(page, server);
    await expect(stopButton(page)).toBeVisible();
    await expect(composer(page)).toBeFocused();
    await page.keyboard.type(NEXT, { delay: 15 });
    await page.waitForURL(/session=/);
    await expect(composer(page)).toHaveValue(NEXT);
    const asked = await questions(page).count();
    await page.keyboard.press("Enter");
    await expect(page.getByText("You can send this after the answer.")).toBeVisible();
    await page.keyboard.press("Escape");
    await expect(sendButton(page)).toBeEnabled();
    await expect(questions(page)).toHaveCount(asked);
    await page.keyboard.press("Enter");
    await expect(questions(page).last()).toContainText(NEXT);
    await expect(composer(page)).toHaveValue("");
  });
}

test("text typed before a new chat has its address stays in its field, and in no other chat", async ({
  page,
  server,
}) => {
  await server.control(SLOW);
  let begin;
  const held = new Promise((resolve) => {
    begin = resolve;
  });
  await page.route("**/chat/global/stream", async (route) => {
    await held;
    await route.continue();
  });
  await page.goto("/chat");
  await ask(page, "Why?");
  await page.keyboard.type("Before ", { delay: 15 });
  const field = await composer(page).elementHandle();
  begin();
  await page.waitForURL(/session=/);
  await page.keyboard.type("and after", { delay: 15 });
  await expect(composer(page)).toHaveValue("Before and after");
  expect(await field.evaluate((element) => element.isConnected), "one field").toBe(true);
  const path = pathOf(page);
  await page.getByRole("link", { name: "New chat" }).first().click();
  await expect(composer(page)).toHaveValue("");
  await page.goto(path);
  await expect(composer(page)).toHaveValue("Before and after");
});

test("a refused question returns before what was typed since", async ({ page }) => {
  let refuse;
  const held = new Promise((resolve) => {
    refuse = resolve;
  });
  await page.route("**/chat/global/stream", async (route) => {
    await held;
    const problem = { detail: "Wait a moment.", status: 429 };
    await route.fulfill({
      status: 429,
      contentType: "application/problem+json",
      body: JSON.stringify(problem),
    });
  });
  await page.goto("/chat");
  await ask(page, "First?");
  await page.keyboard.type("Second?");
  refuse();
  await expect(page.getByRole("alert").getByText("Wait a moment.")).toBeVisible();
  await expect(composer(page)).toHaveValue("First?\nSecond?");
  await expect(answers(page)).toHaveCount(0);
  await page.reload();
  await expect(composer(page)).toHaveValue("First?\nSecond?");
});

test("a question that never arrived returns after a reload, with what was typed since", async ({
  page,
}) => {
  await page.route("**/chat/global/stream", () => undefined);
  await page.goto("/chat");
  await ask(page, "First?");
  await page.keyboard.type("Second?");
  await page.reload();
  await expect(composer(page)).toHaveValue("First?\nSecond?");
});

test("single keys rest while somebody types, and work once they have left the field", async ({
  page,
}) => {
  await page.goto("/tickets");
  const search = page.getByRole("searchbox");
  await search.focus();
  await page.keyboard.type("proxy");
  await search.evaluate((element) => element.blur());
  await page.keyboard.type("n? g c", { delay: 20 });
  await expect(page).toHaveURL(/\/tickets/);
  await expect(page.getByRole("dialog")).toHaveCount(0);
  await search.focus();
  await page.keyboard.type("x");
  await page.keyboard.press("Tab");
  await page.keyboard.press("n");
  await page.waitForURL("**/tickets/new");
});
