// SPDX-License-Identifier: MIT
// Figures as text. A missing one is "–", so that nothing that was not measured looks like a zero.

export const NONE = "–";

const isNumber = (value) => typeof value === "number" && Number.isFinite(value);

function digits(value) {
  const size = Math.abs(value);
  const text = value.toFixed(size >= 100 ? 0 : size >= 10 ? 1 : 2);
  return text.includes(".") ? text.replace(/\.?0+$/, "") : text;
}

const scaled = (value, steps) => {
  const [factor, unit] = steps.find(([from]) => Math.abs(value) >= from) ?? steps.at(-1);
  return `${digits(value / factor)} ${unit}`;
};

/** 1.23 ms, 45.6 s, 3.2 h */
export function duration(ms) {
  if (!isNumber(ms)) return NONE;
  if (ms === 0) return "0 ms";
  return scaled(ms, [[86400e3, "d"], [3600e3, "h"], [60e3, "min"], [1000, "s"], [1, "ms"], [0.001, "µs"]]);
}

export function bytes(value) {
  if (!isNumber(value)) return NONE;
  if (value < 1024) return `${value.toFixed(0)} B`;
  return scaled(value, [[2 ** 40, "TB"], [2 ** 30, "GB"], [2 ** 20, "MB"], [1024, "kB"]]);
}

export function count(value) {
  if (!isNumber(value)) return NONE;
  if (Math.abs(value) < 10000) return Number.isInteger(value) ? String(value) : digits(value);
  return scaled(value, [[1e9, "G"], [1e6, "M"], [1e3, "k"]]);
}

export function share(value) {
  if (!isNumber(value)) return NONE;
  const percent = value * 100;
  const text = percent > 99 && percent < 100 ? percent.toFixed(2) : percent.toFixed(percent < 10 ? 1 : 0);
  return `${text.replace(/\.0+$/, "")} %`;
}

export const byUnit = { ms: duration, share, count, bytes };

/** +12 %, −40 %, 3.1× */
export function change(ratio) {
  if (!isNumber(ratio) || ratio <= 0) return NONE;
  if (ratio >= 2) return `${digits(ratio)}×`;
  const percent = Math.round((ratio - 1) * 100);
  if (percent === 0) return "±0 %";
  return `${percent > 0 ? "+" : "−"}${Math.abs(percent)} %`;
}

/** Seconds since the epoch to "12 s", "3 min", "2 d" ago. */
export function age(at, now = Date.now() / 1000) {
  if (!isNumber(at)) return NONE;
  const s = Math.max(0, now - at);
  if (s < 90) return `${Math.round(s)} s`;
  if (s < 5400) return `${Math.round(s / 60)} min`;
  return s < 36 * 3600 ? `${Math.round(s / 3600)} h` : `${Math.round(s / 86400)} d`;
}

const two = (number) => String(number).padStart(2, "0");

/** In the viewer's own time zone. */
export function clock(at) {
  if (!isNumber(at)) return NONE;
  const date = new Date(at * 1000);
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}

export function moment(at) {
  if (!isNumber(at)) return NONE;
  const date = new Date(at * 1000);
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${clock(at).slice(0, 5)}`;
}

/** An SQL text on one line, without the remarks that it begins with. */
export function oneLine(text) {
  const bare = String(text ?? "").replace(/^(\s*(--[^\n]*(\n|$)|\/\*[^]*?\*\/))+/, "");
  return (bare.trim() === "" ? String(text ?? "") : bare).replace(/\s+/g, " ").trim();
}
