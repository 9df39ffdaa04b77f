// Measures what the budget demands, in Chromium against the real server: script time per 1,000 pieces of
// a streamed answer, long tasks, first paint and time to interactive; fails above the limits. Figures of
// a busy machine are pessimistic: script time is CPU time, the others are wall-clock.
import { launch, startServer } from "./server.mjs";

const PIECES = 1_500;
const LIMITS = { 1: { script: 700, longest: 100 }, 4: { script: 2_500, fcp: 1_000, tti: 1_800 } };
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

async function streaming(browser, server, rate) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
  const page = await context.newPage();
  await page.addInitScript(observe);
  const client = await session(page, rate);
  await server.control({ script: "ok", text: TEXT, delay_ms: 14, chunk: CHUNK });
  await page.goto(`${server.url}/chat`);
  await page.getByRole("textbox", { name: "Message to the tutor" }).fill("Explain all of it");
  await page.waitForTimeout(1_000);
  const before = await scriptTime(client);
  await page.evaluate(() => {
    window.longTasks.length = 0;
  });
  await page.keyboard.press("Enter");
  await page.getByRole("button", { name: "Copy answer" }).waitFor({ timeout: 120_000 });
  const script = ((await scriptTime(client)) - before) / (PIECES / 1_000);
  const tasks = await page.evaluate(() => window.longTasks.map(({ ms }) => ms));
  add(`script per 1,000 pieces, ${rate}x`, script, LIMITS[rate].script);
  add(`long tasks while streaming, ${rate}x`, tasks.length, undefined, "");
  add(`longest task while streaming, ${rate}x`, Math.max(0, ...tasks), LIMITS[rate].longest);
  await context.close();
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
  const median = (key) => samples.map((one) => one[key]).sort((a, b) => a - b)[2];
  add(`first paint ${path}, ${rate}x`, median("fcp"), LIMITS[rate].fcp);
  add(`time to interactive ${path}, ${rate}x`, median("tti"), LIMITS[rate].tti);
}

const server = await startServer();
const browser = await launch();
try {
  await fetch(`${server.url}/tickets/samples`, { method: "POST" });
  await streaming(browser, server, 1);
  await streaming(browser, server, 4);
  for (const rate of [1, 4]) {
    await loading(browser, server, "/tickets", "[data-ticket]", rate);
    await loading(browser, server, "/chat", "textarea", rate);
  }
} finally {
  await browser.close();
  await server.stop();
}
let failed = false;
for (const { name, value, limit, unit } of rows) {
  const over = limit !== undefined && value > limit;
  failed ||= over;
  const words = limit === undefined ? "" : ` (limit ${limit})`;
  console.log(`${over ? "OVER" : "ok  "} ${name}: ${Math.round(value)} ${unit}${words}`);
}
if (failed) process.exitCode = 1;
