// SPDX-License-Identifier: MIT
// Documents of the server: asked for again and again while the page is to be seen, handed on only
// when they have changed. At most one question for a document is open at a time.

const TIMEOUT_MS = 8000;
const BACKOFF_MAX_MS = 30000;
const TOKEN = "pgdeck token";

const listeners = new Set();
const state = { reachedAt: null, fault: null };

/** Calls listener({reachedAt, fault}) whenever whether the server answers has changed. */
export function onConnection(listener) {
  listeners.add(listener);
  listener(state);
}

function setFault(fault) {
  const before = state.fault;
  if (fault === null) state.reachedAt = Date.now();
  state.fault = fault;
  if (before !== fault || fault === null) listeners.forEach((listener) => listener(state));
}

/** A token comes in the address, behind #token=, which no server gets to see. */
export function takeToken() {
  const given = /^#token=(.+)$/.exec(location.hash);
  if (!given) return;
  setToken(decodeURIComponent(given[1]));
  history.replaceState(null, "", "#/");
}

export function setToken(token) {
  sessionStorage.setItem(TOKEN, token);
}

async function ask(name, etag, signal) {
  const headers = {};
  const token = sessionStorage.getItem(TOKEN);
  if (token) headers.Authorization = `Bearer ${token}`;
  if (etag) headers["If-None-Match"] = etag;
  return fetch(`/data/${name}`, { headers, signal, cache: "no-store", credentials: "omit" });
}

/** One document: asked for as long as somebody is shown it. */
class Source {
  constructor(name, everyMs) {
    Object.assign(this, { name, everyMs, etag: null, text: undefined, failures: 0 });
    this.shows = new Set();
    this.stopped = new AbortController();
    document.addEventListener("visibilitychange", () => this.look(),
      { signal: this.stopped.signal });
    this.turn();
  }

  /** Shown again after having been hidden: not only at the next turn. */
  look() {
    if (document.hidden || this.timer === undefined) return;
    clearTimeout(this.timer);
    this.turn();
  }

  async turn() {
    this.timer = undefined;
    let wait = this.everyMs;
    try {
      if (!document.hidden) await this.take();
      this.failures = 0;
    } catch (error) {
      if (this.stopped.signal.aborted) return;
      if (!(error instanceof TypeError) && !["TimeoutError", "AbortError"].includes(error.name))
        throw error;
      this.failures += 1;
      setFault("away");
      wait = Math.min(BACKOFF_MAX_MS, this.everyMs * 2 ** Math.min(this.failures - 1, 4));
    }
    if (!this.stopped.signal.aborted) this.timer = setTimeout(() => this.turn(), wait);
  }

  async take() {
    const signal = AbortSignal.any([this.stopped.signal, AbortSignal.timeout(TIMEOUT_MS)]);
    const response = await ask(this.name, this.etag, signal);
    if (response.status === 401) {
      setFault("token");
      return;
    }
    if (response.status === 304) {
      setFault(null);
      return;
    }
    const isThere = response.status === 200;
    const text = isThere ? await response.text() : null;
    setFault(null);
    this.etag = isThere ? response.headers.get("ETag") : null;
    if (text === this.text) return;
    this.text = text;
    const value = this.value();
    this.shows.forEach((show) => show(value));
  }

  value() {
    return this.text === null ? null : JSON.parse(this.text);
  }

  end() {
    clearTimeout(this.timer);
    this.stopped.abort();
  }
}

const sources = new Map();

/** show(document) now and at each change; null: there is no such document. Returns what ends it. */
export function follow(name, everyMs, show) {
  if (!sources.has(name)) sources.set(name, new Source(name, everyMs));
  const source = sources.get(name);
  const mine = (value) => show(value);
  source.shows.add(mine);
  if (source.text !== undefined) mine(source.value());
  return () => {
    source.shows.delete(mine);
    if (source.shows.size > 0) return;
    source.end();
    sources.delete(name);
  };
}
