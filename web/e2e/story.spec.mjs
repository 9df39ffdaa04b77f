// One learner's way through the product, with the real server and a model that writes slowly: nothing may
// be lost on the way, and the console stays empty.
import {
  answer,
  ask,
  composer,
  expect,
  expectSentences,
  longerThan,
  pathOf,
  questions,
  SENTENCE,
  test,
  textOf,
  watch,
} from "./fixtures.mjs";

const SENTENCES = 12;
const ANSWER = `${SENTENCE.repeat(SENTENCES)}\n\n\`\`\`nginx\nclient_max_body_size 20m;\n\`\`\`\n\nThe end.`;

test("from an empty helpdesk to an answer, a reload and a stop", async ({
  emptyServer,
  newContext,
}) => {
  const context = await newContext({
    baseURL: emptyServer.url,
    viewport: { width: 1280, height: 800 },
  });
  const page = await context.newPage();
  const watched = watch(page, emptyServer.url);
  await emptyServer.control({ script: "ok", text: "A short summary.", delay_ms: 0 });

  await page.goto("/");
  await expect(page.getByRole("heading", { name: "No tickets yet" })).toBeVisible();
  expect(pathOf(page)).toBe("/tickets");

  // A second tab, open before the ticket exists, must show it without a reload.
  const other = await context.newPage();
  const otherWatched = watch(other, emptyServer.url);
  await other.goto("/tickets");
  await expect(other.getByRole("heading", { name: "No tickets yet" })).toBeVisible();

  await page.keyboard.press("n");
  await page.getByLabel("Title").fill("Image upload error");
  await page.getByLabel("Category").fill("troubleshooting");
  await page
    .getByLabel("Description")
    .fill("Photos above 4 MB end with `413`.\n\n## Cause\n\nA proxy.");
  await page.getByLabel("Tags").fill("upload,http,");
  await page.keyboard.press("Control+Enter");
  const heading = page.getByRole("heading", { level: 1, name: "Image upload error" });
  await expect(heading).toBeVisible();
  await expect(page.getByText("A short summary.")).toBeVisible();
  await expect(other.getByRole("link", { name: "Image upload error" })).toBeVisible();
  await expect(other.getByText("A short summary.")).toBeVisible();
  await other.close();

  await emptyServer.control({ script: "ok", text: ANSWER, delay_ms: 60, chunk: 9 });
  await page.getByLabel("Ask about this ticket").fill("Why does this happen?");
  await page.getByRole("button", { name: /Ask the tutor/ }).click();
  await page.waitForURL(/\/chat\?ticket=/);
  await expect(page.getByText("About:")).toBeVisible();
  await expect(page.getByRole("button", { name: "Send" })).toBeHidden();
  const before = await longerThan(page, 0);
  await longerThan(page, before.length + 30);
  await expect(page.getByRole("button", { name: "Send" })).toBeHidden();
  await page.waitForURL(/session=/);

  const shown = (await textOf(page)).trim();
  await page.reload();
  await expect(answer(page).locator(".md")).toBeVisible();
  const reloaded = (await textOf(page)).trim();
  expect(reloaded.length, "all of it is shown at once").toBeGreaterThanOrEqual(shown.length - 2);
  await expect(answer(page).getByText("The end.")).toBeVisible({ timeout: 30_000 });
  await expect(page.getByRole("button", { name: "Send" })).toBeVisible();
  await expectSentences(answer(page), SENTENCES);
  expect(await questions(page).count()).toBe(1);
  await expect(page.getByRole("status").getByText("Answer ready")).toBeAttached();

  await ask(page, "And how do I fix it?");
  await expect(page.getByRole("button", { name: /Stop/ })).toBeVisible();
  await longerThan(page, 40);
  await page.keyboard.press("Escape");
  await expect(answer(page).getByText("The answer ends here.")).toBeVisible();
  const stopped = await textOf(page);
  await page.waitForTimeout(600);
  expect(await textOf(page), "nothing is added after Stop").toBe(stopped);

  await page.getByRole("button", { name: "History" }).click();
  await expect(page.getByText("4 messages")).toBeVisible();

  // Pages and API share their addresses: back must show the page, not JSON.
  await page.goto("/tickets");
  await page.getByRole("link", { name: "Image upload error" }).click();
  await expect(heading).toBeVisible();
  await page.goBack();
  await expect(page.getByRole("searchbox")).toBeVisible();
  await page.goto("about:blank");
  await page.goBack();
  await expect(page.getByRole("searchbox")).toBeVisible();

  watched.check();
  otherWatched.check();
});

test("an empty helpdesk takes the sample tickets", async ({ emptyServer, page }) => {
  await page.goto(`${emptyServer.url}/tickets`);
  await page.getByRole("button", { name: "Add sample tickets" }).click();
  await expect(page.locator("[data-ticket]").first()).toBeVisible();
});

test("a double click on Send asks once and stops nothing", async ({ server, page }) => {
  await server.control({ text: ANSWER, delay_ms: 20, chunk: 9 });
  await page.goto("/chat");
  await composer(page).fill("Do you hear me?");
  await page.getByRole("button", { name: "Send" }).dblclick({ delay: 60 });
  await expect(answer(page).getByText("The end.")).toBeVisible({ timeout: 30_000 });
  expect(await questions(page).count()).toBe(1);
  await expect(composer(page), "the input is enabled and has the focus").toBeFocused();
});

test("two tabs show the same answer, and Stop in one stops both", async ({ server, context }) => {
  const [first, second] = [await context.newPage(), await context.newPage()];
  await server.control({ text: ANSWER, delay_ms: 80, chunk: 6 });
  await first.goto("/chat");
  await ask(first, "What is a proxy?");
  await first.waitForURL(/session=/);
  await second.goto(first.url());
  await longerThan(second, 0);
  await second.getByRole("button", { name: /Stop/ }).click();
  await expect(answer(second).getByText("The answer ends here.")).toBeVisible();
  await expect(answer(first).getByText("The answer ends here.")).toBeVisible();
  expect(await textOf(first)).toBe(await textOf(second));
});

test("an answer resumes at the exact character after the network was lost", async ({
  server,
  context,
  page,
}) => {
  await server.control({ text: ANSWER, delay_ms: 60, chunk: 7 });
  await page.goto("/chat");
  await ask(page, "Will it come back?");
  await longerThan(page, 0);
  await context.setOffline(true);
  await expect(page.getByText(/You are offline/)).toBeVisible();
  await page.waitForTimeout(1_500); // the server writes on
  await context.setOffline(false);
  await expect(answer(page).getByText("The end.")).toBeVisible({ timeout: 30_000 });
  await expectSentences(answer(page), SENTENCES);
});

test("connections cut in mid-answer leave no gap and no double", async ({
  server,
  cutter,
  page,
}) => {
  await server.control({ text: ANSWER, delay_ms: 60, chunk: 5 });
  await page.goto(`${cutter.url}/chat`);
  await ask(page, "Does it hold?");
  await longerThan(page, 0);
  for (let cut = 0; cut < 6; cut++) {
    await page.waitForTimeout(350 + 170 * cut); // at different places of frames and characters
    cutter.cut();
  }
  await expect(answer(page).getByText("The end.")).toBeVisible({ timeout: 40_000 });
  const shown = await answer(page).locator(".md-block").first().innerText();
  expect(shown.trim()).toBe(SENTENCE.replaceAll("*", "").repeat(SENTENCES).trim());
});

test("earlier messages come in without moving what is read", async ({ server, context, page }) => {
  await server.control({ text: "Yes.\n\nIt is so." });
  await page.goto("/chat");
  let session;
  for (let count = 1; count <= 56; count++) {
    const response = await context.request.post("/chat/global/stream", {
      data: { message: `Question ${count}`, session_id: session },
    });
    expect(response.ok()).toBe(true);
    session ??= JSON.parse(/data: (.*)/.exec(await response.text())[1]).session_id;
  }
  await page.goto(`/chat?session=${session}`);
  const newest = page.getByText("Question 56", { exact: true });
  await expect(newest).toBeVisible();
  const log = page.getByRole("log", { name: "Chat" });
  for (const top of [0, 40, 400]) {
    await page.reload();
    await expect(newest).toBeVisible();
    await page.waitForTimeout(300);
    await log.evaluate((box, to) => {
      box.scrollTop = to;
    }, top);
    await page.waitForTimeout(300);
    const message = page.getByText("Question 9", { exact: true });
    const before = (await message.boundingBox()).y;
    const earlier = page.getByRole("button", { name: "Show earlier messages" });
    await earlier.evaluate((button) => button.click());
    await expect(page.getByText("Question 1", { exact: true })).toBeVisible();
    await page.waitForTimeout(300);
    const moved = (await message.boundingBox()).y - before;
    expect(Math.abs(moved), `moved from ${top}`).toBeLessThanOrEqual(2);
  }
});

test("a refused and a failed answer say why, and Retry asks again", async ({ server, page }) => {
  await server.control({ script: "badkey" });
  await page.goto("/chat");
  await ask(page, "Are you there?");
  await expect(answer(page).getByText("failed")).toBeVisible();
  expect(await answer(page).getByRole("button", { name: "Retry" }).count()).toBe(0);
  await server.control({ script: "cut@2", text: ANSWER });
  await ask(page, "And now?");
  await expect(answer(page).getByText(/cannot be reached/)).toBeVisible();
  expect(await textOf(page), "the text that had arrived is kept").toMatch(/^The proxy/);
  await server.control({ script: "ok", text: "Yes, I am." });
  await answer(page).getByRole("button", { name: "Retry" }).click();
  await expect(answer(page).getByText("Yes, I am.")).toBeVisible();
  await composer(page).fill("x".repeat(32_001));
  await expect(page.getByText(/the limit is 32,000\. Shorten it\./)).toBeVisible();
  expect((await composer(page).inputValue()).length).toBe(32_001);
});
