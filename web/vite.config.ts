// Build, dev server and test runner of the client. Pages and API share their URLs, so the proxy
// decides by Accept exactly as the server does in production.
import tailwindcss from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import type { ProxyOptions } from "vite";
import { defineConfig } from "vitest/config";

const target = process.env.TUTORDESK_API ?? "http://127.0.0.1:8000";

function byAccept(): ProxyOptions {
  return {
    target,
    ws: true,
    bypass: (request) =>
      request.method === "GET" &&
      request.headers.accept?.includes("text/html") &&
      !request.url?.split("?")[0]?.endsWith("/export") // a download
        ? "/index.html"
        : undefined,
  };
}

const proxy: Record<string, string | ProxyOptions> = {
  "^/(tickets|chat|rooms|me|status)(/|\\?|$)": byAccept(),
  "/agent": { target },
  "/health": { target },
  "/metrics": { target },
  "/openapi.json": { target },
  "/docs": { target },
};

export default defineConfig({
  resolve: { alias: { "@": new URL("./src", import.meta.url).pathname } },
  plugins: [react(), tailwindcss()],
  build: {
    outDir: "../api/tutordesk/web", // the package carries it
    emptyOutDir: true,
    assetsDir: "assets",
    assetsInlineLimit: 0,
    sourcemap: false,
    manifest: true,
    modulePreload: { polyfill: false },
    target: "es2022",
  },
  server: { proxy },
  preview: { proxy },
  test: {
    environment: "happy-dom",
    include: ["src/**/*.test.{ts,tsx}"],
    setupFiles: ["src/test/setup.ts"],
    restoreMocks: true,
  },
});
