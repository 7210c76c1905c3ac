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

async function take(follower) {
  const abort = AbortSignal.any([follower.stopped.signal, AbortSignal.timeout(TIMEOUT_MS)]);
  const response = await ask(follower.name, follower.etag, abort);
  if (response.status === 401) {
    setFault("token");
    return;
  }
  setFault(null);
  if (response.status === 304) return;
  const isThere = response.status === 200;
  const text = isThere ? await response.text() : null;
  follower.etag = isThere ? response.headers.get("ETag") : null;
  if (text === follower.text) return;
  follower.text = text;
  follower.show(text === null ? null : JSON.parse(text));
}

async function turn(follower) {
  let wait = follower.every;
  if (!document.hidden) {
    try {
      await take(follower);
      follower.failures = 0;
    } catch (error) {
      if (follower.stopped.signal.aborted) return;
      if (error instanceof TypeError || error.name === "TimeoutError" || error.name === "AbortError") {
        follower.failures += 1;
        setFault("away");
        wait = Math.min(BACKOFF_MAX_MS, follower.every * 2 ** Math.min(follower.failures, 4));
      } else throw error;
    }
  }
  if (follower.stopped.signal.aborted) return;
  follower.timer = setTimeout(() => turn(follower), wait);
}

/** show(document) now and at each change; null: there is no such document. Returns what ends it. */
export function follow(name, everyMs, show) {
  const follower = {
    name, every: everyMs, show, etag: null, text: undefined, failures: 0,
    stopped: new AbortController(),
  };
  const look = () => {
    if (document.hidden || follower.timer === undefined) return;
    clearTimeout(follower.timer);
    follower.timer = undefined;
    turn(follower);
  };
  document.addEventListener("visibilitychange", look, { signal: follower.stopped.signal });
  turn(follower);
  return () => {
    clearTimeout(follower.timer);
    follower.stopped.abort();
  };
}
