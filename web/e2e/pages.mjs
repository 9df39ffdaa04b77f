// One installation with every kind of page, long enough to scroll, for tests that hold on all pages.
import { answer, api, ask, expect, pathOf, say } from "./fixtures.mjs";

const LONG = Array.from({ length: 60 }, (_, at) => `Paragraph ${at + 1} of a long text.`).join(
  "\n\n",
);

/** Fills a server as the visitor of `context`. Returns the pages: name, path, and what is there once it has loaded. */
export async function makePages(server, browser) {
  const context = await browser.newContext({ baseURL: server.url });
  const call = (method, path, data) => api(context, method, server.url + path, data);
  await call("PATCH", "/me", { name: "Ana" });
  if ((await call("GET", "/tickets")).length === 0) await call("POST", "/tickets/samples");
  const ticket = { title: "Image upload error", description: LONG, category: "bug" };
  const { id } = await call("POST", "/tickets", ticket);
  const room = await call("POST", "/rooms", { name: "red-team", topic: "Why it fails" });
  for (let at = 1; at <= 8; at++) await call("POST", "/rooms", { name: `room-${at}` });
  const other = await browser.newContext({ baseURL: server.url });
  await api(other, "PATCH", `${server.url}/me`, { name: "Bob" });
  const theirs = await api(other, "POST", `${server.url}/rooms`, { name: "library-desk" });
  await other.close();
  const page = await context.newPage();
  await server.control({ text: LONG, delay_ms: 0, chunk: 400 });
  await page.goto("/chat");
  await ask(page, "Why?");
  await page.getByRole("button", { name: "Copy answer" }).waitFor();
  const chat = pathOf(page);
  await page.goto(`/rooms/${room.id}`);
  await say(page, LONG);
  await page.locator("[data-pending]").first().waitFor({ state: "detached" });
  const state = await context.storageState();
  await context.close();
  const title = (tab) => tab.getByLabel("Title");
  const pages = [
    ["tickets", "/tickets", (tab) => tab.locator("[data-ticket]").first()],
    ["ticket", `/tickets/${id}`, (tab) => tab.getByText("Paragraph 1 of a long text.")],
    ["new ticket", "/tickets/new", title],
    ["edit ticket", `/tickets/${id}/edit`, title],
    ["new chat", "/chat", (tab) => tab.getByRole("button", { name: /^Explain: / }).first()],
    ["chat", chat, (tab) => answer(tab).getByText("Paragraph 60 of a long text.")],
    ["rooms", "/rooms", (tab) => tab.getByRole("link", { name: /room-8/ })],
    ["room", `/rooms/${room.id}`, (tab) => tab.getByText("Paragraph 60 of a long text.")],
    ["room to join", `/rooms/${theirs.id}`, (tab) => tab.getByRole("button", { name: "Join" })],
    ["status", "/status", (tab) => tab.getByText("Events come one by one")],
    ["missing page", "/nothing", (tab) => tab.getByRole("heading", { level: 1 })],
  ].map(([name, path, shown]) => ({
    name,
    path,
    open: async (tab) => {
      await tab.goto(path);
      await expect(shown(tab)).toBeVisible();
    },
  }));
  return { state, pages };
}
