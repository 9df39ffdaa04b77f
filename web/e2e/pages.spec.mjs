// What holds on every page, on a phone and a desk: keys scroll it, nothing shifts while it loads, and no notice covers
// what the page is for.
import { expect, PHONE, test, until } from "./fixtures.mjs";
import { makePages } from "./pages.mjs";

const DESK = { viewport: { width: 1280, height: 800 } };
const SIZES = { phone: PHONE, desk: DESK };
const MAX_SHIFT = 0.01;

let pages;
let state;
test.beforeAll(async ({ server, browser }) => {
  ({ pages, state } = await makePages(server, browser));
});

/** Returns how far the page's main scroller is from its start and from its end, or null if nothing scrolls. */
const scrolled = (page) =>
  page.evaluate(() => {
    const main = document.querySelector("main");
    const scrolls = (element) =>
      element.scrollHeight > element.clientHeight && getComputedStyle(element).overflowY === "auto";
    const boxes = [main, ...main.querySelectorAll(".scroller")].filter(scrolls);
    const box = boxes.find((element) => element.role === "log") ?? boxes.at(-1);
    return box
      ? { top: box.scrollTop, below: box.scrollHeight - box.clientHeight - box.scrollTop }
      : null;
  });

test("after a page has loaded, its keys scroll it without a press before", async ({
  newContext,
  baseURL,
}) => {
  const context = await newContext({
    baseURL,
    storageState: state,
    viewport: { width: 1280, height: 300 },
  });
  const page = await context.newPage();
  for (const { name, open } of pages) {
    await open(page);
    const at = (condition, what) =>
      until(async () => condition(await scrolled(page)), `${name}: ${what}`);
    if (!(await scrolled(page))) {
      expect(["room to join", "missing page"], `${name} is high enough`).toContain(name);
      continue;
    }
    const inField = await page.evaluate(() => document.activeElement?.tagName === "INPUT");
    await page.keyboard.press("PageUp");
    await page.keyboard.press("PageUp");
    if (!inField) {
      await page.keyboard.press("Home");
      await at(({ top }) => top === 0, "Home");
    }
    await page.keyboard.press("PageDown");
    await at(({ top, below }) => top > 100 || (top > 0 && below <= 1), "PageDown");
    if (inField) continue;
    const { top: before } = await scrolled(page);
    await page.keyboard.press(" ");
    await at(({ top, below }) => top > before || below <= 1, "Space");
    await page.keyboard.press("End");
    // A list of tickets grows at its end, until all are there.
    await at(({ below }) => below <= 1 || page.keyboard.press("End").then(() => false), "End");
    await page.keyboard.press("Shift+ ");
    await at(({ top, below }) => below > 100 || top === 0, "Shift+Space");
    await page.keyboard.press("Home");
    await at(({ top }) => top === 0, "Home again");
  }
});

for (const [size, options] of Object.entries(SIZES)) {
  test(`no page shifts while its answers come late, on a ${size}`, async ({
    newContext,
    baseURL,
  }) => {
    const context = await newContext({ baseURL, storageState: state, ...options });
    const shifts = {};
    for (const { name, open } of pages) {
      const page = await context.newPage();
      await page.addInitScript(() => {
        window.shifts = [];
        new PerformanceObserver((list) => {
          for (const entry of list.getEntries()) {
            window.shifts.push({
              value: entry.value,
              nodes: entry.sources.map(({ node, previousRect, currentRect }) => {
                const place = (rect) => `${rect.x},${rect.y} ${rect.width}×${rect.height}`;
                const text = node?.textContent?.slice(0, 40);
                return `${node?.nodeName} "${text}" ${place(previousRect)} → ${place(currentRect)}`;
              }),
            });
          }
        }).observe({ type: "layout-shift", buffered: true });
      });
      let late = 0;
      await page.route("**/*", async (route) => {
        const isData = ["fetch", "xhr"].includes(route.request().resourceType());
        if (isData) await new Promise((resolve) => setTimeout(resolve, 250 + 120 * (late++ % 3)));
        await route.continue().catch(() => undefined);
      });
      await open(page);
      await page.waitForTimeout(600);
      const seen = await page.evaluate(() => window.shifts);
      const sum = seen.reduce((total, { value }) => total + value, 0);
      if (sum > MAX_SHIFT) shifts[name] = { sum, seen };
      await page.close({ runBeforeUnload: false });
    }
    expect(shifts).toEqual({});
  });

  test(`a notice covers no primary button, on a ${size}`, async ({ newContext, baseURL }) => {
    const context = await newContext({ baseURL, storageState: state, ...options });
    const page = await context.newPage();
    await page.addInitScript(() => sessionStorage.setItem("tutordesk.restored", "1"));
    const covered = {};
    for (const { name, open } of pages) {
      await open(page);
      await expect(
        page.getByRole("region", { name: "Notices" }).getByText(/was restored/),
      ).toBeVisible();
      const buttons = await page.evaluate(() => {
        const notice = document.querySelector(".toasts li").getBoundingClientRect();
        return [...document.querySelectorAll("button, a, textarea")]
          .filter(
            (element) => element.matches(".bg-accent, textarea") && !element.closest(".toasts"),
          )
          .filter((element) => {
            const box = element.getBoundingClientRect();
            const apart =
              box.right <= notice.left ||
              box.left >= notice.right ||
              box.bottom <= notice.top ||
              box.top >= notice.bottom;
            return box.width > 0 && !apart;
          })
          .map((element) => element.textContent || element.ariaLabel);
      });
      if (buttons.length > 0) covered[name] = buttons;
    }
    expect(covered).toEqual({});
  });
}

test("nothing is wider than a narrow or a zoomed window", async ({ newContext, baseURL }) => {
  const context = await newContext({ baseURL, storageState: state, reducedMotion: "reduce" });
  const page = await context.newPage();
  const wider = [];
  for (const { name, open } of pages) {
    await open(page);
    for (const [width, height] of [
      [360, 640],
      [640, 400],
    ]) {
      await page.setViewportSize({ width, height });
      const widest = await page.evaluate(() => {
        const main = document.querySelector("main");
        const boxes = [document.documentElement, main, ...main.querySelectorAll(".scroller")];
        const box = boxes.find((each) => each.scrollWidth > each.clientWidth);
        const isBeyond = (each) => each.getBoundingClientRect().right > innerWidth + 1;
        if (!box) return null;
        const beyond = [...box.querySelectorAll("*")].find(isBeyond);
        return (beyond ?? box).outerHTML.slice(0, 120);
      });
      if (widest !== null) wider.push(`${name} at ${width} px: ${widest}`);
    }
  }
  expect(wider).toEqual([]);
});

test("forced colours keep the marks that are only a background", async ({
  newContext,
  baseURL,
}) => {
  const context = await newContext({ baseURL, storageState: state, forcedColors: "active" });
  const page = await context.newPage();
  await pages.find(({ name }) => name === "room").open(page);
  const mark = page.locator('.presence-dot[data-here="true"]').first();
  await expect(mark).toBeVisible();
  const [color, behind] = await mark.evaluate((element) =>
    [element, document.body].map((node) => getComputedStyle(node).backgroundColor),
  );
  expect(color).not.toBe(behind);
  await page.goto("/tickets?category=bug");
  await expect(page.locator('.chip[aria-pressed="true"]')).toHaveCSS("outline-style", "solid");
});
