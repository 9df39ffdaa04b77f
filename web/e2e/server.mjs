// Starts what browser tests, benchmarks and pictures need: the real server on a fresh data folder, a fake Gemini
// behind it, and Chromium. Ends each process by its id and removes the folder, also after a failure.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { randomBytes, randomInt } from "node:crypto";
import { mkdir, rm } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "@playwright/test";

export const root = fileURLToPath(new URL("../..", import.meta.url));
export const LAUNCH_OPTIONS = {
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
  ],
};
// Below the ports that the kernel gives to outgoing connections: a killed server must find its port free again.
const PORTS = { first: 10_000, last: 32_000 };

/** Returns a port on which nothing listens. */
async function freePort() {
  for (;;) {
    const port = randomInt(PORTS.first, PORTS.last);
    const probe = createServer();
    const isFree = await new Promise((resolve) => {
      probe.once("error", () => resolve(false));
      probe.listen(port, "127.0.0.1", () => resolve(true));
    });
    await new Promise((resolve) => probe.close(resolve));
    if (isFree) return port;
  }
}

/** Ends a process and waits for its end; kills it after ten seconds. */
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

/** Repeats `attempt` until it returns something; throws after `seconds`. */
async function waitFor(name, seconds, attempt) {
  const deadline = Date.now() + seconds * 1_000;
  for (;;) {
    const value = await attempt().catch(() => null);
    if (value) return value;
    if (Date.now() > deadline) throw new Error(`${name} did not start in ${seconds} s`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/**
 * Starts the server and its fake model; `settings` are further environment variables. Returns the server's `url` and
 * data `folder`, `control({script, text, delay_ms, chunk, title})` for the model's next answers, `kill` and `serve`
 * for crashes, `stop`, and `log`.
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
    const modelPort = await waitFor("the fake model", 30, async () => {
      const line = /^\D*(\d+)/.exec(model.output());
      return line && model.output().includes("\n") ? Number(line[1]) : null;
    });
    const port = await freePort();
    const args = ["serve", "--host", "127.0.0.1", "--port", String(port), "--data-dir", folder];
    const url = `http://127.0.0.1:${port}`;
    let server;
    const serve = async () => {
      server = start(".venv/bin/tutordesk", args, {
        TUTORDESK_MODEL: "openai:fake",
        OPENAI_BASE_URL: `http://127.0.0.1:${modelPort}/v1`,
        GEMINI_API_KEY: "test-key",
        GEMINI_BASE_URL: `http://127.0.0.1:${modelPort}`,
        TUTORDESK_MAX_MESSAGES_PER_MINUTE: "0",
        TUTORDESK_MAX_MESSAGES_PER_MINUTE_PER_IP: "0",
        TUTORDESK_MAX_TICKETS_PER_HOUR: "0",
        TUTORDESK_MAX_ROOM_MESSAGES_PER_MINUTE: "0",
        ...settings,
      });
      await waitFor("the server", 60, async () => {
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
    /** Kills the server as a crash would; `serve` starts it again on the same data and port. */
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

/** Starts a TCP proxy to a port. Returns its `url`, `cut()`, which resets every connection at once, and `stop`. */
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

export const launch = () => chromium.launch(LAUNCH_OPTIONS);
