// The one line a shop puts on its page: defines <tiansheng-chat> and adds it once.
// <script async src="https://chat.example/widget.js" data-site="main" data-lang="zh"></script>
(() => {
  "use strict";
  const script = /** @type {HTMLScriptElement | null} */ (document.currentScript);
  const source = script?.src || new URL("/widget.js", location.href).href;
  const start = async () => {
    const { define } = await import(new URL("widget/element.js", source).href);
    define(new URL(".", source).href.replace(/\/$/, ""));
    if (document.querySelector("tiansheng-chat")) return;
    const element = document.createElement("tiansheng-chat");
    for (const [name, value] of Object.entries(script?.dataset ?? {})) {
      element.setAttribute(`data-${name}`, value ?? "");
    }
    document.body.append(element);
  };
  if (document.body) start();
  else addEventListener("DOMContentLoaded", start, { once: true });
})();
