// Turns that are asked again: versions of answers and of questions, what the reader thinks of an answer, and
// where the view is while an answer grows. Nothing is lost, and nobody is pulled away from what they read.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { launch, startServer, watch } from "./server.mjs";

const LINE = "The proxy reads the size first, so it answers at once and nobody else is asked.\n\n";

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

const composer = (page) => page.getByRole("textbox", { name: "Message to the tutor" });
const answers = (page) => page.getByRole("article", { name: /^Tutor/ });
const questions = (page) => page.getByRole("article", { name: /^You/ });
const button = (page, name) => page.getByRole("button", { name, exact: true });
const says = (text, rest = {}) => server.control({ script: "ok", text, delay_ms: 0, ...rest });

async function asked(context, question, text) {
  const page = await context.newPage();
  await says(text);
  await page.goto(`${server.url}/chat`);
  await composer(page).fill(question);
  await page.keyboard.press("Enter");
  await answers(page).last().getByText(text).waitFor();
  await page.waitForURL(/session=/);
  await button(page, "Regenerate").waitFor();
  return page;
}

test("an answer asked for again keeps the earlier one", async () => {
  const context = await browser.newContext();
  const page = await asked(context, "What is a proxy?", "A first answer.");
  const seen = watch(page, server.url);
  await says("A second answer.");
  await button(page, "Regenerate").click();
  await answers(page).getByText("A second answer.").waitFor();
  assert.equal(await questions(page).count(), 1);
  assert.equal(await answers(page).count(), 1);
  const versions = page.getByRole("group", { name: "Version 2 of 2 of the answer" });
  await versions.waitFor();
  await button(page, "Previous version of the answer").click();
  await answers(page).getByText("A first answer.").waitFor();
  await page.getByRole("status").getByText("Version 1 of 2 of the answer").waitFor({
    state: "attached",
  });
  assert.equal(await button(page, "Regenerate").count(), 0, "an earlier version is only read");
  await page.keyboard.press("ArrowRight");
  await answers(page).getByText("A second answer.").waitFor();
  await page.reload();
  await answers(page).getByText("A second answer.").waitFor();
  await button(page, "Previous version of the answer").click();
  await answers(page).getByText("A first answer.").waitFor();
  seen.check();
  await context.close();
});

test("an edited question keeps the earlier one with its answers", async () => {
  const context = await browser.newContext();
  const page = await asked(context, "What is a poxy?", "No idea.");
  await says("A proxy stands between.");
  await composer(page).focus();
  await page.keyboard.press("ArrowUp");
  const editor = page.getByRole("textbox", { name: "Edit your question" });
  await editor.waitFor();
  await page.keyboard.press("Escape");
  await page.waitForFunction(() => document.activeElement?.ariaLabel === "Message to the tutor");
  await questions(page).hover();
  await button(page, "Edit").click();
  assert.equal(await editor.inputValue(), "What is a poxy?");
  await editor.fill("What is a proxy?");
  await page.keyboard.press("Enter");
  await answers(page).getByText("A proxy stands between.").waitFor();
  assert.equal(await questions(page).count(), 1);
  assert.equal(await questions(page).getByText("What is a proxy?").count(), 1);
  await button(page, "Edit").waitFor();
  for (const reload of [false, true]) {
    if (reload) await page.reload();
    await page.getByRole("group", { name: "Version 2 of 2 of the question" }).waitFor();
    await button(page, "Previous version of the question").click();
    await questions(page).getByText("What is a poxy?").waitFor();
    await answers(page).getByText("No idea.").waitFor();
    assert.equal(await button(page, "Edit").count(), 0, "an earlier branch is only read");
    await page.keyboard.press("ArrowRight");
    await answers(page).getByText("A proxy stands between.").waitFor();
  }
  await context.close();
});

test("a refused edit comes back with its text", async () => {
  const context = await browser.newContext();
  const page = await asked(context, "One?", "Yes, one.");
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
  await page.getByRole("alert").getByText("Wait a moment.").waitFor();
  assert.equal(await editor.inputValue(), "Two?");
  await answers(page).getByText("Yes, one.").waitFor();
  assert.equal(await composer(page).inputValue(), "");
  await page.unroute("**/chat/global/stream");
  await says("Yes, two.");
  await button(page, "Ask again").click();
  await answers(page).getByText("Yes, two.").waitFor();
  await context.close();
});

test("a thumb and its reason are there after a reload, and may be taken back", async () => {
  const context = await browser.newContext();
  const page = await asked(context, "Good or bad?", "An answer to rate.");
  const [up, down] = [button(page, "Good answer"), button(page, "Bad answer")];
  const pressed = (thumb) => thumb.getAttribute("aria-pressed");
  const patched = () => page.waitForResponse((response) => response.request().method() === "PATCH");
  let saved = patched();
  await up.click();
  assert.equal(await pressed(up), "true", "shown at once");
  assert.ok((await saved).ok());
  await page.reload();
  await up.waitFor();
  assert.equal(await pressed(up), "true");
  saved = patched();
  await up.click();
  assert.ok((await saved).ok());
  assert.equal(await pressed(up), "false", "taken back");

  saved = patched();
  await down.click();
  assert.ok((await saved).ok());
  const reason = page.getByRole("textbox", { name: /^What was wrong/ });
  await page.route("**/messages/*", (route) => route.abort());
  await reason.fill("It is not about proxies.");
  await page.keyboard.press("Enter");
  await page
    .getByRole("alert")
    .getByText(/^Not saved/)
    .waitFor();
  assert.equal(await reason.inputValue(), "It is not about proxies.", "the reason is kept");
  await page.unroute("**/messages/*");
  await page.keyboard.press("Enter");
  await page.getByText("You wrote: “It is not about proxies.”").waitFor();
  await page.reload();
  await page.getByText("You wrote: “It is not about proxies.”").waitFor();
  assert.equal(await pressed(down), "true");
  await context.close();
});

test("a reload and another tab in the middle of a replacing answer show it in its place", async () => {
  const context = await browser.newContext();
  for (const edited of [false, true]) {
    const page = await asked(context, "What is slow?", "The old answer.");
    const other = await context.newPage();
    await other.goto(page.url());
    await answers(other).getByText("The old answer.").waitFor();
    await says(`Slowly: ${LINE.repeat(6)}The end.`, { delay_ms: 60, chunk: 8 });
    if (edited) {
      await button(page, "Edit").click();
      await page.getByRole("textbox", { name: "Edit your question" }).fill("What is slower?");
      await page.keyboard.press("Enter");
    } else {
      await button(page, "Regenerate").click();
    }
    const question = edited ? "What is slower?" : "What is slow?";
    for (const one of [page, other]) {
      await answers(one).getByText("Slowly").waitFor();
    }
    await page.reload();
    for (const one of [page, other]) {
      await answers(one).getByText("Slowly").waitFor();
      assert.equal(await answers(one).count(), 1);
      assert.equal(await questions(one).count(), 1);
      await questions(one).getByText(question, { exact: true }).waitFor();
      assert.equal(await one.getByText("The old answer.").count(), 0);
      assert.equal(await button(one, "Regenerate").count(), 0, "nothing to do while it grows");
    }
    await button(page, /Stop/).click();
    for (const one of [page, other]) {
      await answers(one).getByText("Stopped.").waitFor();
      const what = edited ? "question" : "answer";
      await button(one, `Previous version of the ${what}`).click();
      await answers(one).getByText("The old answer.").waitFor();
    }
    await other.close();
    await page.close();
  }
  await context.close();
});

test("the question goes to the top, and the view follows only who is at the end", async () => {
  const context = await browser.newContext({ viewport: { width: 1000, height: 700 } });
  const page = await asked(context, "First?", "A first one.");
  const log = page.getByRole("log", { name: "Chat" });
  const position = () => log.evaluate((box) => box.scrollTop);
  const below = () =>
    log.evaluate((box) => Math.round(box.scrollHeight - box.clientHeight - box.scrollTop));
  const topOf = async (locator) => (await locator.boundingBox()).y - (await log.boundingBox()).y;
  await says(`${LINE.repeat(60)}The end.`, { delay_ms: 25, chunk: 12 });
  await composer(page).fill("Second?");
  await page.keyboard.press("Enter");
  const question = questions(page).last();
  await answers(page).nth(1).locator(".md").waitFor();
  const top = await topOf(question);
  assert.ok(top >= 0 && top < 40, `the question is ${top} px from the top`);
  await page.waitForTimeout(400);
  assert.ok(Math.abs((await topOf(question)) - top) < 1, "the answer grows below it");
  assert.equal(await button(page, "Latest").count(), 0);

  // It is longer than the view by now, and the view follows.
  await page.waitForFunction(() => document.querySelectorAll(".md-block").length > 30);
  assert.ok((await below()) < 60);
  await log.hover();
  await page.mouse.wheel(0, -40);
  await page.waitForTimeout(300);
  const place = await position();
  const first = answers(page).nth(1).locator(".md-block").nth(12);
  const y = await topOf(first);
  await page.waitForTimeout(800);
  assert.equal(await position(), place, "nobody is pulled back");
  assert.ok(Math.abs((await topOf(first)) - y) < 1, "nothing above the growing text moves");
  await button(page, "Latest").click();
  await page.waitForTimeout(500);
  assert.ok((await below()) < 60, "it follows again");
  assert.equal(await button(page, "Latest").count(), 0);

  // Keys and the scrollbar end it as well.
  await log.focus();
  await page.keyboard.press("PageUp");
  await button(page, "Latest").waitFor();
  await page.waitForTimeout(400); // the browser scrolls smoothly
  const read = await position();
  await page.waitForTimeout(400);
  assert.equal(await position(), read);
  await log.evaluate((box) => box.scrollTo({ top: box.scrollHeight }));
  await page.waitForTimeout(300);
  assert.ok((await below()) < 60, "back at the end by hand");
  await log.evaluate((box) => box.scrollBy({ top: -200 }));
  const dragged = await position();
  await page.waitForTimeout(300);
  assert.equal(await position(), dragged);
  await button(page, "Latest").click();

  // The end of the answer moves nothing.
  await answers(page).nth(1).getByText("The end.").waitFor({ timeout: 60_000 });
  const seen = await topOf(answers(page).nth(1).getByText("The end."));
  await button(page, "Regenerate").waitFor();
  await page.waitForTimeout(300);
  assert.ok(Math.abs((await topOf(answers(page).nth(1).getByText("The end."))) - seen) <= 1);

  await page.keyboard.press("Alt+ArrowDown");
  const newest = await topOf(answers(page).nth(1));
  assert.ok(Math.abs(newest) < 2, `the newest answer is ${newest} px from the top`);
  assert.ok(
    await answers(page)
      .nth(1)
      .evaluate((node) => node === document.activeElement),
  );
  await context.close();
});
