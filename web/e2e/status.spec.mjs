// /status, and what happens to open pages when the database was restored to an earlier state.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createServer, request } from "node:http";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { launch, root, startServer, watch } from "./server.mjs";

const run = promisify(execFile);
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

const line = (page, name) => page.getByRole("listitem").filter({ hasText: name });

/** A proxy that passes an answer on only when it has all of it, and no socket at all. */
async function bufferingProxy(target) {
  const proxy = createServer((asked, answer) => {
    const options = {
      method: asked.method,
      headers: { ...asked.headers, host: new URL(target).host },
    };
    asked.pipe(
      request(target + asked.url, options, (from) => {
        const parts = [];
        from.on("data", (part) => parts.push(part));
        from.on("end", () =>
          answer.writeHead(from.statusCode, from.headers).end(Buffer.concat(parts)),
        );
        from.on("error", () => answer.destroy());
      }).on("error", () => answer.destroy()),
    );
  });
  proxy.on("upgrade", (_, socket) => socket.end("HTTP/1.1 502 Bad Gateway\r\n\r\n"));
  await new Promise((resolve) => proxy.listen(0, "127.0.0.1", resolve));
  const stop = async () => {
    proxy.closeAllConnections();
    await new Promise((resolve) => proxy.close(resolve));
  };
  return { url: `http://127.0.0.1:${proxy.address().port}`, stop };
}

test("says that all works, and tests streams and sockets from here", async () => {
  const page = await browser.newPage();
  const seen = watch(page, server.url);
  await page.goto(`${server.url}/status`);
  await page.getByText("Everything works.").waitFor();
  await line(page, "Streams")
    .getByText(/^Events come one by one, \d+ ms apart/)
    .waitFor();
  await line(page, "Sockets")
    .getByText(/^Messages go there and back in \d+ ms/)
    .waitFor();
  await line(page, "Change log")
    .getByText(/^Every change is kept/)
    .waitFor();
  await page.getByText("GET /status", { exact: true }).waitFor();
  await page.getByRole("button", { name: "Test again" }).click();
  await line(page, "Streams").getByText("trying…").waitFor();
  await line(page, "Streams").getByText("works", { exact: true }).waitFor();
  seen.check();
  await page.close();
});

test("finds a proxy that buffers streams and passes no sockets", async () => {
  const proxy = await bufferingProxy(server.url);
  try {
    const page = await browser.newPage();
    await page.goto(`${proxy.url}/status`);
    await line(page, "Streams")
      .getByText(/^All events came at once/)
      .waitFor();
    await line(page, "Sockets")
      .getByText(/^No socket gets through/)
      .waitFor();
    await page.close();
  } finally {
    await proxy.stop();
  }
});

test("a server that is away is said, and noticed when it is back", async () => {
  const page = await browser.newPage();
  await page.goto(`${server.url}/status`);
  await page.getByText("Everything works.").waitFor();
  await server.kill();
  await page.getByText(/does not answer just now/).waitFor();
  await server.serve();
  await page.getByText("Everything works.").waitFor();
  await page.close();
});

test("a full disk is said above every page until something is saved again", async () => {
  const page = await browser.newPage();
  let isFull = true; // a small disk takes root; api/tests has the server's side on a real one
  await page.route("**/tickets", (route) =>
    isFull && route.request().method() === "POST"
      ? route.fulfill({
          status: 507,
          contentType: "application/problem+json",
          body: JSON.stringify({ detail: "The server's disk is full." }),
        })
      : route.continue(),
  );
  await page.goto(`${server.url}/tickets/new`);
  await page.getByLabel("Title").fill("Kept while the disk is full");
  await page.getByLabel("Description").fill("Nothing of it may be lost.");
  await page.keyboard.press("Control+Enter");
  const banner = page.getByText(/^The server's disk is full: you can read/);
  await banner.waitFor();
  assert.equal(await page.getByLabel("Title").inputValue(), "Kept while the disk is full");
  isFull = false;
  await page.keyboard.press("Control+Enter");
  await page.waitForURL(/tickets\/[0-9a-f]{24}$/);
  await banner.waitFor({ state: "detached" });
  await page.close();
});

/** `tutordesk …` on the server's data folder. */
const command = (...args) =>
  run(".venv/bin/tutordesk", [...args, "--data-dir", server.folder], { cwd: root });

test("a restored database: open pages drop what they knew, and keep what was being written", async () => {
  const context = await browser.newContext();
  const [list, chat] = [await context.newPage(), await context.newPage()];
  const write = async (title) => {
    const headers = { Origin: server.url };
    const data = { title, description: "Written for the test of restoring." };
    const answer = await context.request.post(`${server.url}/tickets`, { data, headers });
    assert.ok(answer.ok(), await answer.text());
  };
  await write("There before the dump");
  const dump = join(server.folder, "dump-of-before");
  await command("dump", dump);
  await write("Written after the dump");
  await chat.goto(`${server.url}/chat`);
  await chat.getByRole("textbox", { name: "Message to the tutor" }).fill("Half a question");
  await list.goto(`${server.url}/tickets`);
  await list.getByText("Written after the dump").waitFor();
  await server.kill();
  await command("restore", dump, "--yes-drop", "tutordesk");
  await server.serve();
  for (const page of [list, chat]) {
    await page.bringToFront();
    await page.getByText(/restored to an earlier state/).waitFor();
  }
  await list.getByText("There before the dump").waitFor();
  assert.equal(await list.getByText("Written after the dump").count(), 0);
  const field = chat.getByRole("textbox", { name: "Message to the tutor" });
  assert.equal(await field.inputValue(), "Half a question");
  await chat.keyboard.press("Escape");
  await field.fill("Half a question, and the rest");
  await field.press("Enter");
  await chat.getByRole("button", { name: "Copy answer" }).waitFor();
  await list.reload();
  await list.getByText("There before the dump").waitFor();
  assert.equal(await list.getByText(/restored to an earlier state/).count(), 0);
  await context.close();
});

test("an open room goes on after a restore, and shows only what is there", async () => {
  const context = await browser.newContext();
  const headers = { Origin: server.url };
  const api = (method, path, data) =>
    context.request.fetch(server.url + path, { method, data, headers });
  await api("PATCH", "/me", { name: "Ana" });
  const { id } = await (await api("POST", "/rooms", { name: "rewound" })).json();
  const page = await context.newPage();
  await page.goto(`${server.url}/rooms/${id}`);
  const field = page.getByRole("textbox", { name: /^Message to/ });
  const say = async (text) => {
    await field.fill(text);
    await page.keyboard.press("Enter");
    await page.getByRole("log").getByText(text).waitFor();
    await page.locator("[data-pending]").first().waitFor({ state: "detached" });
  };
  await say("said before");
  const dump = join(server.folder, "dump-of-room");
  await command("dump", dump);
  await say("said and undone");
  await field.fill("not sent yet");
  await server.kill();
  await command("restore", dump, "--yes-drop", "tutordesk");
  await server.serve();
  await page.getByText(/restored to an earlier state/).waitFor();
  await page.getByRole("log").getByText("said before").waitFor();
  assert.equal(await page.getByRole("log").getByText("said and undone").count(), 0);
  assert.equal(await field.inputValue(), "not sent yet");
  await say("said afterwards");
  await context.close();
});
