// The widget in a real browser against the real server: what a customer sees, hears and can rely on.
import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { after, before, test } from "node:test";
import { gzipSync } from "node:zlib";
import { browser, chat, hostPage, server, until, visitor } from "./stage.mjs";

const AXE = readFileSync(new URL("node_modules/axe-core/axe.min.js", import.meta.url), "utf8");
const WIDGET = new URL("../../adapters/widget/", import.meta.url);
const BYTES_MAX = 30_000;

let shop;
let chrome;
before(async () => {
  shop = await server();
  chrome = await browser();
});
after(async () => {
  await chrome?.close();
  await shop?.end();
});

const on = async (options, run) => {
  const context = await visitor(chrome, options);
  const page = await context.newPage();
  const errors = [];
  page.on("pageerror", (error) => errors.push(error.message));
  try {
    await page.goto(shop.url);
    await run(page, chat(page), context);
    assert.deepEqual(errors, []);
    assert.deepEqual(await page.evaluate(() => window.violations), []);
  } finally {
    await context.close();
  }
};

const axe = async (page, name) => {
  await page.evaluate(AXE);
  const { violations } = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
  assert.deepEqual(violations.map((v) => `${name}: ${v.id} ${v.nodes.map((n) => `${n.target.flat().join(" ")} ${n.any[0]?.message ?? ""}`).join("; ")}`), []);
};

test("all files together weigh at most 30 kB gzip", () => {
  const bytes = readdirSync(WIDGET).reduce((sum, file) => sum + gzipSync(readFileSync(new URL(file, WIDGET))).length, 0);
  console.log(`widget: ${bytes} bytes gzip`);
  assert.ok(bytes <= BYTES_MAX, `${bytes}`);
});

test("a customer asks, sees products with pictures and prices, and every message is read", () =>
  on({}, async (page, widget) => {
    await widget.open();
    await until("the disclosure", async () => (await widget.log.textContent()).includes("AI 导购助手"));
    await widget.say("预算三千以内的意式咖啡机有推荐吗？");
    await widget.answers(1);
    await until("cards", async () => (await widget.cards.count()) >= 2);
    for (const price of await widget.cards.locator(".price strong").allTextContents()) {
      assert.match(price, /^¥[\d,]+$/);
      assert.ok(Number(price.replace(/[^\d]/g, "")) <= 3000, price);
    }
    await until("the picture", () => widget.cards.first().locator("img").evaluate((img) => img.naturalWidth > 0));
    await until("read", async () => (await widget.you.first().locator(".ticks.read").count()) === 1);
    assert.deepEqual(await page.evaluate(() => window.modes), ["closed"]);
  }));

test("the page is accessible, closed and open, in both languages and in the dark", async () => {
  for (const options of [{}, { locale: "en-US" }, { colorScheme: "dark" }, { viewport: { width: 320, height: 640 } }]) {
    const name = JSON.stringify(options);
    await on(options, async (page, widget) => {
      await widget.launch.waitFor();
      await axe(page, `${name} closed`);
      await widget.open();
      await widget.say(options.locale ? "which grinder under ¥2000?" : "预算三千以内的意式咖啡机");
      await widget.answers(1);
      await until("still", () => page.evaluate(() => document.getAnimations().length === 0));
      await axe(page, `${name} open`);
    });
  }
});

test("it is used by keyboard: focus goes in, Escape closes, focus comes back", () =>
  on({}, async (page, widget) => {
    await widget.launch.waitFor();
    await until("the shop's words", async () => (await widget.rows.count()) > 0);
    await page.waitForLoadState("networkidle");
    await widget.launch.focus();
    await page.keyboard.press("Enter");
    const focused = () => page.evaluate(() => document.activeElement?.shadowRoot?.activeElement?.className || document.activeElement?.shadowRoot?.activeElement?.tagName);
    await until("focus in the input", async () => (await focused()) === "TEXTAREA");
    assert.equal(await widget.launch.getAttribute("aria-expanded"), "true");
    await page.keyboard.type("你好");
    await page.keyboard.press("Shift+Enter");
    await page.keyboard.type("在吗");
    assert.equal(await widget.input.inputValue(), "你好\n在吗");
    await page.keyboard.press("Enter");
    await until("sent", async () => (await widget.you.count()) === 1);
    await page.keyboard.press("Escape");
    await until("closed", () => widget.panel.isHidden());
    assert.equal(await focused(), "launch");
  }));

test("Enter while an input method composes sends nothing", () =>
  on({}, async (page, widget) => {
    await widget.open();
    await widget.input.fill("ka fei");
    await widget.input.evaluate((input) => {
      input.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", isComposing: true, bubbles: true, cancelable: true }));
      input.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", keyCode: 229, bubbles: true, cancelable: true }));
    });
    assert.equal(await widget.you.count(), 0);
    await widget.input.press("Enter");
    await until("sent", async () => (await widget.you.count()) === 1);
  }));

test("the log announces each final message once and history never", () =>
  on({}, async (page, widget) => {
    await widget.open();
    await page.waitForLoadState("networkidle");
    await until("live", async () => (await widget.log.getAttribute("aria-live")) === "polite");
    await widget.log.evaluate((log) => {
      window.announced = [];
      new MutationObserver((changes) => {
        if (log.getAttribute("aria-live") !== "polite") return;
        for (const change of changes) for (const node of change.addedNodes) if (change.target === log) window.announced.push(node.dataset.id);
      }).observe(log, { childList: true, subtree: true });
    });
    await widget.say("你好");
    await widget.answers(1);
    await until("read", async () => (await widget.you.first().locator(".ticks.read").count()) === 1);
    const announced = await page.evaluate(() => window.announced);
    assert.equal(announced.length, 2);
    assert.equal(new Set(announced).size, 2);
  }));

test("quick replies answer, and old ones cannot be pressed any more", () =>
  on({}, async (page, widget) => {
    await widget.open();
    await widget.say("全自动咖啡机");
    await widget.answers(1);
    await until("choices", async () => (await widget.choices.count()) > 0);
    const label = await widget.choices.first().textContent();
    await widget.choices.first().click();
    await until("the choice is mine", async () => (await widget.you.last().textContent()).includes(label));
    await widget.answers(2);
  }));

test("asking for a person changes the mode", () =>
  on({ locale: "en-US" }, async (page, widget) => {
    await widget.open();
    await page.waitForLoadState("networkidle");
    await page.locator("tiansheng-chat").getByRole("button", { name: "Talk to a person" }).first().click();
    await until("waiting", async () => (await widget.panel.locator(".head p").textContent()).includes("colleague"));
  }));

test("a server killed in the middle loses nothing and says nothing twice", () =>
  on({}, async (page, widget) => {
    await widget.open();
    await widget.say("预算三千以内的意式咖啡机");
    await widget.answers(1);
    await shop.kill();
    await widget.say("第一个有货吗");
    await until("it waits", async () => (await widget.you.last().locator(".ticks.waiting").count()) === 1);
    await shop.start();
    await widget.answers(2);
    await until("read", async () => (await widget.you.last().locator(".ticks.read").count()) === 1);
    assert.equal(await widget.you.count(), 2);
    const ids = await widget.rows.evaluateAll((rows) => rows.map((row) => row.dataset.id));
    assert.equal(new Set(ids).size, ids.length);
  }));

test("what is typed offline is sent once, in order, after a reload", () =>
  on({}, async (page, widget, context) => {
    await widget.open();
    await widget.say("你好");
    await widget.answers(1);
    await context.setOffline(true);
    await widget.say("多久能发货");
    await widget.say("可以退货吗");
    await until("the notice", () => page.locator("tiansheng-chat").getByRole("status").isVisible());
    await context.setOffline(false);
    await page.reload();
    await widget.open();
    await until("both read", async () => (await widget.you.locator(".ticks.read").count()) === 3);
    const said = await widget.you.locator(".bubble").allTextContents();
    assert.deepEqual(said, ["你好", "多久能发货", "可以退货吗"]);
  }));

test("a reload shows the conversation again and goes on", () =>
  on({}, async (page, widget) => {
    await widget.open();
    await widget.say("手冲壶");
    await widget.answers(1);
    const before = await widget.rows.count();
    await page.reload();
    await widget.open();
    await until("history", async () => (await widget.rows.count()) >= before);
    await widget.say("第一个多少钱");
    await until("the price", async () => (await widget.bot.last().textContent()).includes("¥"));
  }));

test("two tabs are one conversation", () =>
  on({}, async (page, widget, context) => {
    await widget.open();
    await widget.say("你好");
    await widget.answers(1);
    const second = await context.newPage();
    await second.goto(shop.url);
    const other = chat(second);
    await other.open();
    await until("history in the second tab", async () => (await other.you.count()) === 1);
    await other.say("可以开发票吗");
    await until("seen in the first tab", async () => (await widget.you.count()) === 2);
    await until("answered in both", async () => (await widget.bot.count()) >= 3 && (await other.bot.count()) >= 3);
  }));

test("an unread badge counts while the chat is closed", () =>
  on({}, async (page, widget) => {
    await widget.open();
    await page.waitForLoadState("networkidle");
    await widget.input.fill("你好");
    await widget.input.press("Enter");
    await page.keyboard.press("Escape");
    await until("the badge", async () => (await widget.launch.locator(".unread").textContent()) === "1");
    assert.match(await widget.launch.getAttribute("aria-label"), /1/);
    await widget.launch.click();
    await until("it is gone", () => widget.launch.locator(".unread").isHidden());
  }));

test("a session that is over starts anew and keeps what was typed", () =>
  on({}, async (page, widget) => {
    await widget.open();
    await widget.say("你好");
    await widget.answers(1);
    await page.evaluate(() => {
      const key = Object.keys(localStorage).find((k) => k.startsWith("tiansheng:"));
      const held = JSON.parse(localStorage.getItem(key));
      localStorage.setItem(key, JSON.stringify({ ...held, token: "A".repeat(43) }));
    });
    await page.reload();
    await widget.open();
    await until("the note", async () => (await widget.log.textContent()).includes("新的会话"));
    await widget.say("有手摇磨豆机吗");
    await until("answered", async () => (await widget.cards.count()) > 0);
  }));

test("hostile text stays text", () =>
  on({}, async (page, widget) => {
    await widget.open();
    const hostile = `<img src=x onerror="window.hacked=1"> [a](javascript:window.hacked=1) \u202e${"长".repeat(3000)}`;
    await widget.say(hostile);
    await widget.answers(1);
    const shown = await page.evaluate(async (base) => {
      const { markdown } = await import(`${base}/widget/markdown.js`);
      const box = document.createElement("div");
      box.append(markdown("**b** *i* `c` [x](javascript:alert(1)) [y](https://a.example) <script>window.hacked=1</script>\n- one\n- two\n\n18*40*35 cm, 2*2480 and *so*"));
      document.body.append(box);
      return { links: [...box.querySelectorAll("a")].map((a) => a.href), scripts: box.querySelectorAll("script").length, items: box.querySelectorAll("li").length, said: box.lastElementChild?.textContent, marked: [...box.querySelectorAll("em")].map((em) => em.textContent) };
    }, shop.url);
    assert.deepEqual(shown, { links: ["https://a.example/"], scripts: 0, items: 2, said: "18*40*35 cm, 2*2480 and so", marked: ["i", "so"] });
    assert.equal(await page.evaluate(() => window.hacked), undefined);
    assert.ok(await widget.log.evaluate((log) => log.scrollWidth <= log.clientWidth + 1));
  }));

test("it fits 320 pixels and 200 % zoom", () =>
  on({ viewport: { width: 320, height: 568 } }, async (page, widget) => {
    await widget.open();
    await widget.say("预算三千以内的意式咖啡机");
    await widget.answers(1);
    const wide = await page.locator("tiansheng-chat").locator(".panel").evaluate((panel) => ({ panel: panel.scrollWidth, page: document.documentElement.scrollWidth, window: innerWidth }));
    assert.ok(wide.panel <= 320 && wide.page <= 320 && wide.window === 320, JSON.stringify(wide));
    for (const target of [".head button", ".send", ".choice"]) {
      const box = await page.locator("tiansheng-chat").locator(target).last().boundingBox();
      assert.ok(box.height >= 43.5, `${target} ${box.height}`);
    }
  }));

test("nothing moves for who wants no motion", () =>
  on({ reducedMotion: "reduce" }, async (page, widget) => {
    await widget.open();
    assert.equal(await widget.panel.evaluate((panel) => getComputedStyle(panel).animationName), "none");
  }));

test("the language can be changed in the chat", () =>
  on({}, async (page, widget) => {
    await widget.open();
    await page.waitForLoadState("networkidle");
    await page.locator("tiansheng-chat").getByRole("button", { name: "Switch to English" }).click();
    assert.equal(await widget.input.getAttribute("placeholder"), "Type a message");
    await until("English", async () => (await widget.log.textContent()).includes("AI shopping assistant"));
  }));

test("it lives on another site under a strict policy", async () => {
  const host = await hostPage(shop.url, `default-src 'none'; script-src ${shop.url}; connect-src ${shop.url}; img-src ${shop.url}; style-src 'none'`);
  const context = await visitor(chrome, { locale: "en-US" });
  try {
    const page = await context.newPage();
    await page.goto(host.url);
    const widget = chat(page);
    await widget.open();
    await widget.say("hand grinders please");
    await widget.answers(1);
    await until("a card", async () => (await widget.cards.count()) > 0);
    await until("the picture", () => widget.cards.first().locator("img").evaluate((img) => img.naturalWidth > 0));
    assert.deepEqual(await page.evaluate(() => window.violations), []);
    await until("still", () => page.evaluate(() => document.getAnimations().length === 0));
    await axeOnHost(page);
  } finally {
    await context.close();
    host.end();
  }
});

/** The host's policy keeps axe out as a script tag; it is evaluated by the debugger instead. */
const axeOnHost = (page) => axe(page, "yellow accent on a strict page");
