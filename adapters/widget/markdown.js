// A small Markdown to DOM nodes, never through HTML: whatever a text says stays text.

/** Longest text that is looked at, characters. */
const TEXT_MAX = 8000;

/**
 * Paragraphs, lists, bold, emphasis, code and web links.
 * @param {string} text
 * @returns {DocumentFragment}
 */
export const markdown = (text) => {
  const out = document.createDocumentFragment();
  /** @type {HTMLElement | null} */
  let list = null;
  /** @type {string[]} */
  let lines = [];
  const flush = () => {
    if (!lines.length) return;
    const p = document.createElement("p");
    lines.forEach((line, i) => {
      if (i) p.append(document.createElement("br"));
      inline(p, line);
    });
    out.append(p);
    lines = [];
  };
  for (const line of text.slice(0, TEXT_MAX).split("\n")) {
    const item = /^\s*([-*]|\d{1,3}[.)])\s+(.*)$/.exec(line);
    if (item) {
      flush();
      if (!list) {
        list = document.createElement(/\d/.test(item[1] ?? "") ? "ol" : "ul");
        out.append(list);
      }
      const li = document.createElement("li");
      inline(li, item[2] ?? "");
      list.append(li);
      continue;
    }
    list = null;
    if (line.trim()) lines.push(line);
    else flush();
  }
  flush();
  return out;
};

const TOKEN = /\*\*([^*]+)\*\*|\*([^*]+)\*|`([^`]+)`|\[([^\]]+)\]\(([^)\s]+)\)|(https?:\/\/[^\s<>"'）】，。；]+)/g;

const JOINS = /[A-Za-z0-9*]/;

/**
 * @param {HTMLElement} parent
 * @param {string} line
 */
const inline = (parent, line) => {
  let at = 0;
  const token = new RegExp(TOKEN);
  for (let m = token.exec(line); m; m = token.exec(line)) {
    const [whole, bold, emphasis, code, label, href, bare] = m;
    const end = m.index + whole.length;
    // `18*40*35` is a size: stars between letters or figures mark nothing.
    if ((bold || emphasis) && (JOINS.test(line.charAt(m.index - 1)) || JOINS.test(line.charAt(end)))) {
      token.lastIndex = m.index + 1;
      continue;
    }
    parent.append(line.slice(at, m.index));
    at = end;
    if (bold) parent.append(node("strong", bold));
    else if (emphasis) parent.append(node("em", emphasis));
    else if (code) parent.append(node("code", code));
    else parent.append(link(label ?? bare ?? "", href ?? bare ?? "") ?? whole);
  }
  parent.append(line.slice(at));
};

/**
 * @param {string} name
 * @param {string} text
 */
const node = (name, text) => {
  const element = document.createElement(name);
  element.textContent = text;
  return element;
};

/**
 * Only web addresses become links.
 * @param {string} label
 * @param {string} href
 */
export const link = (label, href) => {
  const url = webAddress(href);
  if (!url) return null;
  const a = document.createElement("a");
  a.href = url;
  a.target = "_blank";
  a.rel = "noopener noreferrer";
  a.textContent = label;
  return a;
};

/**
 * @param {string | undefined} href
 * @param {string} [base]
 */
export const webAddress = (href, base) => {
  if (!href) return null;
  try {
    const url = new URL(href, base ?? location.href);
    return url.protocol === "https:" || url.protocol === "http:" ? url.href : null;
  } catch {
    return null;
  }
};
