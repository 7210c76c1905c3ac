// SPDX-License-Identifier: MIT
// The answer in one line, on top of each page: is everything all right?
import { fill, icon } from "./dom.js";
import { follow } from "./data.js";

export const OK = ["M3 8.5l3.2 3L13 4.5"];
export const BAD = ["M8 3.5v5.5", "M8 12v.5"];
export const UNKNOWN = ["M4 8h8"];
const EVERY_MS = 2000;

/** Of a target: "good", "bad", or "unknown" where it was not measured. */
export function standing(target) {
  if (typeof target.now !== "number" || typeof target.target !== "number") return "unknown";
  const isMet = target.is_low_bad ? target.now >= target.target : target.now <= target.target;
  return isMet ? "good" : "bad";
}

const plural = (number, one, many) => `${number} ${number === 1 ? one : many}`;

/** {kind, text} of what is known. */
function judge(overview, alerts, health) {
  const databases = overview.environments.flatMap((one) => one.databases);
  const away = databases.filter((one) => one.was_asked && !one.is_reachable).length;
  const missed = overview.environments.flatMap((one) => one.targets)
    .filter((target) => standing(target) === "bad").length;
  const open = (alerts?.alerts ?? [])
    .filter((one) => typeof one.silenced_until !== "number").length;
  const critical = (health?.decks ?? []).flatMap((one) => one.findings ?? [])
    .filter((one) => one.severity === "critical").length;
  const faults = [
    away && `${plural(away, "database", "databases")} cannot be reached`,
    open && plural(open, "open alert", "open alerts"),
    missed && `${plural(missed, "target", "targets")} missed`,
    critical && plural(critical, "critical finding", "critical findings"),
  ].filter(Boolean);
  if (faults.length) return { kind: away || open ? "bad" : "warn", text: faults.join(", ") };
  if (databases.some((one) => !one.was_asked)) return { kind: "unknown", text: "asking \u2026" };
  return { kind: "good", text: "Everything is all right" };
}

/** Shows it in place, from now on. */
export function showState(place) {
  const known = { overview: null, alerts: null, health: null };
  const show = () => {
    if (!known.overview) return;
    const { kind, text } = judge(known.overview, known.alerts, known.health);
    fill(place, icon({ good: OK, unknown: UNKNOWN }[kind] ?? BAD, kind), text);
    place.className = kind;
    document.title = kind === "bad" || kind === "warn" ? `(!) ${text} \u2013 pgdeck` : "pgdeck";
  };
  for (const name of Object.keys(known))
    follow(name, EVERY_MS, (value) => { known[name] = value; show(); });
}
