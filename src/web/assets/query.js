// SPDX-License-Identifier: MIT
// The page of one query: how it does over time, its plans, where it was seen, what would help it.
import { copyable, el, fill, table } from "./dom.js";
import { Chart, canDraw } from "./chart.js";
import { follow } from "./data.js";
import { change, count, duration, moment, oneLine, share } from "./format.js";

const EVERY_MS = 5000, FAST_MS = 2000, SLOW_MS = 60000;
const SAMPLES_SHOWN = 50;
const ESTIMATED = "from the mean and the standard deviation of the calls, as if they were log-normal";
const MEASURED = "of the last hour, counted by pgdeck pool";

function section(page, title) {
  const body = el("div", { class: "body" });
  const place = el("section", { class: "panel" }, el("h2", null, title), body);
  place.hidden = true;
  page.append(place);
  return { place, body };
}

const figure = (label, value, kind, title) => el("div", { class: "figure", title },
  el("span", { class: "label" }, label), el("b", { class: kind }, value));

function figures(query) {
  const ratio = query.mean_ms_yesterday > 0 ? query.mean_ms / query.mean_ms_yesterday : null;
  return [
    figure("share of load", share(query.share)), figure("calls", count(query.calls)),
    figure("mean", duration(query.mean_ms)),
    typeof query.p95_ms === "number"
      ? figure(query.p95_is_estimate ? "p95, estimate" : "p95", duration(query.p95_ms), "",
        query.p95_is_estimate ? ESTIMATED : MEASURED) : null,
    ratio ? figure("mean vs yesterday", change(ratio), ratio > 1.2 ? "bad" : "") : null,
    figure("rows a call", query.calls > 0 ? count(query.rows / query.calls) : "–"),
    figure("cache hit", share(query.cache_hit)),
    ...(query.log ? [figure("slow, in the log", count(query.log.calls), "", "since watch began"),
      figure("slowest of these", duration(query.log.max_ms), "", moment(query.log.last_at))] : []),
  ];
}

const isNumber = (value) => typeof value === "number";

/** The p95 that a pool measured; the estimate only for times that have none. */
function p95Lines({ calls, p95_measured_ms: measured }) {
  const isMeasured = measured?.some(isNumber);
  const isWhole = isMeasured && calls.every((value, i) => !isNumber(value) || isNumber(measured[i]));
  return [["mean_ms", "mean", "--accent"],
    ...(isMeasured ? [["p95_measured_ms", "p95", "--w-lock"]] : []),
    ...(isWhole ? [] : [["p95_ms", "p95 (estimate)", isMeasured ? "--w-lwlock" : "--w-lock"]])];
}

/** lines: [[name of the series, its label, color]] */
function seriesData(query, lines, target) {
  const { step_s: step, until } = query.series;
  const { length } = query.series[lines[0][0]];
  return {
    at: Array.from({ length }, (_, i) => until - (length - 1 - i) * step),
    series: lines.filter(([name]) => query.series[name])
      .map(([name, label, color]) => ({ name: label, color, values: query.series[name] })),
    lines: typeof target === "number" ? [{ value: target, label: `target of p95 ${duration(target)}` }] : [],
  };
}

/** One of each shape, the newest first: a change of the plan is one more. */
function planItem(plan) {
  const facts = [plan.source, plan.duration_ms && duration(plan.duration_ms),
    plan.since < plan.at && `so since ${moment(plan.since)}`];
  return el("details", null,
    el("summary", null, moment(plan.at),
      el("span", { class: "quiet" }, facts.filter(Boolean).map((text) => ` · ${text}`).join(""))),
    copyable(typeof plan.plan === "string" ? plan.plan : JSON.stringify(plan.plan, null, 2),
      "Copy the plan"));
}

const quoted = (word) => `'${String(word).replaceAll("'", "'\\''")}'`;

/** What the command line knows of it beyond the page. */
function commands(query) {
  const where = `--database ${quoted(query.database)}`;
  return [
    ["Its plan now, and what is wrong in it",
      query.query_id && `pgdeck explain ${where} -- ${quoted(query.query_id)}`],
    ["Indexes for the statements that run, with cost before and after",
      `pgdeck index advise ${where}`],
  ].filter(([, command]) => command).map(([title, command]) =>
    el("div", { class: "command" }, el("p", { class: "quiet" }, title),
      copyable(command, "Copy the command")));
}

const SAMPLE_HEADS = [["At"], ["Session"], ["Waits for"], ["Runs for", "number"]];

function sampleRow(sample) {
  return el("tr", null, el("td", null, moment(sample.at)),
    el("td", null, [sample.role, sample.application, sample.sessions > 1
      && `and ${sample.sessions - 1} more`].filter(Boolean).join(" · ")),
    el("td", null, sample.event ?? sample.wait_event ?? "CPU"),
    el("td", { class: "number" }, duration(sample.runs_ms ?? (sample.runs_s ?? NaN) * 1000)));
}

/** What `pgdeck index advise` said of this statement, some hours ago. */
function adviceOf(query, advice) {
  return (advice?.databases ?? []).filter((one) => one.database === query.database)
    .flatMap((one) => (one.statements ?? []).filter((about) => about.sql === query.query)
      .map((about) => ({ ...about, at: one.at, estimated_by: one.estimated_by })));
}

function adviceItem(advice) {
  const many = advice.indexes.length > 1;
  return el("div", null,
    el("p", null, el("b", null, many ? "These indexes" : "This index"),
      ` would make it cheaper by ${share(1 - advice.after / advice.before)}, the planner estimates`,
      el("span", { class: "quiet" }, ` (${advice.estimated_by}, ${moment(advice.at)})`)),
    copyable(advice.indexes.join("\n"), "Copy the SQL"));
}

class QueryPage {
  constructor(page) {
    page.className = "query";
    this.head = el("section", { class: "panel" });
    page.append(el("p", { class: "back" }, el("a", { href: "#/" }, "← all queries")), this.head);
    const times = section(page, "Time of a call");
    const calls = section(page, "Calls");
    this.charts = [
      { ...times, lines: p95Lines, format: duration, hasTarget: true, isLog: true },
      { ...calls, lines: () => [["calls", "calls in 5 min", "--accent"]], format: count },
    ];
    this.advice = section(page, "Index advice");
    this.commands = section(page, "Plan and indexes, on the command line");
    this.plans = section(page, "Plans");
    this.samples = section(page, "Seen at work");
  }

  show(query) {
    if (query === null) {
      fill(this.head, el("p", null, "This query is not among those that are watched now. "),
        el("p", { class: "quiet" }, "It may not have run for a while, or others weigh more."));
      for (const { place } of [...this.charts, this.advice, this.commands, this.plans, this.samples])
        place.hidden = true;
      return;
    }
    fill(this.head, el("p", { class: "quiet" },
      [query.server, query.database, query.role].filter(Boolean).join(" · ")),
    copyable(query.query, "Copy the query"), el("div", { class: "figures" }, figures(query)));
    this.showCharts(query);
    this.list(this.advice, query.advice.map(adviceItem));
    this.list(this.commands, commands(query));
    this.list(this.plans, [...(query.plans ?? []).map(planItem),
      query.no_plan ? el("p", { class: "quiet" }, query.no_plan) : null].filter(Boolean));
    this.list(this.samples, query.samples?.length ? [table("samples", SAMPLE_HEADS,
      query.samples.slice(-SAMPLES_SHOWN).reverse().map(sampleRow))] : []);
  }

  showCharts(query) {
    for (const one of this.charts) {
      const lines = query.series ? one.lines(query.series) : [["none"]];
      const hasValues = query.series?.[lines[0][0]]?.some(isNumber);
      one.place.hidden = !hasValues || !canDraw();
      if (one.place.hidden) continue;
      one.chart ??= new Chart(one.body, { height: 180, isStacked: false, isLog: one.isLog,
        format: one.format, label: `${lines[0][1]} of ${oneLine(query.query).slice(0, 80)}` });
      one.chart.update(seriesData(query, lines, one.hasTarget ? query.target_ms : null));
    }
  }

  list({ place, body }, items) {
    place.hidden = items.length === 0;
    if (body.querySelector("details[open]")) return; // somebody reads a plan
    fill(body, items);
  }

  end() {
    this.charts.forEach(({ chart }) => chart?.end());
  }
}

/** The p95 that the query's environment is to have; undefined: none is known. */
function targetOf(query, overview) {
  const environment = overview?.environments.find((one) => one.deck === query.deck
    && (one.environment === query.environment
      || one.databases.some((database) => database.name === query.database)));
  return environment?.targets.find((target) => target.name.startsWith("query_p95"))?.target;
}

/** Shows it in page; returns what ends it. */
export function showQueryPage(page, id) {
  const shown = new QueryPage(page);
  const known = {};
  const show = () => {
    if (known.query !== undefined)
      shown.show(known.query && { ...known.query, target_ms: targetOf(known.query, known.overview),
        advice: adviceOf(known.query, known.advice) });
  };
  const ends = [
    follow("overview", FAST_MS, (overview) => { known.overview = overview; show(); }),
    follow("advice", SLOW_MS, (advice) => { known.advice = advice; show(); }),
    follow(`query/${id}`, EVERY_MS, (query) => { known.query = query; show(); }),
  ];
  return () => {
    ends.forEach((end) => end());
    shown.end();
  };
}
