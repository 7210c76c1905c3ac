// SPDX-License-Identifier: MIT
// The page of one environment: its targets over the last day, each with its line.
import { el, fill } from "./dom.js";
import { Chart, canDraw } from "./chart.js";
import { follow } from "./data.js";
import { byUnit, count, share } from "./format.js";
import { standing } from "./state.js";

const EVERY_MS = 10000;
const HEIGHT = 180;

/** What the values are held against. */
function linesOf(target, format) {
  const lines = [];
  if (typeof target.target === "number")
    lines.push({ value: target.target, label: `target ${format(target.target)}` });
  if (typeof target.limit === "number" && target.limit !== target.target)
    lines.push({ value: target.limit, label: `limit ${format(target.limit)}`, color: "--bad" });
  return lines;
}

const isKnown = (target) => target.values.some((value) => typeof value === "number");

function figures(target, format) {
  const spans = [["now", target.now], ["last hour", target.hour], ["last day", target.day]];
  return el("div", { class: "figures" }, [
    ...spans.map(([label, value], i) => el("div", { class: "figure" },
      el("span", { class: "label" }, label),
      el("b", { class: i === 0 && standing(target) === "bad" ? "bad" : "" }, format(value)))),
    typeof target.budget_left === "number" ? el("div", { class: "figure" },
      el("span", { class: "label" }, "error budget left"),
      el("b", { class: target.budget_left <= 0 ? "bad" : "" }, share(target.budget_left))) : null,
  ]);
}

class EnvironmentPage {
  constructor(page) {
    page.className = "query";
    this.page = page;
    this.head = el("section", { class: "panel" });
    this.panels = new Map();
    page.append(el("p", { class: "back" }, el("a", { href: "#/" }, "\u2190 all environments")), this.head);
  }

  panelOf(target) {
    if (!this.panels.has(target.name)) {
      const panel = { title: el("h2"), figures: el("div"), place: el("div"), note: el("p", { class: "quiet" }) };
      panel.section = el("section", { class: "panel" }, panel.title,
        el("div", { class: "body" }, panel.figures, panel.place, panel.note));
      this.page.append(panel.section);
      this.panels.set(target.name, panel);
    }
    return this.panels.get(target.name);
  }

  show(environment) {
    this.panels.forEach(({ section }) => { section.hidden = true; });
    if (environment === null) {
      fill(this.head, el("p", null, "This environment is not watched now."));
      return;
    }
    fill(this.head, el("h1", null, environment.environment),
      el("p", { class: "quiet" }, `${environment.deck} \u00b7 ${environment.server} \u00b7 the last day`));
    environment.targets.filter(isKnown).forEach((target) => this.showTarget(environment, target));
  }

  showTarget({ step_s: step, until }, target) {
    const panel = this.panelOf(target);
    const format = byUnit[target.unit] ?? count;
    panel.section.hidden = false;
    fill(panel.title, target.label);
    fill(panel.figures, figures(target, format));
    fill(panel.note, `${target.is_estimate ? "Estimated from" : "From"} ${target.source}.`);
    if (!canDraw()) return;
    panel.chart ??= new Chart(panel.place, { height: HEIGHT, isStacked: false,
      isLog: target.unit === "ms", format, label: `${target.label} over the last day` });
    panel.chart.update({
      at: target.values.map((_, i) => until - (target.values.length - 1 - i) * step),
      series: [{ name: target.label, color: "--accent", values: target.values }],
      lines: linesOf(target, format),
    });
  }

  end() {
    this.panels.forEach(({ chart }) => chart?.end());
  }
}

/** Shows it in page; returns what ends it. */
export function showEnvironmentPage(page, id) {
  const shown = new EnvironmentPage(page);
  const end = follow(`environment/${id}`, EVERY_MS, (environment) => shown.show(environment));
  return () => {
    end();
    shown.end();
  };
}
