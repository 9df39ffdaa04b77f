// What browser tests share: a server for each worker, browsers that close by themselves, the places of a page, and
// checks that every feature needs. Tests import `test` and `expect` from here.
import { fileURLToPath } from "node:url";
import { test as base, expect } from "@playwright/test";
import { cuttingProxy, startServer } from "./server.mjs";

export { expect };

/** The folder for pictures that people look at. */
export const SHOTS = fileURLToPath(new URL("shots/", import.meta.url));
export const PHONE = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true };
/** A sentence with markup and characters of several code units; a text of many shows gaps and doubles. */
export const SENTENCE = "The proxy reads the size first, so it answers **413** at once. 👩‍👩‍👧 é ";
const MODEL_DEFAULTS = {
  script: "ok",
  text: "A short answer.",
  title: "Uploads and their limits",
  delay_ms: 0,
  chunk: 12,
};

export const test = base.extend({
  /** The worker's server, which has the data of earlier tests. */
  server: [
    // biome-ignore lint/correctness/noEmptyPattern: Playwright reads the names of fixtures from the pattern.
    async ({}, use) => {
      const server = await startServer();
      await use(server);
      await server.stop();
    },
    { scope: "worker", timeout: 120_000 },
  ],

  /** A server that this test has for itself, without data. */
  emptyServer: [
    // biome-ignore lint/correctness/noEmptyPattern: Playwright reads the names of fixtures from the pattern.
    async ({}, use) => {
      const server = await startServer();
      await use(server);
      await server.stop();
    },
    { timeout: 120_000 },
  ],

  baseURL: ({ server }, use) => use(server.url),

  modelDefaults: [
    async ({ server }, use) => {
      await server.control(MODEL_DEFAULTS);
      await use();
    },
    { auto: true },
  ],

  /** Opens a browser context of a new visitor; it closes with the test. */
  newContext: async ({ browser }, use) => {
    const contexts = [];
    await use(async (options) => {
      const context = await browser.newContext(options);
      contexts.push(context);
      return context;
    });
    for (const context of contexts) await context.close();
  },

  /** Opens a browser of somebody with a name. Returns its `context` and `page`. */
  newPerson: async ({ newContext, baseURL }, use) => {
    await use(async (name, url = baseURL) => {
      const context = await newContext({ baseURL: url, viewport: { width: 1280, height: 800 } });
      await api(context, "PATCH", `${url}/me`, { name });
      return { context, page: await context.newPage() };
    });
  },

  /** A proxy to the server that can cut its connections. */
  cutter: async ({ server }, use) => {
    const proxy = await cuttingProxy(new URL(server.url).port);
    await use(proxy);
    await proxy.stop();
  },
});

/** Calls the server as the context's visitor. Returns the response's JSON; throws unless it succeeded. */
export async function api(context, method, url, data) {
  const headers = { Origin: new URL(url).origin };
  const response = await context.request.fetch(url, { method, data, headers });
  expect(response.ok(), `${method} ${url}: ${await response.text()}`).toBe(true);
  return response.status() === 204 ? null : response.json();
}

/** Waits until `condition` returns something true. */
export const until = (condition, message) =>
  expect.poll(condition, { message, intervals: [50, 100] }).toBeTruthy();

export const composer = (page) => page.getByRole("textbox", { name: "Message to the tutor" });
export const answers = (page) => page.getByRole("article", { name: /^Tutor/ });
export const answer = (page) => answers(page).last();
export const questions = (page) => page.getByRole("article", { name: /^You/ });
export const textOf = (page) => answer(page).locator(".md").innerText();
export const roomField = (page) => page.getByRole("textbox", { name: /^Message to/ });
export const roomLog = (page) => page.getByRole("log", { name: "Messages" });

/** Sends a question from the open chat. */
export async function ask(page, question) {
  await composer(page).fill(question);
  await page.keyboard.press("Enter");
}

/** Sends a message from the open room. */
export async function say(page, text) {
  await roomField(page).fill(text);
  await page.keyboard.press("Enter");
}

/** Waits until the last answer has more than `length` characters. Returns its text. */
export async function longerThan(page, length) {
  await expect(answer(page).locator(".md")).toBeVisible();
  let text;
  await until(async () => {
    text = await textOf(page);
    return text.length > length;
  }, `an answer longer than ${length}`);
  return text;
}

/** Fails unless the first block of an answer's locator says "413" exactly `count` times: no gap, no double. */
export async function expectSentences(article, count) {
  const text = await article.locator(".md-block").first().innerText();
  expect(text.match(/413/g)?.length, "nothing is missing, nothing is doubled").toBe(count);
}

/** Pathname and query of the page, as `goto` takes them. */
export const pathOf = (page) => new URL(page.url()).pathname + new URL(page.url()).search;

/**
 * Records what must not happen in a page: errors on the console, refusals by the content security policy, exceptions,
 * requests to other origins. Patterns in `allowed` are ignored. `check()` fails if anything happened.
 */
export function watch(page, origin, allowed = []) {
  const problems = [];
  const note = (text) => {
    if (!allowed.some((pattern) => pattern.test(text))) problems.push(text);
  };
  page.on("console", (message) => {
    if (message.type() === "error" || /Content Security Policy/i.test(message.text())) {
      note(`console: ${message.text()} ${message.location().url}`);
    }
  });
  page.on("pageerror", (error) => note(`exception: ${error.message}`));
  page.on("request", (request) => {
    const url = request.url();
    if (!url.startsWith(origin) && !url.startsWith("data:")) note(`request: ${url}`);
  });
  return { problems, check: () => expect(problems).toEqual([]) };
}
