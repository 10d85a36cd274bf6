// <tiansheng-chat>: the conversation on a page, in a closed shadow root.

import { memory } from "./memory.js";
import { pick, strings } from "./strings.js";
import { STYLE } from "./style.js";
import { transport } from "./transport.js";
import { h, icon, message } from "./view.js";

/** Longest message, characters; the server has the same limit. */
const TEXT_MAX = 4000;
/** How long a sign of typing lasts without a message, milliseconds. */
const TYPING_MS = 20000;

/** @param {string} base */
export const define = (base) => {
  if (!customElements.get("tiansheng-chat")) {
    customElements.define("tiansheng-chat", chat(base));
  }
};

/**
 * @param {string | undefined} hex
 * @returns {number[] | null}
 */
const rgb = (hex) => {
  const digits = /^#([0-9a-f]{6})$/i.exec(hex ?? "")?.[1];
  return digits ? [0, 2, 4].map((at) => parseInt(digits.slice(at, at + 2), 16)) : null;
};

/**
 * WCAG 2 contrast of two colours, 1 to 21.
 * @param {readonly number[]} a
 * @param {readonly number[]} b
 */
const contrast = (a, b) => {
  const light = (/** @type {readonly number[]} */ colour) => {
    const [red = 0, green = 0, blue = 0] = colour.map((c) => (c / 255 <= 0.04045 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const [high = 0, low = 0] = [light(a), light(b)].sort((x, y) => y - x);
  return (high + 0.05) / (low + 0.05);
};

const newId = () =>
  crypto.randomUUID?.() ?? [...crypto.getRandomValues(new Uint8Array(16))].map((b) => b.toString(16).padStart(2, "0")).join("");

const chat = (/** @type {string} */ base) =>
  class extends HTMLElement {
    #root = this.attachShadow({ mode: "closed" });
    #language = pick(null);
    #memory = memory("");
    /** @type {ReturnType<typeof transport> | null} */
    #wire = null;
    #config = /** @type {any} */ (null);
    #unread = 0;
    #ui = /** @type {any} */ ({});
    #typingUntil = 0;
    #unwatch = () => {};

    get #t() {
      return strings(this.#language);
    }

    connectedCallback() {
      const site = this.dataset.site ?? "";
      this.#memory = memory(`${base}:${site}`);
      this.#memory.load();
      this.#language = pick(this.dataset.lang ?? null);
      const sheet = new CSSStyleSheet();
      sheet.replaceSync(STYLE);
      this.#root.adoptedStyleSheets = [sheet];
      this.#accent();
      this.#build();
      const held = () => this.#memory.get();
      const pending = () => held().items.filter((i) => i.state === "waiting");
      this.#wire = transport(base, {
        site,
        language: () => this.#language,
        token: () => held().token,
        last: () => held().last,
        opened: (session) => {
          held().token = session.token;
          held().conversation = session.conversation;
          this.#memory.save();
        },
        expired: () => {
          this.#memory.renew();
          this.#note(this.#t.renewed);
          if (pending().length) this.#wire?.flush();
        },
        pending: () => pending().map((i) => ({ id: i.id, post: i.post })),
        posted: (id) => this.#mark(id, "sent"),
        refused: (id, status) => {
          this.#mark(id, "sent");
          this.#note(status === 413 || status === 422 ? this.#t.tooLong : `${status}`);
        },
        event: (name, data, id) => this.#event(name, data, id),
        online: (yes) => {
          this.#ui.offline.hidden = yes || !pending().length;
        },
      });
      this.#unwatch = this.#memory.watch(() => {
        this.#history();
        this.#wire?.listen();
      });
      this.#history();
      this.#wire.listen();
      this.#wire.flush();
      this.#configure();
      if (this.hasAttribute("data-open")) this.open(false);
    }

    disconnectedCallback() {
      this.#wire?.stop();
      this.#unwatch();
      this.#root.replaceChildren();
    }

    /** @param {boolean} [focus] */
    open(focus = true) {
      const { panel, launch, input } = this.#ui;
      panel.hidden = false;
      launch.hidden = true;
      launch.setAttribute("aria-expanded", "true");
      this.#count(0);
      this.#scroll();
      if (focus) input.focus();
    }

    close() {
      const { panel, launch } = this.#ui;
      panel.hidden = true;
      launch.hidden = false;
      launch.setAttribute("aria-expanded", "false");
      launch.focus();
    }

    /** The shop's own accent, and what of it can be read as text on light and on dark. */
    #accent() {
      const accent = this.dataset.accent;
      const own = rgb(accent);
      if (!own || !accent) return;
      const set = (/** @type {string} */ name, /** @type {string} */ value) => this.style.setProperty(`--tiansheng-${name}`, value);
      for (const [suffix, ground, toward] of /** @type {const} */ ([["", [255, 253, 250], 0], ["-dark", [29, 26, 23], 255]])) {
        let text = own;
        while (contrast(text, ground) < 5) text = text.map((c) => c + (toward - c) * 0.08);
        set(`accent${suffix}`, accent);
        set(`on-accent${suffix}`, contrast(own, [255, 255, 255]) >= 4.5 ? "#fff" : "#1d1a17");
        set(`accent-text${suffix}`, `rgb(${text.map(Math.round).join(" ")})`);
      }
    }

    #build() {
      const t = this.#t;
      const lang = this.#language === "zh" ? "zh-CN" : "en";
      const wasOpen = this.#ui.panel && !this.#ui.panel.hidden;
      const draft = this.#ui.input?.value ?? "";
      const launch = h("button", { type: "button", class: "launch", "aria-haspopup": "dialog", "aria-expanded": "false", "aria-label": t.open }, icon("chat"));
      const unread = h("span", { class: "unread", "aria-hidden": "true" });
      unread.hidden = true;
      launch.append(unread);
      launch.addEventListener("click", () => this.open());

      const name = this.dataset.title ?? this.#config?.name?.[this.#language] ?? t.dialog;
      const title = h("h2", { id: "title" }, name);
      const mode = h("p", {});
      const person = h("button", { type: "button", class: "tool" }, t.person);
      person.addEventListener("click", () => this.#say({ choice: "talk-to-person" }, t.person));
      const other = h("button", { type: "button", class: "tool", "aria-label": t.otherLabel, lang: this.#language === "zh" ? "en" : "zh-CN" }, t.other);
      other.addEventListener("click", () => {
        this.#language = this.#language === "zh" ? "en" : "zh";
        this.#build();
        this.#history();
        this.#ui.other.focus();
      });
      const close = h("button", { type: "button", class: "tool", "aria-label": t.close }, icon("close"));
      close.addEventListener("click", () => this.close());
      const head = h("div", { class: "head" }, h("div", {}, title, mode), person, other, close);

      const log = h("div", { class: "log", role: "log", "aria-label": t.log, "aria-live": "polite", "aria-relevant": "additions", tabindex: "0" });
      const typing = h("div", { class: "typing", role: "img", "aria-label": t.typing }, h("i"), h("i"), h("i"));
      typing.hidden = true;
      const offline = h("p", { class: "state", role: "status" }, t.offline);
      offline.hidden = true;
      const input = h("textarea", { rows: "1", maxlength: String(TEXT_MAX), "aria-label": t.input, placeholder: t.input, enterkeyhint: "send", dir: "auto" });
      input.value = draft;
      input.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
        // 229: an input method is still composing.
        if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229) return;
        event.preventDefault();
        this.#submit();
      });
      input.addEventListener("input", () => {
        input.rows = Math.min(4, input.value.split("\n").length);
      });
      const send = h("button", { type: "submit", class: "send", "aria-label": t.send }, icon("send"));
      const form = h("form", {}, input, send);
      form.addEventListener("submit", (/** @type {Event} */ event) => {
        event.preventDefault();
        this.#submit();
      });
      const panel = h("section", { class: "panel", role: "dialog", "aria-labelledby": "title", lang }, head, log, typing, offline, form);
      panel.hidden = !wasOpen;
      // Built again while open, it is already where it was.
      panel.classList.toggle("still", Boolean(wasOpen));
      launch.hidden = Boolean(wasOpen);
      panel.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
        if (event.key === "Escape" && !event.isComposing) {
          event.stopPropagation();
          this.close();
        }
      });
      this.#root.replaceChildren(launch, panel);
      this.#ui = { launch, unread, panel, title, mode, log, typing, offline, input, other };
      this.#showMode();
      this.#count(this.#unread);
    }

    async #configure() {
      try {
        const answer = await fetch(`${base}/v1/web/config`, { credentials: "omit" });
        if (!answer.ok) return;
        this.#config = await answer.json();
        const focused = this.#root.activeElement === this.#ui.input;
        this.#build();
        this.#history();
        if (focused) this.#ui.input.focus();
      } catch {
        // The widget has words of its own.
      }
    }

    /** Shows all that is remembered; the log is not announced again. */
    #history() {
      const { log } = this.#ui;
      log.setAttribute("aria-live", "off");
      const t = this.#t;
      const of = (/** @type {string} */ key) => this.#config?.[key]?.[this.#language];
      const start = /** @type {any[]} */ ([
        { type: "text", text: of("disclosure") ?? t.disclosure },
        { type: "text", text: of("greeting") ?? t.greeting },
      ]);
      const items = this.#memory.get().items;
      if (!items.length) {
        const suggestions = of("suggestions") ?? [];
        start.push({ type: "choices", choices: [...suggestions.map((/** @type {string} */ s) => ({ id: `say:${s}`, label: s })), { id: "talk-to-person", label: t.person }] });
      }
      const first = message({ id: "start", from: "bot", at: items[0]?.at ?? Date.now(), reply: start }, this.#context());
      first.querySelector("time")?.remove();
      log.replaceChildren(first, ...items.map((i) => message(i, this.#context())));
      this.#retire();
      this.#scroll();
      // The next addition is news again.
      requestAnimationFrame(() => log.setAttribute("aria-live", "polite"));
    }

    #context() {
      return {
        t: this.#t,
        language: this.#language,
        base,
        choose: (/** @type {string} */ id, /** @type {string} */ label) =>
          id.startsWith("say:") ? this.#say({ text: label }, label) : this.#say({ choice: id }, label),
      };
    }

    #submit() {
      const { input } = this.#ui;
      const text = input.value.trim();
      if (!text) return;
      input.value = "";
      input.rows = 1;
      this.#say({ text }, text);
    }

    /**
     * @param {{ text?: string, choice?: string }} post
     * @param {string} label
     */
    #say(post, label) {
      this.#add({ id: newId(), from: "you", at: Date.now(), text: label, state: "waiting", post });
      this.#ui.offline.hidden = navigator.onLine;
      this.#ui.input.focus();
      this.#wire?.flush();
    }

    /** @param {import("./memory.js").Item} item */
    #add(item) {
      const held = this.#memory.get();
      held.items.push(item);
      this.#memory.save();
      this.#ui.log.append(message(item, this.#context()));
      this.#retire();
      this.#scroll();
    }

    /** @param {string} text */
    #note(text) {
      this.#add({ id: newId(), from: "note", at: Date.now(), text });
    }

    /**
     * @param {string} id
     * @param {"sent" | "read"} state
     */
    #mark(id, state) {
      const item = this.#memory.get().items.find((i) => i.id === id);
      if (!item || item.state === "read") return;
      item.state = state;
      this.#memory.save();
      const row = this.#row(id);
      const fresh = message(item, this.#context());
      // Only the ticks change, so that the message is not announced again.
      row?.querySelector("time")?.replaceWith(fresh.querySelector("time") ?? "");
    }

    /** @param {string} id */
    #row(id) {
      return [...this.#ui.log.children].find((row) => row.dataset.id === id);
    }

    /**
     * @param {string} name
     * @param {any} data
     * @param {number | null} id
     */
    #event(name, data, id) {
      const held = this.#memory.get();
      if (name === "typing") {
        this.#typing();
        return;
      }
      if (id !== null) {
        if (id <= held.last) return;
        held.last = id;
      }
      if (name === "message" && !held.items.some((i) => i.id === data.id)) {
        this.#ui.typing.hidden = true;
        this.#add({ id: data.id, from: data.from === "rep" ? "rep" : "bot", at: Date.now(), turn: data.turn, reply: data.reply });
        if (this.#ui.panel.hidden) this.#count(this.#unread + 1);
      } else if (name === "receipt") {
        for (const read of data.ids ?? []) this.#mark(read, "read");
      } else if (name === "mode") {
        held.mode = String(data.mode);
        this.#showMode();
      }
      this.#memory.save();
    }

    #typing() {
      this.#typingUntil = Date.now() + TYPING_MS;
      this.#ui.typing.hidden = false;
      setTimeout(() => {
        if (Date.now() >= this.#typingUntil) this.#ui.typing.hidden = true;
      }, TYPING_MS + 50);
    }

    #showMode() {
      const t = this.#t;
      const mode = this.#memory.get().mode;
      this.#ui.mode.textContent = mode === "human" ? t.human : mode === "waiting" ? t.waiting : t.bot;
    }

    /** @param {number} count */
    #count(count) {
      const { launch, unread } = this.#ui;
      this.#unread = count;
      unread.hidden = count === 0;
      unread.textContent = count > 99 ? "99+" : String(count);
      launch.setAttribute("aria-label", count ? this.#t.openUnread(count) : this.#t.open);
    }

    /** Only the newest quick replies can be pressed. */
    #retire() {
      const groups = [...this.#ui.log.querySelectorAll(".choices")];
      const newest = this.#ui.log.lastElementChild;
      for (const group of groups) group.classList.toggle("used", !newest?.contains(group));
    }

    #scroll() {
      const { log } = this.#ui;
      const last = log.lastElementChild;
      if (!last) return;
      // A long answer is read from its beginning.
      log.scrollTop = last.offsetHeight > log.clientHeight ? last.offsetTop - log.offsetTop - 8 : log.scrollHeight;
    }
  };
