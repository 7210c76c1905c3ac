// SPDX-License-Identifier: MIT
// Which page is shown, and whether what it shows is fresh.
import { el, fill } from "./dom.js";
import { onConnection, setToken, takeToken } from "./data.js";
import { showEnvironmentPage } from "./environment.js";
import { showFirstPage } from "./first.js";
import { showQueryPage } from "./query.js";
import { showState } from "./state.js";
import { age, clock } from "./format.js";

const page = document.getElementById("page");
const banner = document.getElementById("banner");
const PAGES = { query: showQueryPage, environment: showEnvironmentPage };
const AGES_EVERY_MS = 1000;
let leave = () => {};

function askForToken() {
  const input = el("input", { type: "password", id: "token", autocomplete: "off" });
  const form = el("form", { class: "panel token" },
    el("label", { for: "token" }, "The token of this dashboard"), input,
    el("button", { type: "submit" }, "Show"));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    setToken(input.value.trim());
    route();
  });
  leave();
  leave = () => {};
  fill(page, form);
  input.focus();
}

function route() {
  leave();
  scrollTo(0, 0);
  const [, kind, id] = /^#\/(query|environment)\/([A-Za-z0-9_-]+)$/.exec(location.hash) ?? [];
  page.replaceChildren();
  leave = (PAGES[kind] ?? showFirstPage)(page, id);
}

function showConnection({ fault, reachedAt }) {
  document.body.classList.toggle("stale", fault === "away");
  document.getElementById("live").textContent = fault === null ? "live" : "";
  if (fault === "token" && !document.getElementById("token")) askForToken();
  banner.hidden = fault !== "away";
  if (fault === "away")
    banner.textContent = "pgdeck watch does not answer."
      + (reachedAt ? ` What is shown is from ${clock(reachedAt / 1000)}.` : "");
}

/** <time> elements with class "age" say how long ago, and go on doing so. */
function showAges() {
  const now = Date.now() / 1000;
  for (const element of document.querySelectorAll("time.age"))
    element.textContent = age(Number(element.getAttribute("datetime")), now);
}

takeToken();
showState(document.getElementById("state"));
addEventListener("hashchange", () => { takeToken(); route(); });
route();
onConnection(showConnection);
setInterval(showAges, AGES_EVERY_MS);
