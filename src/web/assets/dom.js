// SPDX-License-Identifier: MIT
// Elements are built here and nowhere else. What comes from a database becomes a text node or the
// value of an attribute, never markup.

const PLAIN_ATTRIBUTES = new Set(["class", "title", "datetime", "colspan", "scope", "id", "role",
  "aria-label", "aria-hidden", "open", "type", "for", "autocomplete", "disabled"]);

/** el("td", {class: "number"}, "text", element, null, [more]) */
export function el(tag, attributes, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "href") element.setAttribute("href", localAddress(value));
    else if (PLAIN_ATTRIBUTES.has(name)) element.setAttribute(name, value === true ? "" : value);
    else throw new Error(`attribute ${name} is not one that the page uses`);
  }
  append(element, children);
  return element;
}

function append(element, children) {
  for (const child of children) {
    if (child === null || child === undefined || child === false) continue;
    if (Array.isArray(child)) append(element, child);
    else element.append(typeof child === "object" ? child : visible(String(child)));
  }
}

/** Characters that would turn the text around them, and so make a name look like another. */
function visible(text) {
  return text.replace(/[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g,
    (character) => `\u27e8U+${character.codePointAt(0).toString(16).toUpperCase().padStart(4, "0")}\u27e9`);
}

/** A name that rather breaks behind an underscore than within a word. */
export function breakable(name) {
  return String(name).split(/(?<=_)/).flatMap((part, at) => (at > 0 ? [el("wbr"), part] : [part]));
}

/** Links lead within the page only. */
function localAddress(address) {
  if (!address.startsWith("#/")) throw new Error("a link leads out of the page");
  return address;
}

/** Draws an icon of a few strokes; the paths are ours. */
export function icon(paths, className) {
  const space = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(space, "svg");
  svg.setAttribute("viewBox", "0 0 16 16");
  svg.setAttribute("class", `icon ${className ?? ""}`);
  svg.setAttribute("aria-hidden", "true");
  for (const d of paths) {
    const path = document.createElementNS(space, "path");
    path.setAttribute("d", d);
    svg.append(path);
  }
  return svg;
}

/** Puts new content into a place, unless somebody is just marking text in it to copy it. */
export function fill(place, ...children) {
  const selection = document.getSelection();
  if (selection && !selection.isCollapsed && place.contains(selection.anchorNode)) return;
  const fresh = document.createDocumentFragment();
  append(fresh, children);
  place.replaceChildren(fresh);
}

/** A text to copy, with a button that copies it. */
export function copyable(text, label) {
  const button = el("button", { type: "button", class: "copy", "aria-label": label ?? "Copy" }, "copy");
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(text);
      button.textContent = "copied";
    } catch {
      document.getSelection().selectAllChildren(button.previousElementSibling);
      button.textContent = "marked";
    }
    setTimeout(() => { button.textContent = "copy"; }, 2000);
  });
  return el("div", { class: "copyable" }, el("pre", null, text), button);
}

export function table(className, heads, rows) {
  return el("table", { class: className },
    el("thead", null, el("tr", null, heads.map(([text, kind, title]) =>
      el("th", { scope: "col", class: kind, title }, text)))),
    el("tbody", null, rows));
}
