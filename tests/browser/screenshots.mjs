// The pictures of the README: a real conversation on the demo page.
import { mkdirSync } from "node:fs";
import { browser, chat, server, until, visitor } from "./stage.mjs";

mkdirSync("screenshots", { recursive: true });
const shop = await server();
const chrome = await browser();

const picture = async (name, options, lines) => {
  const context = await visitor(chrome, options);
  const page = await context.newPage();
  await page.goto(shop.url);
  const widget = chat(page);
  await until("the shop's own words", () => page.locator("#products li").first().isVisible());
  await page.waitForLoadState("networkidle");
  if (lines) {
    await widget.open();
    for (const [at, line] of lines.entries()) {
      await widget.say(line);
      await widget.answers(at + 1);
    }
    await until("pictures", () => page.locator("tiansheng-chat").locator(".card img").evaluateAll((all) => all.every((img) => img.complete)));
    // The last question at the top, its whole answer below it.
    await page.locator("tiansheng-chat").locator(".log").evaluate((log) => {
      const asked = [...log.querySelectorAll(".row.you")].at(-1);
      log.scrollTop = asked.offsetTop - 12;
    });
  }
  await page.screenshot({ path: `screenshots/${name}.png` });
  await context.close();
};

await picture("page", {}, null);
await picture("conversation", { viewport: { width: 1280, height: 900 } }, ["预算三千以内的意式咖啡机有推荐吗？"]);
await picture("conversation-en", { locale: "en-US" }, ["Which grinder under ¥2,000 would you suggest?"]);
await picture("mobile", { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, colorScheme: "dark" }, ["公司四十个人，想配一台咖啡机"]);
await chrome.close();
await shop.end();
