// A real server, a real browser, and a proxy between them that can be cut.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import http from "node:http";
import net from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { chromium } from "playwright-core";

export const BINARY = process.env.SERVER_BINARY ?? path.resolve("../../target/debug/tiansheng");
const CHROMIUM = process.env.CHROMIUM ?? "/usr/bin/chromium";

const freePort = () =>
  new Promise((resolve) => {
    const server = net.createServer();
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });

/** Waits until a condition holds; the only clock in these tests is its end. */
export const until = async (what, condition, ms = 20000) => {
  const end = Date.now() + ms;
  for (;;) {
    if (await condition()) return;
    if (Date.now() > end) throw new Error(`never: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
};

/** The server; `kill` is SIGKILL and `start` starts it again on the same data. */
export const server = async () => {
  const data = mkdtempSync(path.join(tmpdir(), "tiansheng-browser-"));
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  let child;
  const it = {
    url,
    port,
    async start() {
      child = spawn(BINARY, ["serve", "--listen", `127.0.0.1:${port}`], {
        cwd: data,
        stdio: "ignore",
        env: {
          ...process.env,
          TIANSHENG_DATA__DIR: data,
          TIANSHENG_WEB__MESSAGES_PER_MINUTE: "10000",
          TIANSHENG_WEB__SESSIONS_PER_MINUTE: "10000",
          TIANSHENG_MAILBOX__BURST_WINDOW_MS: "100",
        },
      });
      await until("the server is ready", async () => {
        if (child.exitCode !== null) throw new Error(`the server ended with ${child.exitCode}`);
        return (await fetch(`${url}/readyz`).catch(() => null))?.ok;
      });
    },
    async kill() {
      const gone = new Promise((resolve) => child.once("exit", resolve));
      child.kill("SIGKILL");
      await gone;
    },
    async end() {
      await it.kill();
      rmSync(data, { recursive: true, force: true });
    },
  };
  await it.start();
  return it;
};

/** A page of another origin under a strict policy. */
export const hostPage = async (origin, policy) => {
  const body = `<!doctype html><html lang="en"><title>Host</title><main><h1>A shop</h1></main><script async src="${origin}/widget.js" data-site="host" data-accent="#ffcc00"></script></html>`;
  const host = http.createServer((_, answer) => {
    answer.setHeader("content-type", "text/html; charset=utf-8");
    answer.setHeader("content-security-policy", policy);
    answer.end(body);
  });
  await new Promise((resolve) => host.listen(0, "127.0.0.1", resolve));
  return { url: `http://127.0.0.1:${host.address().port}/`, end: () => host.close() };
};

export const browser = () =>
  chromium.launch({
    executablePath: CHROMIUM,
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
  });

/** A fresh visitor. The closed shadow root is opened for the test only. */
export const visitor = async (chrome, options = {}) => {
  const context = await chrome.newContext({ locale: "zh-CN", viewport: { width: 1280, height: 860 }, ...options });
  await context.addInitScript(() => {
    const attach = Element.prototype.attachShadow;
    window.modes = [];
    Element.prototype.attachShadow = function (init) {
      window.modes.push(init.mode);
      return attach.call(this, { ...init, mode: "open" });
    };
    window.violations = [];
    document.addEventListener("securitypolicyviolation", (event) => window.violations.push(`${event.violatedDirective} ${event.blockedURI}`));
  });
  return context;
};

/** The widget on a page, by the names a customer has for its parts. */
export const chat = (page) => {
  const host = page.locator("tiansheng-chat");
  return {
    launch: host.locator(".launch"),
    panel: host.locator(".panel"),
    log: host.locator(".log"),
    input: host.locator("textarea"),
    rows: host.locator(".row"),
    bot: host.locator(".row.bot"),
    you: host.locator(".row.you"),
    cards: host.locator(".card"),
    choices: host.locator(".choices:not(.used) .choice"),
    async open() {
      await host.locator(".launch").waitFor();
      await host.locator(".row").first().waitFor({ state: "attached" });
      await host.locator(".launch").click();
    },
    async say(text) {
      await host.locator("textarea").fill(text);
      await host.locator("textarea").press("Enter");
    },
    async answers(count) {
      await until(`${count} answers`, async () => (await host.locator(".row.bot").count()) > count);
    },
  };
};
