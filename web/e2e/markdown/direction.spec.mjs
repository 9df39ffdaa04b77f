// Text from right to left beside text from left to right, in tickets, chats and rooms: each block of people's words runs
// in its own direction, code runs from left to right, and the interface keeps its own.
import {
  answer,
  api,
  ask,
  composer,
  expect,
  questions,
  roomField,
  say,
  test,
} from "../fixtures.mjs";

const TEXTS = {
  Arabic: {
    title: "رفع الصور يفشل: خطأ 413",
    text: [
      "# خطأ 413 عند الرفع",
      "الحد الأقصى هو **4 ميغابايت** في `nginx`، ثم 20.",
      "1. ارفع الحد إلى 20\n2. أعد التحميل",
      "- فقرة\n\n- أخرى 42",
      "> اقتباس",
      "```nginx\nclient_max_body_size 20m;\n```",
      "| الخادم | الحد |\n|---|---|\n| nginx | 4 |",
      "English after it, with 413.",
    ].join("\n\n"),
  },
  Hebrew: {
    title: "העלאת תמונות נכשלת: שגיאה 413",
    text: [
      "# שגיאה 413 בהעלאה",
      "`nginx` מגביל ל־**4 מ״ב**, ואחר כך 20.",
      "1. הגדילו את המגבלה ל־20\n2. טענו מחדש",
      "- פסקה\n\n- עוד 42",
      "> ציטוט",
      "```nginx\nclient_max_body_size 20m;\n```",
      "| שרת | מגבלה |\n|---|---|\n| nginx | 4 |",
      "English after it, with 413.",
    ].join("\n\n"),
  },
};

/** Returns the direction of each kind of block, and whether its first line begins at the right. Runs in the page. */
function directions(root) {
  const blocks = ["h3", "p", "ol > li", "ul > li", "blockquote", "table", "pre", "code"];
  return Object.fromEntries(
    blocks.map((selector) => {
      const nodes = [...root.querySelectorAll(`.md ${selector}`)];
      return [selector, [...new Set(nodes.map((node) => getComputedStyle(node).direction))]];
    }),
  );
}

/** Returns whether the mark of each list item is drawn inside its block. Runs in the page. */
function markersFit(root) {
  return [...root.querySelectorAll(".md li")].every((item) => {
    const block = item.closest(".md-block").getBoundingClientRect();
    const box = item.getBoundingClientRect();
    const isRtl = getComputedStyle(item).direction === "rtl";
    return isRtl ? block.right - box.right >= 20 : box.left - block.left >= 20;
  });
}

const EXPECTED = {
  h3: ["rtl"],
  p: ["rtl", "ltr"],
  "ol > li": ["rtl"],
  "ul > li": ["rtl"],
  blockquote: ["rtl"],
  table: ["rtl"],
  pre: ["ltr"],
  code: ["ltr"],
};

async function expectDirections(root) {
  await expect.poll(() => root.evaluate(directions)).toEqual(EXPECTED);
  expect(await root.evaluate(markersFit)).toBe(true);
}

for (const [language, { title, text }] of Object.entries(TEXTS)) {
  test(`${language} runs from right to left in a ticket, a chat and a room`, async ({
    server,
    newPerson,
  }) => {
    const name = title.split(" ")[0];
    const { context, page } = await newPerson(name);
    const ticket = await api(context, "POST", `${server.url}/tickets`, {
      title,
      description: text,
    });

    await page.goto(`/tickets/${ticket.id}`);
    await expect(page.getByRole("heading", { name: title, level: 1 })).toHaveCSS(
      "direction",
      "rtl",
    );
    await expectDirections(page.getByRole("article"));
    await expect(page.locator("html")).toHaveCSS("direction", "ltr");

    await page.goto("/tickets");
    const row = page.locator(`[data-ticket="${ticket.id}"]`).getByRole("heading");
    await expect(row).toHaveCSS("direction", "rtl");

    await server.control({ text, chunk: 7 });
    await page.goto("/chat");
    await composer(page).fill(title);
    await expect(composer(page)).toHaveCSS("direction", "rtl");
    await ask(page, title);
    await expect(questions(page).locator("p")).toHaveCSS("direction", "rtl");
    await expect(page.getByRole("button", { name: "Copy answer" })).toBeVisible();
    await expectDirections(answer(page));

    const room = await api(context, "POST", `${server.url}/rooms`, { name: title, topic: title });
    await page.goto(`/rooms/${room.id}`);
    await expect(page.getByRole("heading", { level: 1 }).getByText(title)).toHaveCSS(
      "direction",
      "rtl",
    );
    await roomField(page).fill(title);
    await expect(roomField(page)).toHaveCSS("direction", "rtl");
    await say(page, `@tutor ${title}`);
    const message = page.getByRole("article", { name: /^You/ });
    await expect(message.locator(".md p")).toHaveCSS("direction", "rtl");
    await expectDirections(page.getByRole("article", { name: /^Tutor/ }));
  });
}
