// How the browser tests run: `npm run e2e` after `make setup` and `make lint`.
// Each worker has a server, a database and a fake model of its own, so tests may run side by side.
import { defineConfig } from "@playwright/test";
import { LAUNCH_OPTIONS } from "./e2e/server.mjs";

export default defineConfig({
  testDir: "e2e",
  outputDir: "e2e/shots/failed",
  fullyParallel: true,
  workers: 3,
  forbidOnly: true,
  timeout: 120_000,
  expect: { timeout: 20_000 },
  reporter: [["list"], ["./e2e/slowest-tests.mjs"]],
  use: {
    browserName: "chromium",
    launchOptions: LAUNCH_OPTIONS,
    actionTimeout: 30_000,
    navigationTimeout: 30_000,
    screenshot: "only-on-failure",
  },
});
