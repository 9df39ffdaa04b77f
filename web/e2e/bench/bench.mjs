// Measures what the budget demands, in Chromium against the real server: script time per 1,000 pieces of
// a streamed answer, long tasks, lost frames, first paint, time to interactive and the frames of a scrolling
// list, and rooms; fails above the limits. Script time is CPU time. The others are wall-clock, so a busy machine makes
// them pessimistic: they are the medians of several runs. With FIGURES set, the rows are written to that file as JSON.
import { writeFileSync } from "node:fs";
import { launch, startServer } from "../server.mjs";
import { measureRooms } from "./rooms.mjs";

const PIECES = 1_500;
const LIMITS = {
  1: { script: 700, longest: 100, lost: 2, frame: 20 },
  4: { script: 2_500, lost: 8, fcp: 1_000, tti: 1_800 },
};
const FRAME_MS = 1_000 / 60;
const ROWS = 500;
const PROSE =
  "The proxy reads the size first, so it answers at once and the application is never asked; raise the limit " +
  "to what the application takes, reload, and *try the same photo again*. If it still fails, look at the log " +
  "of the proxy, where each refused request leaves a line with its size and the limit that it met.\n\n";
const SECTION =
  "## Part\n\nThe proxy reads the **size** first, so it answers `413` at once; the application is never asked. " +
  "Raise the limit to what the application takes, and try the same photo again.\n\n" +
  "1. Raise the limit\n2. Reload\n3. Try again\n\n```nginx\nserver {\n    client_max_body_size 20m;\n}\n```\n\n" +
  "| hop | limit |\n|---|---|\n| proxy | 4 MB |\n| application | 20 MB |\n\n" +
  "The size is \\(n = 2^{22}\\) bytes:\n\n$$\\sum_{i=0}^{n} x_i = \\frac{a+b}{c}$$\n\n";
const CHUNK = 35;
// About 53 kB: ten sections with code, tables and formulas between paragraphs of prose.
const LENGTH = PIECES * CHUNK;
const FILLER = PROSE.repeat(Math.ceil((LENGTH / 10 - SECTION.length) / PROSE.length));
const TEXT = (SECTION + FILLER).repeat(11).slice(0, LENGTH);

const rows = [];
const add = (name, value, limit, unit = "ms") => rows.push({ name, value, limit, unit });
const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];

async function session(page, rate) {
  const client = await page.context().newCDPSession(page);
  await client.send("Emulation.setCPUThrottlingRate", { rate });
  await client.send("Performance.enable", { timeDomain: "threadTicks" });
  return client;
}

async function scriptTime(client) {
  const { metrics } = await client.send("Performance.getMetrics");
  return metrics.find(({ name }) => name === "ScriptDuration").value * 1_000;
}

const observe = () => {
  window.longTasks = [];
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      window.longTasks.push({ at: entry.startTime, ms: entry.duration });
    }
  }).observe({ type: "longtask", buffered: true });
};

/** Asks in a new chat and resolves when the answer is there; `begin` runs right before, `end` right after. */
async function answer(browser, server, rate, begin, end) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
  const page = await context.newPage();
  await page.addInitScript(observe);
  const client = await session(page, rate);
  await server.control({ script: "ok", text: TEXT, delay_ms: 14, chunk: CHUNK });
  await page.goto(`${server.url}/chat`);
  await page.getByRole("textbox", { name: "Message to the tutor" }).fill("Explain all of it");
  await page.waitForTimeout(1_000);
  const before = await begin(page, client);
  await page.keyboard.press("Enter");
  await page.getByRole("button", { name: "Copy answer" }).waitFor({ timeout: 120_000 });
  const result = await end(page, client, before);
  await context.close();
  return result;
}

async function streaming(browser, server, rate) {
  const begin = async (page, client) => {
    const before = await scriptTime(client);
    await page.evaluate(() => {
      window.longTasks.length = 0;
    });
    return before;
  };
  const end = async (page, client, before) => ({
    script: ((await scriptTime(client)) - before) / (PIECES / 1_000),
    tasks: await page.evaluate(() => window.longTasks.map(({ ms }) => ms)),
  });
  const { script, tasks } = await answer(browser, server, rate, begin, end);
  add(`script per 1,000 pieces, ${rate}x`, script, LIMITS[rate].script);
  add(`long tasks while streaming, ${rate}x`, tasks.length, undefined, "");
  add(`longest task while streaming, ${rate}x`, Math.max(0, ...tasks), LIMITS[rate].longest);
}

/** Records the time of each frame in `window.frames`. Apart from the script time, to which it would add. */
const countFrames = () => {
  window.frames = [];
  const next = (now) => {
    window.frames.push(now);
    window.counting = requestAnimationFrame(next);
  };
  window.counting = requestAnimationFrame(next);
};
const frameTimes = (page) =>
  page.evaluate(() => {
    cancelAnimationFrame(window.counting);
    return window.frames.slice(1).map((at, index) => at - window.frames[index]);
  });

async function smoothness(browser, server, rate) {
  const shares = [];
  for (let run = 0; run < 3; run++) {
    const times = await answer(
      browser,
      server,
      rate,
      (page) => page.evaluate(countFrames),
      frameTimes,
    );
    const lost = times.reduce((sum, ms) => sum + Math.max(0, Math.round(ms / FRAME_MS) - 1), 0);
    shares.push((100 * lost) / (times.length + lost));
  }
  add(`lost frames while streaming, ${rate}x`, median(shares), LIMITS[rate].lost, "%");
}

/** Scrolls the list from its top through all pages, which load on the way, and back up. */
async function scrolling(browser, server) {
  await server.control({ script: "ok", text: "A short summary.", delay_ms: 0 });
  const headers = { "Content-Type": "application/json" };
  for (let number = 1; number <= ROWS; number++) {
    const ticket = {
      title: `Ticket ${number}: the upload of a photo ends with 413`,
      category: "troubleshooting",
      description: PROSE,
      tags: ["upload", "http"],
    };
    const made = await fetch(`${server.url}/tickets`, {
      method: "POST",
      headers,
      body: JSON.stringify(ticket),
    });
    if (!made.ok) throw new Error(await made.text());
  }
  const slow = [];
  for (let run = 0; run < 3; run++) {
    const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
    const page = await context.newPage();
    await page.goto(`${server.url}/tickets`);
    await page.locator("[data-ticket]").nth(20).waitFor();
    await page.waitForTimeout(1_000);
    await page.evaluate(countFrames);
    await page.evaluate(async (rows) => {
      const box = document.querySelector("main");
      const shown = () => document.querySelectorAll("[data-ticket]").length;
      const atEnd = () => box.scrollTop + box.clientHeight >= box.scrollHeight - 1;
      const step = async (pixels) => {
        box.scrollTop += pixels;
        await new Promise(requestAnimationFrame);
      };
      while (shown() < rows || !atEnd()) await step(80);
      while (box.scrollTop > 0) await step(-80);
    }, ROWS);
    const times = (await frameTimes(page)).sort((a, b) => a - b);
    slow.push(times[Math.floor(times.length * 0.95)]);
    await context.close();
  }
  add(`frame while scrolling ${ROWS} tickets, p95, 1x`, median(slow), LIMITS[1].frame);
}

async function loading(browser, server, path, ready, rate) {
  const samples = [];
  for (let run = 0; run < 5; run++) {
    const context = await browser.newContext({ viewport: { width: 390, height: 844 } });
    const page = await context.newPage();
    await page.addInitScript(observe);
    await session(page, rate);
    await page.goto(server.url + path);
    await page.locator(ready).first().waitFor();
    const shown = await page.evaluate(() => performance.now());
    await page.waitForTimeout(500);
    const { fcp, last } = await page.evaluate(() => ({
      fcp: performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? 0,
      last: Math.max(0, ...window.longTasks.map(({ at, ms }) => at + ms)),
    }));
    samples.push({ fcp, tti: Math.max(fcp, shown, last) });
    await context.close();
  }
  const of = (key) => median(samples.map((one) => one[key]));
  add(`first paint ${path}, ${rate}x`, of("fcp"), LIMITS[rate].fcp);
  add(`time to interactive ${path}, ${rate}x`, of("tti"), LIMITS[rate].tti);
}

const server = await startServer();
const browser = await launch();
try {
  await fetch(`${server.url}/tickets/samples`, { method: "POST" });
  await streaming(browser, server, 1);
  await streaming(browser, server, 4);
  await smoothness(browser, server, 1);
  await smoothness(browser, server, 4);
  for (const rate of [1, 4]) {
    await loading(browser, server, "/tickets", "[data-ticket]", rate);
    await loading(browser, server, "/chat", "textarea", rate);
  }
  await scrolling(browser, server);
  const { message, piece } = await measureRooms(browser, server);
  add("a message is on the other's screen, p95", message, 200);
  add("a piece of the tutor's answer in a room, p95", piece, 300);
} finally {
  await browser.close();
  await server.stop();
}
if (process.env.FIGURES) {
  writeFileSync(process.env.FIGURES, JSON.stringify(rows));
} else {
  for (const { name, value, limit, unit } of rows) {
    const over = limit !== undefined && value > limit;
    const words = limit === undefined ? "" : ` (limit ${limit})`;
    const shown = value < 100 ? Math.round(value * 10) / 10 : Math.round(value);
    console.log(`${over ? "OVER" : "ok  "} ${name}: ${shown} ${unit}${words}`);
    if (over) process.exitCode = 1;
  }
}
