// Starts what the browser specs need: the real server on a fresh data folder, a fake Gemini behind it, and
// Chromium. Everything is ended by its own process id, and the folder removed, whatever the test did.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdir, rm } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

export const root = fileURLToPath(new URL("../..", import.meta.url));
const CHROMIUM = process.env.CHROMIUM ?? "/usr/bin/chromium";
const FLAGS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

async function freePort() {
  const probe = createServer();
  await new Promise((resolve) => probe.listen(0, "127.0.0.1", resolve));
  const { port } = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  return port;
}

/** Ends a process by its id and waits; after ten seconds without mercy. */
async function end(child) {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGTERM");
  const timer = setTimeout(() => child.kill("SIGKILL"), 10_000);
  await gone;
  clearTimeout(timer);
}

function start(command, args, env = {}) {
  const child = spawn(command, args, {
    cwd: root,
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (data) => {
      output = (output + data).slice(-20_000);
    });
  }
  return { child, output: () => output };
}

async function until(what, seconds, attempt) {
  const deadline = Date.now() + seconds * 1_000;
  for (;;) {
    const value = await attempt().catch(() => null);
    if (value) return value;
    if (Date.now() > deadline) throw new Error(`${what} did not come in ${seconds} s`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/**
 * The server and its fake model. `control({script, text, delay_ms})` sets what the model does next; `settings`
 * are environment variables beside those that the specs need.
 */
export async function startServer(settings = {}) {
  const folder = join(tmpdir(), `tutordesk-e2e-${randomBytes(6).toString("hex")}`);
  await mkdir(folder, { mode: 0o700 });
  const model = start(".venv/bin/python", ["-m", "testing.fake_gemini", "--port", "0"]);
  const stop = async () => {
    await end(model.child);
    await rm(folder, { recursive: true, force: true });
  };
  try {
    const modelPort = await until("the fake model", 30, async () => {
      const line = /^\D*(\d+)/.exec(model.output());
      return line && model.output().includes("\n") ? Number(line[1]) : null;
    });
    const port = await freePort();
    const args = ["serve", "--host", "127.0.0.1", "--port", String(port), "--data-dir", folder];
    const url = `http://127.0.0.1:${port}`;
    let server;
    const serve = async () => {
      server = start(".venv/bin/tutordesk", args, {
        TUTORDESK_MODEL: "gemini:fake",
        GEMINI_API_KEY: "test-key",
        GEMINI_BASE_URL: `http://127.0.0.1:${modelPort}`,
        TUTORDESK_MAX_MESSAGES_PER_MINUTE: "0",
        TUTORDESK_MAX_MESSAGES_PER_MINUTE_PER_IP: "0",
        TUTORDESK_MAX_TICKETS_PER_HOUR: "0",
        ...settings,
      });
      await until("the server", 60, async () => {
        if (server.child.exitCode !== null) return "ended";
        return (await fetch(`${url}/health/ready`)).ok;
      });
      assert.equal(server.child.exitCode, null, "the server ended at its start");
    };
    const stopAll = async () => {
      await end(server.child);
      await stop();
    };
    try {
      await serve();
    } catch (error) {
      console.error(server.output());
      await stopAll();
      throw error;
    }
    /** Ends the server without any warning, as a crash does; `serve` starts it again on the same data and port. */
    const kill = async () => {
      const gone = new Promise((resolve) => server.child.once("exit", resolve));
      server.child.kill("SIGKILL");
      await gone;
    };
    const control = async (next) => {
      const answer = await fetch(`http://127.0.0.1:${modelPort}/control`, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify(next),
      });
      assert.ok(answer.ok);
    };
    return { url, folder, control, kill, serve, stop: stopAll, log: () => server.output() };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** A TCP proxy in front of the server. `cut()` resets every connection, wherever it is in a frame or a character. */
export async function cuttingProxy(port) {
  const open = new Set();
  const proxy = createServer((near) => {
    const far = connect(Number(port), "127.0.0.1");
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ]) {
      open.add(socket);
      socket.pipe(other);
      socket.on("error", () => other.destroy());
      socket.on("close", () => {
        open.delete(socket);
        other.destroy();
      });
    }
  });
  await new Promise((resolve) => proxy.listen(0, "127.0.0.1", resolve));
  const cut = () => {
    for (const socket of open) socket.resetAndDestroy();
  };
  const stop = async () => {
    cut();
    await new Promise((resolve) => proxy.close(resolve));
  };
  return { url: `http://127.0.0.1:${proxy.address().port}`, cut, stop };
}

export const launch = () => chromium.launch({ executablePath: CHROMIUM, args: FLAGS });

/**
 * Records what must not happen in a page: errors on the console, refused by the content security policy,
 * exceptions, requests to other origins. `check()` fails when there was any.
 */
export function watch(page, origin, allow = []) {
  const wrong = [];
  const note = (text) => {
    if (!allow.some((pattern) => pattern.test(text))) wrong.push(text);
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
  return { wrong, check: () => assert.deepEqual(wrong, []) };
}
