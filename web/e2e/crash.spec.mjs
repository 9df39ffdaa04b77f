// The server is killed in mid-answer, without a chance to say anything, and started again: the page finds it
// by itself, shows the text that was saved with the mark "interrupted", and Retry asks the same question again.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { launch, startServer } from "./server.mjs";

const SENTENCE = "The proxy reads the size first, so it answers at once. ";

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

test("a killed server leaves an interrupted answer that can be asked again", async () => {
  const context = await browser.newContext();
  const page = await context.newPage();
  const composer = page.getByRole("textbox", { name: "Message to the tutor" });
  const answer = page.getByRole("article", { name: /^Tutor/ });
  const text = () => answer.locator(".md").innerText();
  await server.control({ script: "ok", text: SENTENCE.repeat(200), delay_ms: 50, chunk: 11 });
  await page.goto(`${server.url}/chat`);
  await composer.fill("Does it hold?");
  await page.keyboard.press("Enter");
  await page.waitForURL(/session=/);
  await page.waitForFunction(() => document.querySelector(".md")?.textContent.length > 300);
  await page.waitForTimeout(1_000); // text is saved every 0.7 s
  const written = (await text()).trim();

  await server.kill();
  await page.getByText("Reconnecting… your text is kept").first().waitFor({ timeout: 15_000 });
  assert.ok((await text()).startsWith(written), "what was written stays in sight");
  await server.serve();
  const ready = Date.now();
  await answer.getByText("interrupted", { exact: true }).waitFor({ timeout: 20_000 });
  assert.ok(Date.now() - ready < 15_000);
  const kept = (await text()).trim();
  assert.ok(kept.length > 200, `only ${kept.length} characters were kept`);
  assert.ok(
    SENTENCE.repeat(200).startsWith(kept),
    "it is a beginning of the answer, without a gap",
  );
  await page.reload();
  await answer.getByText("interrupted", { exact: true }).waitFor();
  assert.equal((await text()).trim(), kept, "the same text after a reload");

  await server.control({ script: "ok", text: "Yes, it holds.", delay_ms: 0 });
  await answer.getByRole("button", { name: "Retry" }).click();
  await answer.getByText("Yes, it holds.").waitFor();
  assert.equal(await page.getByRole("article", { name: /^You/ }).count(), 1, "asked once");
  await answer.getByRole("button", { name: "Previous version of the answer" }).click();
  await answer.getByText("interrupted", { exact: true }).waitFor();
  assert.equal((await text()).trim(), kept, "the interrupted text is an earlier version");
  await context.close();
});
