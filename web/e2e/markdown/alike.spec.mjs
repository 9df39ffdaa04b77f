// The same Markdown in a ticket, a chat and a room: all three draw it alike.
import { answer, api, ask, expect, say, test } from "../fixtures.mjs";

const TEXT = [
  "# Title",
  "**重要：**请注意 https://example.com/a。然后 100~200, $HOME/$USER, 10 k&Omega;",
  `\`\`\`\n+${"-".repeat(40)}+\n${"long ".repeat(5_000)}\n\`\`\``,
  "Text[^1] and [docs][d].",
  "| a |\n|---|\n| x<br>y |",
  "- **one**",
  "[d]: https://example.com/x\n[^1]: The note.",
].join("\n\n");

async function expectDrawn(root) {
  await expect(root.locator("h3")).toHaveText("Title");
  await expect(root.locator("strong").getByText("重要：", { exact: true })).toBeVisible();
  await expect(
    root.getByRole("link", { name: "https://example.com/a", exact: true }),
  ).toBeVisible();
  await expect(root.locator(".md p").first()).toContainText("100~200, $HOME/$USER, 10 kΩ");
  await expect(root.locator("pre")).toContainText(`+${"-".repeat(40)}+`);
  await expect(root.getByRole("link", { name: "docs" })).toHaveAttribute(
    "href",
    "https://example.com/x",
  );
  await expect(root.locator("td br")).toHaveCount(1);
  await expect(root.locator("ul strong")).toHaveText("one");
}

/** Goes to the note and back with the keyboard. */
async function followNote(page, root) {
  const reference = root.getByRole("link", { name: "Note 1", exact: true });
  await reference.press("Enter");
  await expect(root.locator(".md-notes li")).toBeFocused();
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await expect(reference).toBeFocused();
}

test("a ticket, a chat and a room draw the same Markdown alike", async ({ server, newPerson }) => {
  const { context, page } = await newPerson("Mina");
  const ticket = await api(context, "POST", `${server.url}/tickets`, {
    title: "Markdown",
    description: TEXT,
  });
  await page.goto(`/tickets/${ticket.id}`);
  await expectDrawn(page.getByRole("article"));
  await followNote(page, page.getByRole("article"));
  expect(new URL(page.url()).hash).toBe("");

  await server.control({ text: TEXT, chunk: 2_000 });
  await page.goto("/chat");
  for (const index of [0, 1]) {
    await ask(page, "go");
    await expect(page.getByRole("button", { name: "Copy answer" }).nth(index)).toBeVisible();
    await expectDrawn(answer(page));
    await followNote(page, answer(page));
  }

  const room = await api(context, "POST", `${server.url}/rooms`, { name: "Markdown" });
  await page.goto(`/rooms/${room.id}`);
  await say(page, "@tutor go");
  const message = page.getByRole("article", { name: /^Tutor/ });
  await expectDrawn(message);
  await followNote(page, message);
});
