// One learner's way through the product, with the real server and a model that writes slowly: nothing may
// be lost on the way, and the console stays empty.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { cuttingProxy, launch, startServer, watch } from "./server.mjs";

const SENTENCE = "The proxy reads the size first, so it answers **413** at once. 👩‍👩‍👧 é ";
const ANSWER = `${SENTENCE.repeat(12)}\n\n\`\`\`nginx\nclient_max_body_size 20m;\n\`\`\`\n\nThe end.`;

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

const answer = (page) => page.getByRole("article", { name: /^Tutor/ }).last();
const textOf = (page) => answer(page).locator(".md").innerText();
const composer = (page) => page.getByRole("textbox", { name: "Message to the tutor" });

async function until(page, condition, what) {
  const deadline = Date.now() + 20_000;
  while (!(await condition())) {
    assert.ok(Date.now() < deadline, `waited for: ${what}`);
    await page.waitForTimeout(50);
  }
}

test("from an empty helpdesk to an answer, a reload and a stop", async () => {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
  const page = await context.newPage();
  const seen = watch(page, server.url);
  await server.control({ script: "ok", text: "A short summary.", delay_ms: 0 });

  await page.goto(`${server.url}/`);
  await page.getByRole("heading", { name: "No tickets yet" }).waitFor();
  assert.equal(new URL(page.url()).pathname, "/tickets");

  // A second tab, open before the ticket exists, must show it without a reload.
  const other = await context.newPage();
  const otherSeen = watch(other, server.url);
  await other.goto(`${server.url}/tickets`);
  await other.getByRole("heading", { name: "No tickets yet" }).waitFor();

  await page.keyboard.press("n");
  await page.getByLabel("Title").fill("Image upload error");
  await page.getByLabel("Category").fill("troubleshooting");
  await page
    .getByLabel("Description")
    .fill("Photos above 4 MB end with `413`.\n\n## Cause\n\nA proxy.");
  await page.getByLabel("Tags").fill("upload,http,");
  await page.keyboard.press("Control+Enter");
  await page.getByRole("heading", { level: 1, name: "Image upload error" }).waitFor();
  await page.getByText("A short summary.").waitFor();
  await other.getByRole("link", { name: "Image upload error" }).waitFor();
  await other.getByText("A short summary.").waitFor();
  await other.close();

  await server.control({ script: "ok", text: ANSWER, delay_ms: 60, chunk: 9 });
  await page.getByLabel("Ask about this ticket").fill("Why does this happen?");
  await page.getByRole("button", { name: /Ask the tutor/ }).click();
  await page.waitForURL(/\/chat\?ticket=/);
  await page.getByText("About:").waitFor();
  await until(page, () => composer(page).isDisabled(), "the input is disabled");
  await answer(page).locator(".md").waitFor();
  const before = (await textOf(page)).length;
  await until(page, async () => (await textOf(page)).length > before + 30, "the text grows");
  assert.ok(await composer(page).isDisabled());
  await page.waitForURL(/session=/);

  const shown = (await textOf(page)).trim();
  await page.reload();
  await answer(page).locator(".md").waitFor();
  const afterReload = (await textOf(page)).trim();
  assert.ok(afterReload.length >= shown.length - 2, "all of it is there at once");
  await answer(page).getByText("The end.").waitFor({ timeout: 30_000 });
  await until(page, () => composer(page).isEnabled(), "the input is enabled");
  const words = (await answer(page).locator(".md-block").first().innerText()).match(/413/g);
  assert.equal(words.length, 12, "nothing is missing, nothing is doubled");
  assert.equal(await page.getByRole("article", { name: /^You/ }).count(), 1);
  await page.getByRole("status").getByText("Answer ready").waitFor({ state: "attached" });

  await composer(page).fill("And how do I fix it?");
  await page.keyboard.press("Enter");
  await page.getByRole("button", { name: /Stop/ }).waitFor();
  await until(page, async () => (await answer(page).locator(".md").count()) > 0, "text");
  await until(page, async () => (await textOf(page)).length > 40, "some text");
  await page.keyboard.press("Escape");
  await answer(page).getByText("Stopped.").waitFor();
  const stopped = await textOf(page);
  await page.waitForTimeout(600);
  assert.equal(await textOf(page), stopped, "nothing is added after Stop");

  await page.getByRole("button", { name: "History" }).click();
  await page.getByText("4 messages").waitFor();

  // Pages and API share their addresses: back must show the page, not JSON.
  await page.goto(`${server.url}/tickets`);
  await page.getByRole("link", { name: "Image upload error" }).click();
  await page.getByRole("heading", { level: 1, name: "Image upload error" }).waitFor();
  await page.goBack();
  await page.getByRole("searchbox").waitFor();
  await page.goto("about:blank");
  await page.goBack();
  await page.getByRole("searchbox").waitFor();

  seen.check();
  otherSeen.check();
  await context.close();
});

test("a double click on Send asks once and stops nothing", async () => {
  const context = await browser.newContext();
  const page = await context.newPage();
  await server.control({ script: "ok", text: ANSWER, delay_ms: 20, chunk: 9 });
  await page.goto(`${server.url}/chat`);
  await composer(page).fill("Do you hear me?");
  await page.getByRole("button", { name: "Send" }).dblclick({ delay: 60 });
  await answer(page).getByText("The end.").waitFor({ timeout: 30_000 });
  assert.equal(await page.getByRole("article", { name: /^You/ }).count(), 1);
  const focused = () => composer(page).evaluate((field) => field === document.activeElement);
  await until(page, focused, "the input is enabled and has the focus");
  await context.close();
});

test("two tabs show the same answer, and Stop in one stops both", async () => {
  const context = await browser.newContext();
  const [one, two] = [await context.newPage(), await context.newPage()];
  await server.control({ script: "ok", text: ANSWER, delay_ms: 80, chunk: 6 });
  await one.goto(`${server.url}/chat`);
  await composer(one).fill("What is a proxy?");
  await one.keyboard.press("Enter");
  await one.waitForURL(/session=/);
  await two.goto(one.url());
  await until(two, async () => (await answer(two).locator(".md").count()) > 0, "text in tab two");
  await two.getByRole("button", { name: /Stop/ }).click();
  await answer(two).getByText("Stopped.").waitFor();
  await answer(one).getByText("Stopped.").waitFor();
  assert.equal(await textOf(one), await textOf(two));
  await context.close();
});

test("a lost network is resumed at the exact character", async () => {
  const context = await browser.newContext();
  const page = await context.newPage();
  await server.control({ script: "ok", text: ANSWER, delay_ms: 60, chunk: 7 });
  await page.goto(`${server.url}/chat`);
  await composer(page).fill("Will it come back?");
  await page.keyboard.press("Enter");
  await until(page, async () => (await answer(page).locator(".md").count()) > 0, "text");
  await context.setOffline(true);
  await page.getByText(/You are offline/).waitFor();
  await page.waitForTimeout(1_500);
  await context.setOffline(false);
  await answer(page).getByText("The end.").waitFor({ timeout: 30_000 });
  const words = (await answer(page).locator(".md-block").first().innerText()).match(/413/g);
  assert.equal(words.length, 12);
  await context.close();
});

test("connections cut in mid-answer leave no gap and no double", async () => {
  const proxy = await cuttingProxy(new URL(server.url).port);
  const context = await browser.newContext();
  const page = await context.newPage();
  await server.control({ script: "ok", text: ANSWER, delay_ms: 60, chunk: 5 });
  await page.goto(`${proxy.url}/chat`);
  await composer(page).fill("Does it hold?");
  await page.keyboard.press("Enter");
  await until(page, async () => (await answer(page).locator(".md").count()) > 0, "text");
  for (let cut = 0; cut < 6; cut++) {
    await page.waitForTimeout(350 + 170 * cut);
    proxy.cut();
  }
  await answer(page).getByText("The end.").waitFor({ timeout: 40_000 });
  const shown = await answer(page).locator(".md-block").first().innerText();
  const expected = SENTENCE.replaceAll("*", "").repeat(12).trim();
  assert.equal(shown.trim(), expected);
  await context.close();
  await proxy.stop();
});

test("earlier messages come in without moving what is read", async () => {
  const context = await browser.newContext();
  const page = await context.newPage();
  await server.control({ script: "ok", text: "Yes.\n\nIt is so.", delay_ms: 0 });
  await page.goto(`${server.url}/chat`);
  let session;
  for (let count = 1; count <= 56; count++) {
    const answer = await context.request.post(`${server.url}/chat/global/stream`, {
      data: { message: `Question ${count}`, session_id: session },
    });
    assert.ok(answer.ok());
    session ??= JSON.parse(/data: (.*)/.exec(await answer.text())[1]).session_id;
  }
  await page.goto(`${server.url}/chat?session=${session}`);
  await page.getByText("Question 56", { exact: true }).waitFor();
  const log = page.getByRole("log", { name: "Chat" });
  for (const top of [0, 40, 400]) {
    await page.reload();
    await page.getByText("Question 56", { exact: true }).waitFor();
    await page.waitForTimeout(300);
    await log.evaluate((box, to) => {
      box.scrollTop = to;
    }, top);
    await page.waitForTimeout(300);
    const message = page.getByText("Question 9", { exact: true });
    const before = (await message.boundingBox()).y;
    await page.getByRole("button", { name: "Show earlier messages" }).evaluate((b) => b.click());
    await page.getByText("Question 1", { exact: true }).waitFor();
    await page.waitForTimeout(300);
    const moved = (await message.boundingBox()).y - before;
    assert.ok(Math.abs(moved) <= 2, `moved by ${moved} px from ${top}`);
  }
  await context.close();
});

test("a refused and a failed answer say why, and Retry asks again", async () => {
  const context = await browser.newContext();
  const page = await context.newPage();
  await server.control({ script: "badkey", text: "Fine.", delay_ms: 0 });
  await page.goto(`${server.url}/chat`);
  await composer(page).fill("Are you there?");
  await page.keyboard.press("Enter");
  await answer(page).getByText("failed").waitFor();
  assert.equal(await answer(page).getByRole("button", { name: "Retry" }).count(), 0);
  await server.control({ script: "cut@2", text: ANSWER });
  await composer(page).fill("And now?");
  await page.keyboard.press("Enter");
  await answer(page)
    .getByText(/cannot be reached/)
    .waitFor();
  assert.match(await textOf(page), /^The proxy/, "the text that had arrived is kept");
  await server.control({ script: "ok", text: "Yes, I am." });
  await answer(page).getByRole("button", { name: "Retry" }).click();
  await answer(page).getByText("Yes, I am.").waitFor();
  await composer(page).fill("x".repeat(32_001));
  await page.getByText(/Too long/).waitFor();
  assert.equal((await composer(page).inputValue()).length, 32_001);
  await context.close();
});
