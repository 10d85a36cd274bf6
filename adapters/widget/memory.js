// What the widget remembers on the customer's own device; works without storage too.

/** Items of the transcript that are kept. */
const ITEMS_MAX = 200;

/**
 * @typedef {{ id: string, from: "you" | "bot" | "rep" | "note", at: number, turn?: number,
 *   text?: string, reply?: any[], state?: "waiting" | "sent" | "read", post?: any }} Item
 * @typedef {{ token: string | null, conversation: string | null, last: number, items: Item[], mode: string }} Memory
 */

/** @returns {Memory} */
const blank = () => ({ token: null, conversation: null, last: 0, items: [], mode: "bot" });

/** @param {string} site */
export const memory = (site) => {
  const key = `tiansheng:${site}`;
  /** @type {Memory} */
  let held = blank();
  const load = () => {
    try {
      const text = localStorage.getItem(key);
      if (text) held = { ...blank(), ...JSON.parse(text) };
    } catch {
      // A page without storage, or a broken entry: this tab remembers for itself.
    }
    return held;
  };
  return {
    load,
    get: () => held,
    save() {
      held.items = held.items.slice(-ITEMS_MAX);
      try {
        localStorage.setItem(key, JSON.stringify(held));
      } catch {
        // As above.
      }
    },
    /** A session that is over: what was said stays to be read, what was not sent goes into the new one. */
    renew() {
      held.token = null;
      held.conversation = null;
      held.last = 0;
      held.mode = "bot";
    },
    /** @param {() => void} changed another tab of the same site wrote */
    watch(changed) {
      const heard = (/** @type {StorageEvent} */ event) => {
        if (event.key === key) {
          load();
          changed();
        }
      };
      addEventListener("storage", heard);
      return () => removeEventListener("storage", heard);
    },
  };
};
