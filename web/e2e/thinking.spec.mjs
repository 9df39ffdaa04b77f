// The chat page with a model that thinks, and with one that stops at its maximum length.

import { answer, ask, composer, expect, questions, test } from "./fixtures.mjs";

test("thinking is shown folded while it runs and afterwards, and is no part of the answer", async ({
  server,
  page,
}) => {
  await server.control({
    script: "thinking",
    text: "A proxy reads the size first.",
    delay_ms: 1_000,
  });
  await page.goto("/chat");
  await ask(page, "Why?");
  const thought = answer(page).locator("details");
  await expect(thought.getByText("Thinking…")).toBeVisible();
  await expect(page.getByText("SECRET THOUGHT")).toBeHidden();
  await server.control({ delay_ms: 0 });
  await expect(answer(page).getByText("A proxy reads the size first.")).toBeVisible();
  await page.getByRole("button", { name: "Copy answer" }).waitFor();
  await page.reload();
  await answer(page).getByText("A proxy reads the size first.").waitFor();
  await expect(page.getByText("SECRET THOUGHT")).toBeHidden();
  await thought.getByText("Thought", { exact: true }).press("Enter");
  await expect(page.getByText("SECRET THOUGHT")).toBeVisible();
});

test("an answer at its maximum length says so, and Continue asks for the rest", async ({
  server,
  page,
}) => {
  await server.control({ script: "finish:length@2" });
  await page.goto("/chat");
  await ask(page, "Why?");
  await expect(page.getByText("The answer reached the model's maximum length.")).toBeVisible();
  await composer(page).fill("My next question");
  await server.control({ script: "ok" });
  await page.getByRole("button", { name: "Continue" }).click();
  await expect(questions(page).last()).toContainText("Continue where you stopped.");
  await expect(page.getByRole("button", { name: "Copy answer" })).toHaveCount(2);
  await expect(page.getByRole("button", { name: "Continue" })).toHaveCount(0);
  await expect(composer(page)).toHaveValue("My next question");
});

for (const theme of ["light", "dark"]) {
  test(`the fold of thinking has a mark that turns when it opens, in the ${theme} theme`, async ({
    server,
    page,
  }) => {
    await page.emulateMedia({ colorScheme: theme });
    await server.control({ script: "thinking", text: "It reads the size first." });
    await page.goto("/chat");
    await ask(page, "Why?");
    const summary = answer(page).locator("summary");
    const mark = summary.locator("svg");
    await expect(mark).toBeVisible();
    const lookOf = () =>
      mark.evaluate((element) => {
        const { rotate, color } = getComputedStyle(element);
        const { backgroundColor } = getComputedStyle(document.body);
        return { rotate, isSeen: color !== backgroundColor, isDrawn: element.clientWidth >= 12 };
      });
    expect(await lookOf()).toEqual({ rotate: "none", isSeen: true, isDrawn: true });
    await summary.press("Enter");
    expect(await lookOf()).toEqual({ rotate: "90deg", isSeen: true, isDrawn: true });
    await summary.press(" ");
    expect(await lookOf()).toEqual({ rotate: "none", isSeen: true, isDrawn: true });
  });
}
