// What is seen: nodes for messages, cards and quick replies. It knows no network and no storage.

import { link, markdown, webAddress } from "./markdown.js";

/**
 * @param {string} name
 * @param {Record<string, string>} [attributes]
 * @param {(Node | string | null | undefined)[]} children
 * @returns {any}
 */
export const h = (name, attributes = {}, ...children) => {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children.filter((c) => c !== null && c !== undefined).map((c) => c ?? ""));
  return element;
};

const ICONS = {
  chat: "M4 5.5A2.5 2.5 0 0 1 6.5 3h11A2.5 2.5 0 0 1 20 5.5v8a2.5 2.5 0 0 1-2.5 2.5H11l-4.6 4.1c-.5.5-1.4.1-1.4-.6V16A2.5 2.5 0 0 1 4 13.5z",
  close: "M6 6l12 12M18 6L6 18",
  send: "M4 12l16-8-5 16-3.5-6.5z",
};

/** @param {keyof typeof ICONS} name */
export const icon = (name) => {
  const ns = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(ns, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(ns, "path");
  path.setAttribute("d", ICONS[name]);
  svg.append(path);
  return svg;
};

/**
 * An amount as customers of the language read it: ¥2,680, $129.50.
 * @param {{ amount: string, currency: string }} price
 * @param {string} language
 */
export const money = (price, language) => {
  const amount = Number(price.amount);
  if (!Number.isFinite(amount)) return `${price.amount} ${price.currency}`;
  try {
    return new Intl.NumberFormat(language === "zh" ? "zh-CN" : "en", {
      style: "currency",
      currency: price.currency,
      currencyDisplay: "narrowSymbol",
      minimumFractionDigits: Number.isInteger(amount) ? 0 : 2,
    }).format(amount);
  } catch {
    return `${price.amount} ${price.currency}`;
  }
};

/**
 * One message with its parts.
 * @param {import("./memory.js").Item} item
 * @param {{ t: any, language: string, base: string, choose: (id: string, label: string) => void }} context
 */
export const message = (item, context) => {
  const { t, language } = context;
  const row = h("div", { class: `row ${item.from}` });
  row.dataset.id = item.id;
  if (item.from === "note") {
    row.append(h("p", { class: "note" }, item.text ?? ""));
    return row;
  }
  const who = item.from === "you" ? t.you : item.from === "rep" ? t.rep : t.bot;
  row.append(h("span", { class: "hidden" }, `${who}: `));
  if (item.from === "you") {
    const bubble = h("div", { class: "bubble", dir: "auto" });
    bubble.textContent = item.text ?? "";
    row.append(bubble, ticks(item, context));
    return row;
  }
  for (const part of item.reply ?? []) {
    if (part.type === "text") {
      const bubble = h("div", { class: "bubble", dir: "auto" });
      bubble.append(markdown(String(part.text ?? "")));
      row.append(bubble);
    } else if (part.type === "products") {
      row.append(cards(part.products ?? [], context));
    } else if (part.type === "choices") {
      row.append(choices(part.choices ?? [], context));
    }
  }
  row.append(time(item.at, language));
  return row;
};

/**
 * @param {number} at
 * @param {string} language
 */
const time = (at, language) => {
  const date = new Date(at);
  const text = date.toLocaleTimeString(language, { hour: "2-digit", minute: "2-digit" });
  return h("time", { datetime: date.toISOString() }, text);
};

/**
 * @param {import("./memory.js").Item} item
 * @param {{ t: any, language: string }} context
 */
const ticks = (item, { t, language }) => {
  const state = item.state ?? "sent";
  const label = state === "waiting" ? t.sending : state === "read" ? t.read : t.sent;
  const marks = state === "waiting" ? "…" : state === "read" ? "✓✓" : "✓";
  const meta = time(item.at, language);
  meta.append(" ", h("span", { class: `ticks ${state}`, "aria-hidden": "true" }, marks));
  meta.append(h("span", { class: "hidden" }, label));
  return meta;
};

/**
 * @param {any[]} products
 * @param {{ t: any, language: string, base: string }} context
 */
const cards = (products, { t, language, base }) => {
  const list = h("ul", { class: "cards", "aria-label": t.products, tabindex: "0" });
  for (const product of products) {
    const card = h("li", { class: "card" });
    const picture = webAddress(product.image, `${base}/`);
    const frame = h("div", { class: "picture" });
    if (picture) {
      const img = h("img", { alt: "", loading: "lazy", decoding: "async", width: "400", height: "400" });
      img.addEventListener("error", () => img.remove());
      img.src = picture;
      frame.append(img);
    }
    const availability = String(product.availability ?? "");
    if (availability && availability !== "in_stock" && t[availability]) {
      frame.append(h("span", { class: "badge" }, t[availability]));
    }
    const title = h("h3", { dir: "auto" }, String(product.title ?? ""));
    const price = h("p", { class: "price" });
    if (product.was) {
      price.append(
        h("span", { class: "hidden" }, `${t.now} `),
        h("strong", { class: "sale" }, money(product.price, language)),
        " ",
        h("span", { class: "hidden" }, `${t.was} `),
        h("s", {}, money(product.was, language)),
      );
    } else {
      price.append(h("strong", {}, money(product.price, language)));
    }
    const why = h("ul", { class: "why" });
    for (const reason of product.why ?? []) why.append(h("li", { dir: "auto" }, String(reason)));
    card.append(frame, title, price, why);
    const more = link(t.details, webAddress(product.link) ?? "");
    if (product.link && more) {
      more.setAttribute("aria-label", `${t.details}: ${product.title}`);
      card.append(more);
    }
    list.append(card);
  }
  return list;
};

/**
 * @param {any[]} offered
 * @param {{ t: any, choose: (id: string, label: string) => void }} context
 */
const choices = (offered, { t, choose }) => {
  const group = h("div", { class: "choices", role: "group", "aria-label": t.choices });
  for (const choice of offered) {
    const button = h("button", { type: "button", class: "choice" }, String(choice.label ?? ""));
    button.addEventListener("click", () => choose(String(choice.id), String(choice.label)));
    group.append(button);
  }
  return group;
};
