// Hostile Markdown streamed character by character through the real chat: nothing is fetched from elsewhere,
// nothing runs, no link is more than http, https or mailto, and the policy is never even asked.

import { ask, expect, test, watch } from "../fixtures.mjs";
import { PAYLOADS } from "./hostile.mjs";

const CHAT_LENGTH = 18;

/** Returns what a transcript must not contain, whatever was written. Runs in the page. */
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
    // Footnotes lead to places in their own message.
    if (link.matches("sup > a, .md-back") && link.getAttribute("href").startsWith("#")) continue;
    const outside = link.getAttribute("target") === "_blank";
    if (outside && !/^(?:https?|mailto):$/.test(link.protocol)) bad.push(link.href);
    if (outside && link.rel !== "noopener noreferrer nofollow") bad.push(`rel=${link.rel}`);
    if (!outside) bad.push(`inside: ${link.href}`);
  }
  if (window.pwned) bad.push("a script ran");
  return bad;
}

test("there are at least 200 hostile texts", () => {
  expect(PAYLOADS.length).toBeGreaterThanOrEqual(200);
});

for (let start = 0; start < PAYLOADS.length; start += CHAT_LENGTH) {
  const payloads = PAYLOADS.slice(start, start + CHAT_LENGTH);
  test(`hostile texts ${start} to ${start + payloads.length - 1} do nothing`, async ({
    server,
    page,
  }) => {
    await page.setViewportSize({ width: 1000, height: 700 });
    const watched = watch(page, server.url);
    page.on("dialog", (dialog) => {
      watched.problems.push(`dialog: ${dialog.message()}`);
      void dialog.dismiss();
    });
    await page.goto("/chat");
    const copyButtons = page.getByRole("button", { name: "Copy answer" });
    for (const [index, payload] of payloads.entries()) {
      const text = `A ${payload}\n\n${payload}`;
      await server.control({ text, delay_ms: 0.2, chunk: 1 });
      await ask(page, "go");
      await expect(copyButtons.nth(index)).toBeVisible();
      const name = `text ${start + index}: ${payload.slice(0, 120)}`;
      expect(await page.evaluate(inspect), name).toEqual([]);
      expect(watched.problems, name).toEqual([]);
    }
  });
}

test("a foreign link asks first and names its real host", async ({ server, context, page }) => {
  await server.control({ text: "See [google.com](https://evil.example/path).", chunk: 8 });
  await page.goto("/chat");
  await ask(page, "go");
  await expect(page.getByText("(evil.example)")).toBeVisible();
  await expect(page.getByRole("button", { name: "Copy answer" })).toBeVisible();
  for (const button of ["left", "middle"]) {
    await page.getByRole("link", { name: "google.com" }).click({ button });
    await expect(page.getByRole("dialog").getByText("https://evil.example/path")).toBeVisible();
    expect(context.pages().length, "nothing was opened").toBe(1);
    await page.getByRole("button", { name: "Stay here" }).click();
    await expect(page.getByRole("dialog")).not.toBeAttached();
  }
});
