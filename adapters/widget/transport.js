// The wire: a session, posts that are repeated until acknowledged, and an event stream that resumes.

/** Waits between tries, milliseconds: doubled up to the longest, spread by chance. */
const RETRY_FIRST = 500;
const RETRY_MAX = 30000;
/** A stream without a sign of life for so long is opened again; the server beats every 15 s. */
const SILENCE_MAX = 40000;
/** How long one post may take. */
const POST_MAX = 15000;

/**
 * @typedef {{ token: () => string | null,
 *   opened: (session: { token: string, conversation: string }) => void,
 *   expired: () => void,
 *   last: () => number,
 *   pending: () => { id: string, post: any }[],
 *   posted: (id: string) => void,
 *   refused: (id: string, status: number) => void,
 *   event: (name: string, data: any, id: number | null) => void,
 *   online: (yes: boolean) => void,
 *   language: () => string, site: string }} Owner
 */

/**
 * @param {string} base
 * @param {Owner} owner
 */
export const transport = (base, owner) => {
  let stopped = false;
  let posting = false;
  let streaming = false;
  let tries = 0;
  /** @type {AbortController | null} */
  let stream = null;
  /** @type {Set<() => void>} */
  const sleepers = new Set();

  const sleep = (/** @type {number} */ ms) =>
    new Promise((/** @type {(v?: unknown) => void} */ wake) => {
      const done = () => {
        clearTimeout(timer);
        sleepers.delete(done);
        wake();
      };
      const timer = setTimeout(done, ms);
      sleepers.add(done);
    });
  const backOff = (/** @type {number} */ least = 0) => {
    const wait = Math.min(RETRY_MAX, RETRY_FIRST * 2 ** Math.min(tries++, 10));
    return sleep(Math.max(least, wait * (0.5 + Math.random() / 2)));
  };
  const retryAfter = (/** @type {Response} */ answer) =>
    Math.min(60, Number(answer.headers.get("retry-after")) || 0) * 1000;

  /** @type {Promise<boolean> | null} */
  let opening = null;
  const session = () => {
    if (owner.token()) return Promise.resolve(true);
    opening ??= open().finally(() => {
      opening = null;
    });
    return opening;
  };
  const open = async () => {
    const answer = await fetch(`${base}/v1/web/sessions`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ site: owner.site, language: owner.language() }),
      credentials: "omit",
      signal: AbortSignal.timeout(POST_MAX),
    });
    if (answer.status !== 201) {
      await backOff(retryAfter(answer));
      return false;
    }
    owner.opened(await answer.json());
    return true;
  };

  /** Sends what waits, in order, each until it is acknowledged. */
  const flush = async () => {
    if (posting || stopped) return;
    posting = true;
    try {
      for (let next = owner.pending()[0]; next && !stopped; next = owner.pending()[0]) {
        try {
          if (!(await session())) continue;
          const answer = await fetch(`${base}/v1/web/messages`, {
            method: "POST",
            headers: { "content-type": "application/json", authorization: `Bearer ${owner.token()}` },
            body: JSON.stringify({ id: next.id, ...next.post }),
            credentials: "omit",
            signal: AbortSignal.timeout(POST_MAX),
          });
          if (answer.status === 202) {
            tries = 0;
            owner.online(true);
            owner.posted(next.id);
            listen();
          } else if (answer.status === 401) {
            owner.expired();
            stream?.abort();
          } else if (answer.status === 429 || answer.status >= 500) {
            await backOff(retryAfter(answer));
          } else {
            owner.refused(next.id, answer.status);
          }
        } catch {
          owner.online(false);
          await backOff();
        }
      }
    } finally {
      posting = false;
    }
  };

  const listen = async () => {
    if (streaming || stopped || !owner.token()) return;
    streaming = true;
    while (!stopped && owner.token()) {
      try {
        await read();
        tries = 0;
      } catch {
        if (stopped) break;
        owner.online(false);
        await backOff();
      }
    }
    streaming = false;
  };

  const read = async () => {
    stream = new AbortController();
    let silence = setTimeout(() => stream?.abort(), SILENCE_MAX);
    try {
      /** @type {Record<string, string>} */
      const headers = { authorization: `Bearer ${owner.token()}`, accept: "text/event-stream" };
      if (owner.last() > 0) headers["last-event-id"] = String(owner.last());
      const answer = await fetch(`${base}/v1/web/events`, {
        headers,
        credentials: "omit",
        cache: "no-store",
        signal: stream.signal,
      });
      if (answer.status === 401) {
        owner.expired();
        return;
      }
      if (!answer.ok || !answer.body) throw new Error(String(answer.status));
      owner.online(true);
      const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
      let text = "";
      for (;;) {
        const { value, done } = await reader.read();
        if (done) return;
        clearTimeout(silence);
        silence = setTimeout(() => stream?.abort(), SILENCE_MAX);
        tries = 0;
        text += value.replaceAll("\r\n", "\n");
        for (let end = text.indexOf("\n\n"); end >= 0; end = text.indexOf("\n\n")) {
          take(text.slice(0, end));
          text = text.slice(end + 2);
        }
      }
    } finally {
      clearTimeout(silence);
    }
  };

  const take = (/** @type {string} */ block) => {
    let name = "message";
    /** @type {string[]} */
    const data = [];
    let id = null;
    for (const line of block.split("\n")) {
      const colon = line.indexOf(":");
      if (colon <= 0) continue;
      const value = line.slice(colon + 1).replace(/^ /, "");
      const field = line.slice(0, colon);
      if (field === "event") name = value;
      else if (field === "data") data.push(value);
      else if (field === "id") id = Number(value) || null;
    }
    if (!data.length) return;
    try {
      owner.event(name, JSON.parse(data.join("\n")), id);
    } catch {
      // An event of a newer server that this widget cannot read.
    }
  };

  const wake = () => {
    for (const done of [...sleepers]) done();
    flush();
    listen();
  };
  const gone = () => owner.online(false);
  addEventListener("online", wake);
  addEventListener("offline", gone);

  return {
    flush,
    listen,
    stop() {
      stopped = true;
      removeEventListener("online", wake);
      removeEventListener("offline", gone);
      for (const done of [...sleepers]) done();
      stream?.abort();
    },
  };
};
