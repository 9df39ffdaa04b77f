// The server is killed in mid-answer, without a chance to say anything, and started again: the page reconnects by
// itself, shows the text that was saved with the mark "interrupted", and Retry asks the same question again.
import { answer, ask, expect, longerThan, questions, test, textOf } from "./fixtures.mjs";

const TEXT = "The proxy reads the size first, so it answers at once. ".repeat(200);

test("a killed server leaves an interrupted answer that can be asked again", async ({
  server,
  page,
}) => {
  await server.control({ text: TEXT, delay_ms: 50, chunk: 11 });
  await page.goto("/chat");
  await ask(page, "Does it hold?");
  await page.waitForURL(/session=/);
  await longerThan(page, 300);
  await page.waitForTimeout(1_000); // text is saved every 0.7 s
  const written = (await textOf(page)).trim();

  await server.kill();
  await expect(page.getByText("Reconnecting… Your text is saved.").first()).toBeVisible();
  expect((await textOf(page)).startsWith(written), "what was written stays in sight").toBe(true);
  await server.serve();
  const interrupted = answer(page).getByText("interrupted", { exact: true });
  await expect(interrupted).toBeVisible({ timeout: 15_000 });
  const saved = (await textOf(page)).trim();
  expect(saved.length).toBeGreaterThan(200);
  expect(TEXT.startsWith(saved), "it is a beginning of the answer, without a gap").toBe(true);
  await page.reload();
  await expect(interrupted).toBeVisible();
  expect((await textOf(page)).trim(), "the same text after a reload").toBe(saved);

  await server.control({ text: "Yes, it holds.", delay_ms: 0 });
  await answer(page).getByRole("button", { name: "Retry" }).click();
  await expect(answer(page).getByText("Yes, it holds.")).toBeVisible();
  expect(await questions(page).count(), "asked once").toBe(1);
  await answer(page).getByRole("button", { name: "Previous version of the answer" }).click();
  await expect(interrupted).toBeVisible();
  expect((await textOf(page)).trim(), "the interrupted text is an earlier version").toBe(saved);
});
