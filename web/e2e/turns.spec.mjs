// Turns that are asked again: versions of answers and of questions, what the reader thinks of an answer, and
// where the view is while an answer grows. Nothing is lost, and nobody is pulled away from what they read.
import { answers, ask, composer, expect, questions, test, watch } from "./fixtures.mjs";

const LINE = "The proxy reads the size first, so it answers at once and nobody else is asked.\n\n";

const button = (page, name) => page.getByRole("button", { name, exact: true });

/** Opens a chat in which the question has been answered with the text. Returns its page. */
async function openAnswered(server, context, question, text) {
  const page = await context.newPage();
  await server.control({ text, delay_ms: 0, chunk: 12 });
  await page.goto("/chat");
  await ask(page, question);
  await expect(answers(page).last().getByText(text)).toBeVisible();
  await page.waitForURL(/session=/);
  await expect(button(page, "Regenerate")).toBeVisible();
  return page;
}

test("an answer asked for again keeps the earlier one", async ({ server, context }) => {
  const page = await openAnswered(server, context, "What is a proxy?", "A first answer.");
  const watched = watch(page, server.url);
  await server.control({ text: "A second answer." });
  await button(page, "Regenerate").click();
  await expect(answers(page).getByText("A second answer.")).toBeVisible();
  expect(await questions(page).count()).toBe(1);
  expect(await answers(page).count()).toBe(1);
  const versions = page.getByRole("group", { name: "Version 2 of 2 of the answer" });
  await expect(versions).toBeVisible();
  await button(page, "Previous version of the answer").click();
  await expect(answers(page).getByText("A first answer.")).toBeVisible();
  await expect(page.getByRole("status").getByText("Version 1 of 2 of the answer")).toBeAttached();
  expect(await button(page, "Regenerate").count(), "an earlier version is only read").toBe(0);
  await page.keyboard.press("ArrowRight");
  await expect(answers(page).getByText("A second answer.")).toBeVisible();
  await page.reload();
  await expect(answers(page).getByText("A second answer.")).toBeVisible();
  await button(page, "Previous version of the answer").click();
  await expect(answers(page).getByText("A first answer.")).toBeVisible();
  watched.check();
});

test("an edited question keeps the earlier one with its answers", async ({ server, context }) => {
  const page = await openAnswered(server, context, "What is a poxy?", "No idea.");
  await server.control({ text: "A proxy stands between." });
  await composer(page).focus();
  await page.keyboard.press("ArrowUp");
  const editor = page.getByRole("textbox", { name: "Edit your question" });
  await expect(editor).toBeVisible();
  await page.keyboard.press("Escape");
  await page.waitForFunction(() => document.activeElement?.ariaLabel === "Message to the tutor");
  await questions(page).hover();
  await button(page, "Edit").click();
  expect(await editor.inputValue()).toBe("What is a poxy?");
  await editor.fill("What is a proxy?");
  await page.keyboard.press("Enter");
  await expect(answers(page).getByText("A proxy stands between.")).toBeVisible();
  expect(await questions(page).count()).toBe(1);
  expect(await questions(page).getByText("What is a proxy?").count()).toBe(1);
  await expect(button(page, "Edit")).toBeVisible();
  for (const reload of [false, true]) {
    if (reload) await page.reload();
    await expect(page.getByRole("group", { name: "Version 2 of 2 of the question" })).toBeVisible();
    await button(page, "Previous version of the question").click();
    await expect(questions(page).getByText("What is a poxy?")).toBeVisible();
    await expect(answers(page).getByText("No idea.")).toBeVisible();
    expect(await button(page, "Edit").count(), "an earlier branch is only read").toBe(0);
    await page.keyboard.press("ArrowRight");
    await expect(answers(page).getByText("A proxy stands between.")).toBeVisible();
  }
});

test("a refused edit comes back with its text", async ({ server, context }) => {
  const page = await openAnswered(server, context, "One?", "Yes, one.");
  await page.route("**/chat/global/stream", (route) =>
    route.fulfill({
      status: 429,
      contentType: "application/problem+json",
      body: JSON.stringify({ detail: "Wait a moment.", status: 429 }),
    }),
  );
  await button(page, "Edit").click();
  const editor = page.getByRole("textbox", { name: "Edit your question" });
  await editor.fill("Two?");
  await button(page, "Ask again").click();
  await expect(page.getByRole("alert").getByText("Wait a moment.")).toBeVisible();
  expect(await editor.inputValue()).toBe("Two?");
  await expect(answers(page).getByText("Yes, one.")).toBeVisible();
  expect(await composer(page).inputValue()).toBe("");
  await page.unroute("**/chat/global/stream");
  await server.control({ text: "Yes, two." });
  await button(page, "Ask again").click();
  await expect(answers(page).getByText("Yes, two.")).toBeVisible();
});

test("a thumb and its reason are there after a reload, and may be taken back", async ({
  server,
  context,
}) => {
  const page = await openAnswered(server, context, "Good or bad?", "An answer to rate.");
  const [up, down] = [button(page, "Good answer"), button(page, "Bad answer")];
  const pressed = (thumb) => thumb.getAttribute("aria-pressed");
  const patched = () => page.waitForResponse((response) => response.request().method() === "PATCH");
  let saved = patched();
  await up.click();
  expect(await pressed(up), "shown at once").toBe("true");
  expect((await saved).ok()).toBe(true);
  await page.reload();
  await expect(up).toBeVisible();
  expect(await pressed(up)).toBe("true");
  saved = patched();
  await up.click();
  expect((await saved).ok()).toBe(true);
  expect(await pressed(up), "taken back").toBe("false");

  saved = patched();
  await down.click();
  expect((await saved).ok()).toBe(true);
  const reason = page.getByRole("textbox", { name: /^What was wrong/ });
  await page.route("**/messages/*", (route) => route.abort());
  await reason.fill("It is not about proxies.");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("alert").getByText(/^Not saved/)).toBeVisible();
  expect(await reason.inputValue(), "the reason is kept").toBe("It is not about proxies.");
  await page.unroute("**/messages/*");
  await page.keyboard.press("Enter");
  await expect(page.getByText("You wrote: “It is not about proxies.”")).toBeVisible();
  await page.reload();
  await expect(page.getByText("You wrote: “It is not about proxies.”")).toBeVisible();
  expect(await pressed(down)).toBe("true");
});

test("a reload and another tab in the middle of a replacing answer show it in its place", async ({
  server,
  context,
}) => {
  for (const edited of [false, true]) {
    const page = await openAnswered(server, context, "What is slow?", "The old answer.");
    const other = await context.newPage();
    await other.goto(page.url());
    await expect(answers(other).getByText("The old answer.")).toBeVisible();
    const slow = `Slowly: ${LINE.repeat(60)}The end.`;
    await server.control({ text: slow, delay_ms: 60, chunk: 8 });
    if (edited) {
      await button(page, "Edit").click();
      await page.getByRole("textbox", { name: "Edit your question" }).fill("What is slower?");
      await page.keyboard.press("Enter");
    } else {
      await button(page, "Regenerate").click();
    }
    const question = edited ? "What is slower?" : "What is slow?";
    for (const tab of [page, other]) {
      await expect(answers(tab).getByText("Slowly")).toBeVisible();
    }
    await page.reload();
    for (const tab of [page, other]) {
      await expect(answers(tab).getByText("Slowly")).toBeVisible();
      expect(await answers(tab).count()).toBe(1);
      expect(await questions(tab).count()).toBe(1);
      await expect(questions(tab).getByText(question, { exact: true })).toBeVisible();
      expect(await tab.getByText("The old answer.").count()).toBe(0);
      expect(await button(tab, "Regenerate").count(), "nothing to do while it grows").toBe(0);
    }
    await button(page, /Stop/).click();
    for (const tab of [page, other]) {
      await expect(answers(tab).getByText("The answer ends here.")).toBeVisible();
      const what = edited ? "question" : "answer";
      await button(tab, `Previous version of the ${what}`).click();
      await expect(answers(tab).getByText("The old answer.")).toBeVisible();
    }
    await other.close();
    await page.close();
  }
});

test("the question goes to the top, and the view follows only who is at the end", async ({
  server,
  context,
}) => {
  const page = await openAnswered(server, context, "First?", "A first one.");
  await page.setViewportSize({ width: 1000, height: 700 });
  const log = page.getByRole("log", { name: "Chat" });
  const position = () => log.evaluate((box) => box.scrollTop);
  const below = () =>
    log.evaluate((box) => Math.round(box.scrollHeight - box.clientHeight - box.scrollTop));
  const topOf = async (locator) => (await locator.boundingBox()).y - (await log.boundingBox()).y;
  await server.control({ text: `${LINE.repeat(60)}The end.`, delay_ms: 25, chunk: 12 });
  await composer(page).fill("Second?");
  await page.keyboard.press("Enter");
  const question = questions(page).last();
  await expect(answers(page).nth(1).locator(".md")).toBeVisible();
  const top = await topOf(question);
  expect(top, "the question is at the top").toBeGreaterThanOrEqual(0);
  expect(top, "the question is at the top").toBeLessThan(40);
  await page.waitForTimeout(400);
  const moved = Math.abs((await topOf(question)) - top);
  expect(moved, "the answer grows below it").toBeLessThan(1);
  expect(await button(page, "Latest").count()).toBe(0);

  // It is longer than the view by now, and the view follows.
  await page.waitForFunction(() => document.querySelectorAll(".md-block").length > 30);
  expect(await below()).toBeLessThan(60);
  await log.hover();
  await page.mouse.wheel(0, -40);
  await page.waitForTimeout(300);
  const place = await position();
  const block = answers(page).nth(1).locator(".md-block").nth(12);
  const blockTop = await topOf(block);
  await page.waitForTimeout(800);
  expect(await position(), "nobody is pulled back").toBe(place);
  const shifted = Math.abs((await topOf(block)) - blockTop);
  expect(shifted, "nothing above the growing text moves").toBeLessThan(1);
  await button(page, "Latest").click();
  await page.waitForTimeout(500);
  expect(await below(), "it follows again").toBeLessThan(60);
  expect(await button(page, "Latest").count()).toBe(0);

  // Keys and the scrollbar end it as well.
  await log.focus();
  await page.keyboard.press("PageUp");
  await expect(button(page, "Latest")).toBeVisible();
  await page.waitForTimeout(400); // the browser scrolls smoothly
  const read = await position();
  await page.waitForTimeout(400);
  expect(await position()).toBe(read);
  await log.evaluate((box) => box.scrollTo({ top: box.scrollHeight }));
  await page.waitForTimeout(300);
  expect(await below(), "back at the end by hand").toBeLessThan(60);
  await log.evaluate((box) => box.scrollBy({ top: -200 }));
  const dragged = await position();
  await page.waitForTimeout(300);
  expect(await position()).toBe(dragged);
  await button(page, "Latest").click();

  // The end of the answer moves nothing.
  const end = answers(page).nth(1).getByText("The end.");
  await expect(end).toBeVisible({ timeout: 60_000 });
  const endTop = await topOf(end);
  await expect(button(page, "Regenerate")).toBeVisible();
  await page.waitForTimeout(300);
  expect(Math.abs((await topOf(end)) - endTop)).toBeLessThanOrEqual(1);

  await page.keyboard.press("Alt+ArrowDown");
  const newest = await topOf(answers(page).nth(1));
  expect(Math.abs(newest), "the newest answer is at the top").toBeLessThan(2);
  await expect(answers(page).nth(1)).toBeFocused();
});
