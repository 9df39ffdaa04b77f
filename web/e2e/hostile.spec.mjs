// Hostile Markdown streamed character by character through the real chat: nothing is fetched from elsewhere,
// nothing runs, no link is more than http, https or mailto, and the policy is never even asked.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { PAYLOADS } from "./hostile.mjs";
import { launch, startServer, watch } from "./server.mjs";

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

/** What must not be in a transcript, whatever was written. Runs in the page. */
function inspect() {
  const log = document.querySelector("[role=log]");
  const bad = [];
  const tags =
    "img,iframe,script,style,object,embed,form,video,audio,svg,base,meta,link,input,picture";
  for (const node of log.querySelectorAll(tags)) {
    // The page's own buttons have icons; no text of a message is ever in a button.
    if (!node.matches("button > svg[aria-hidden=true]")) bad.push(`<${node.localName}>`);
  }
  for (const node of log.querySelectorAll("*")) {
    for (const { name } of node.attributes) {
      if (name.startsWith("on") || name === "style" || name === "srcset") bad.push(`@${name}`);
    }
  }
  for (const link of log.querySelectorAll("[href]")) {
    const outside = link.getAttribute("target") === "_blank";
    if (outside && !/^(?:https?|mailto):$/.test(link.protocol)) bad.push(link.href);
    if (outside && link.rel !== "noopener noreferrer nofollow") bad.push(`rel=${link.rel}`);
    if (!outside) bad.push(`inside: ${link.href}`);
  }
  if (window.pwned) bad.push("a script ran");
  return bad;
}

test(`${PAYLOADS.length} hostile texts do nothing`, { timeout: 600_000 }, async () => {
  assert.ok(PAYLOADS.length >= 200);
  const context = await browser.newContext({ viewport: { width: 1000, height: 700 } });
  const page = await context.newPage();
  const seen = watch(page, server.url);
  page.on("dialog", (dialog) => {
    seen.wrong.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  const composer = page.getByRole("textbox", { name: "Message to the tutor" });
  for (const [index, payload] of PAYLOADS.entries()) {
    if (index % 20 === 0) {
      await page.goto(`${server.url}/chat`);
      await composer.waitFor();
    }
    await server.control({
      script: "ok",
      text: `A ${payload}\n\n${payload}`,
      delay_ms: 0.2,
      chunk: 1,
    });
    const done = page.getByRole("button", { name: "Copy answer" });
    const before = await done.count();
    await composer.fill("go");
    await page.keyboard.press("Enter");
    await done.nth(before).waitFor({ timeout: 20_000 });
    const bad = await page.evaluate(inspect);
    assert.deepEqual(bad, [], `text ${index}: ${payload.slice(0, 120)}`);
    assert.deepEqual(seen.wrong, [], `text ${index}: ${payload.slice(0, 120)}`);
  }
  await context.close();
});

test("a foreign link asks first and names its real host", async () => {
  const context = await browser.newContext();
  const page = await context.newPage();
  const text = "See [google.com](https://evil.example/path).";
  await server.control({ script: "ok", text, delay_ms: 0, chunk: 8 });
  await page.goto(`${server.url}/chat`);
  await page.getByRole("textbox", { name: "Message to the tutor" }).fill("go");
  await page.keyboard.press("Enter");
  await page.getByText("(evil.example)").waitFor();
  await page.getByRole("button", { name: "Copy answer" }).waitFor();
  for (const button of ["left", "middle"]) {
    await page.getByRole("link", { name: "google.com" }).click({ button });
    await page.getByRole("dialog").getByText("https://evil.example/path").waitFor();
    assert.equal(context.pages().length, 1, "nothing was opened");
    await page.getByRole("button", { name: "Stay here" }).click();
    await page
      .getByRole("dialog")
      .waitFor({ state: "detached" })
      .catch(() => undefined);
  }
  await context.close();
});
