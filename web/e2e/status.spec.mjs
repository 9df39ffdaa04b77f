// /status, and what happens to open pages when the database was restored to an earlier state.
import { execFile } from "node:child_process";
import { createServer, request } from "node:http";
import { join } from "node:path";
import { promisify } from "node:util";
import { api, ask, composer, expect, roomField, roomLog, say, test, watch } from "./fixtures.mjs";
import { root } from "./server.mjs";

const run = promisify(execFile);

const line = (page, name) => page.getByRole("listitem").filter({ hasText: name });

/** Starts a proxy that forwards responses only when they are complete, and no socket at all. Returns `url` and `stop`. */
async function bufferingProxy(target) {
  const proxy = createServer((incoming, outgoing) => {
    const options = {
      method: incoming.method,
      headers: { ...incoming.headers, host: new URL(target).host },
    };
    incoming.pipe(
      request(target + incoming.url, options, (response) => {
        const chunks = [];
        response.on("data", (chunk) => chunks.push(chunk));
        response.on("end", () =>
          outgoing.writeHead(response.statusCode, response.headers).end(Buffer.concat(chunks)),
        );
        response.on("error", () => outgoing.destroy());
      }).on("error", () => outgoing.destroy()),
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

test("everything works, and the page tests streams and sockets itself", async ({
  emptyServer,
  page,
}) => {
  const watched = watch(page, emptyServer.url);
  await page.goto(`${emptyServer.url}/status`);
  await expect(page.getByText("Everything works.")).toBeVisible();
  const streams = line(page, "Streams");
  const again = page.getByRole("button", { name: "Test again" });
  const streamsWork = () =>
    expect(async () => {
      // A busy machine may deliver the events at once.
      if (await streams.getByText(/^All events came at once/).isVisible()) await again.click();
      const verdict = streams.getByText(/^Events come one by one, \d+ ms apart/);
      await expect(verdict).toBeVisible({ timeout: 3_000 });
      await expect(streams.getByText("works", { exact: true })).toBeVisible();
    }).toPass({ timeout: 30_000 });
  await streamsWork();
  const sockets = line(page, "Sockets").getByText(/^Messages go there and back in \d+ ms/);
  await expect(sockets).toBeVisible();
  await expect(line(page, "Change log").getByText(/^Every change is kept/)).toBeVisible();
  await expect(page.getByText("GET /status", { exact: true })).toBeVisible();
  await again.click();
  await expect(streams.getByText("testing…")).toBeVisible();
  await streamsWork();
  watched.check();
});

test("the reference of the API is drawn by the server's own files and calls it", async ({
  server,
  page,
}) => {
  const watched = watch(page, server.url);
  await page.goto("/docs");
  await expect(page.getByRole("heading", { name: /Tutordesk/ })).toBeVisible();
  await page.getByRole("button", { name: /GET \/health\/ready/ }).click();
  await page.getByRole("button", { name: "Try it out" }).click();
  await page.getByRole("button", { name: "Execute" }).click();
  await expect(page.getByText("Response body").first()).toBeVisible();
  watched.check();
});

test("the page detects a proxy that buffers streams and passes no sockets", async ({
  server,
  page,
}) => {
  const proxy = await bufferingProxy(server.url);
  try {
    await page.goto(`${proxy.url}/status`);
    await expect(line(page, "Streams").getByText(/^All events came at once/)).toBeVisible();
    await expect(line(page, "Sockets").getByText(/^No socket gets through/)).toBeVisible();
  } finally {
    await proxy.stop();
  }
});

test("the page says that a server is away, and notices its return", async ({ server, page }) => {
  await page.goto("/status");
  await expect(page.getByText("Everything works.")).toBeVisible();
  await server.kill();
  await expect(page.getByText(/is not answering right now/)).toBeVisible();
  await server.serve();
  await expect(page.getByText("Everything works.")).toBeVisible();
});

test("every page says that the disk is full until something is saved again", async ({ page }) => {
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
  await page.goto("/tickets/new");
  await page.getByLabel("Title").fill("Kept while the disk is full");
  await page.getByLabel("Description").fill("Nothing of it may be lost.");
  await page.keyboard.press("Control+Enter");
  const banner = page.getByText(/^The server's disk is full: you can read/);
  await expect(banner).toBeVisible();
  expect(await page.getByLabel("Title").inputValue()).toBe("Kept while the disk is full");
  isFull = false;
  await page.keyboard.press("Control+Enter");
  await page.waitForURL(/tickets\/[0-9a-f]{24}$/);
  await expect(banner).not.toBeAttached();
});

/** Runs `tutordesk …` on the server's data folder. */
const command = (server, ...args) =>
  run(".venv/bin/tutordesk", [...args, "--data-dir", server.folder], { cwd: root });

/** Dumps the database. Returns a function that kills the server, restores the dump, and starts the server again. */
async function dump(server) {
  const path = join(server.folder, `dump-${crypto.randomUUID()}`);
  await command(server, "dump", path);
  return async () => {
    await server.kill();
    await command(server, "restore", path, "--yes-drop", "tutordesk");
    await server.serve();
  };
}

test("pages that are open during a restore drop what they knew, and keep what was being written", async ({
  server,
  context,
}) => {
  const [list, chat] = [await context.newPage(), await context.newPage()];
  const createTicket = (title) =>
    api(context, "POST", `${server.url}/tickets`, {
      title,
      description: "Written for the test of restoring.",
    });
  await createTicket("There before the dump");
  const restore = await dump(server);
  await createTicket("Written after the dump");
  await chat.goto("/chat");
  await composer(chat).fill("Half a question");
  await list.goto("/tickets");
  await expect(list.getByText("Written after the dump")).toBeVisible();
  await restore();
  const restored = (page) => page.getByText(/restored to an earlier state/);
  for (const page of [list, chat]) {
    await page.bringToFront();
    await expect(restored(page)).toBeVisible();
  }
  await expect(list.getByText("There before the dump")).toBeVisible();
  expect(await list.getByText("Written after the dump").count()).toBe(0);
  expect(await composer(chat).inputValue()).toBe("Half a question");
  await chat.keyboard.press("Escape");
  await ask(chat, "Half a question, and the rest");
  await expect(chat.getByRole("button", { name: "Copy answer" })).toBeVisible();
  await list.reload();
  await expect(list.getByText("There before the dump")).toBeVisible();
  expect(await restored(list).count()).toBe(0);
});

test("an open room continues after a restore, and shows only what exists", async ({
  server,
  newPerson,
}) => {
  const { context, page } = await newPerson("Ana");
  const { id } = await api(context, "POST", `${server.url}/rooms`, { name: "rewound" });
  await page.goto(`/rooms/${id}`);
  const sayAndConfirm = async (text) => {
    await say(page, text);
    await expect(roomLog(page).getByText(text)).toBeVisible();
    await expect(page.locator("[data-pending]").first()).not.toBeAttached();
  };
  await sayAndConfirm("said before");
  const restore = await dump(server);
  await sayAndConfirm("said and undone");
  await roomField(page).fill("not sent yet");
  await restore();
  await expect(page.getByText(/restored to an earlier state/)).toBeVisible();
  await expect(roomLog(page).getByText("said before")).toBeVisible();
  expect(await roomLog(page).getByText("said and undone").count()).toBe(0);
  expect(await roomField(page).inputValue()).toBe("not sent yet");
  await sayAndConfirm("said afterwards");
});
