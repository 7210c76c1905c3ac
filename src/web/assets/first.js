// SPDX-License-Identifier: MIT
// The first page: is everything all right, and if not, what to do.
import { breakable, copyable, el, fill, icon, table } from "./dom.js";
import { Chart, canDraw } from "./chart.js";
import { follow } from "./data.js";
import { BAD, OK, UNKNOWN, standing } from "./state.js";
import { age, bytes, byUnit, change, count, duration, moment, oneLine, share }
  from "./format.js";

const FAST_MS = 2000, SLOW_MS = 10000;
const PARTITIONS_SHOWN = 8, QUERIES_SHOWN = 10, CHANGES_SHOWN = 8, FINDINGS_SHOWN = 5;
const ERRORS_SHOWN = 8, MESSAGE_SHOWN = 120;
const OLD_S = 60, OLD_XIDS = 200e6; // of a transaction; autovacuum_freeze_max_age's default
const FORECASTS_SHOWN = 6, DAY_S = 86400, WARNING_DAYS = 30, CRITICAL_DAYS = 7;
const LOW_DISK = 0.1, LOW_MEMORY = 0.05; // of all
const LOAD_COLORS = {
  CPU: "--w-cpu", IO: "--w-io", Lock: "--w-lock", LWLock: "--w-lwlock", Client: "--w-client",
  IPC: "--w-ipc", Timeout: "--w-timeout", BufferPin: "--w-pin", Extension: "--w-extension",
};
const SPARE_COLORS = ["--w-1", "--w-2", "--w-3", "--w-4", "--w-5", "--w-6"];

/* --- panels --------------------------------------------------------------------------------- */

/** A section that is not there until there is something in it. */
function panel(page, name, title) {
  const note = el("span", { class: "note" });
  const body = el("div", { class: "body" });
  const section = el("section", { class: `panel ${name}`, id: name },
    title ? el("h2", null, title, note) : null, body);
  section.hidden = true;
  page.append(section);
  return {
    body,
    show(content, noteText) {
      section.hidden = content === null;
      if (content === null) return;
      fill(note, noteText ?? "");
      fill(body, content);
    },
    reveal(noteText) {
      section.hidden = false;
      fill(note, noteText ?? "");
    },
    hide() { section.hidden = true; },
  };
}

const ago = (at) => el("time", { class: "age", datetime: String(at), title: moment(at) }, age(at));
const chip = (kind, text) => el("span", { class: `chip ${kind}` }, text);
const quiet = (...content) => el("span", { class: "quiet" }, ...content);
const calm = (text) => el("p", { class: "calm" }, icon(OK, "good"), text);

/* --- environments --------------------------------------------------------------------------- */

function budgetBar(left) {
  if (typeof left !== "number") return null;
  const kind = left <= 0 ? "bad" : left < 0.25 ? "warn" : "good";
  const fillBar = el("i", { class: kind });
  fillBar.style.width = `${Math.max(0, Math.min(1, left)) * 100}%`;
  const text = left < 0 ? "error budget overdrawn" : `error budget ${share(left)}`;
  return el("span", { class: "budget", title: "1 % of a day's minutes may miss the target" },
    el("span", { class: "bar", "aria-hidden": "true" }, fillBar), quiet(text));
}

const hasLimit = (target) => typeof target.target === "number";

/** "query p95 (estimate)" to its name; that it is an estimate is said by a mark. */
const nameOf = (target) => String(target.label).replace(/ \(estimate\)$/, "");

function past(target, format) {
  const spans = [["1 h", target.hour], ["1 d", target.day]]
    .filter(([, value]) => typeof value === "number")
    .map(([name, value]) => el("span", null, `${name} ${format(value)}`));
  return spans.length ? el("span", { class: "quiet history" }, spans) : null;
}

function targetCell(target) {
  const format = byUnit[target.unit] ?? count;
  return el("div", { class: `target ${standing(target)}`, title: target.source },
    el("span", { class: "label" }, nameOf(target),
      target.is_estimate ? chip("estimate", "estimate") : null),
    el("span", { class: "now" }, el("b", null, format(target.now)),
      el("span", { class: "limit" }, `${target.is_low_bad ? "\u2265" : "\u2264"} ${format(target.target)}`)),
    past(target, format), budgetBar(target.budget_left));
}

/** What is measured without a target: in a line. */
function measureLine(targets) {
  const measured = targets.filter((target) => !hasLimit(target) && typeof target.now === "number");
  return measured.length === 0 ? null : el("p", { class: "measures" }, measured.map((target) => {
    const format = byUnit[target.unit] ?? count;
    return el("span", { title: target.source }, `${nameOf(target)} `, el("b", null, format(target.now)),
      past(target, format));
  }));
}

function databaseFaults(environment) {
  return environment.databases.filter((one) => one.was_asked && !one.is_reachable)
    .map((one) => el("p", { class: "fault" }, icon(BAD, "bad"), el("span", null,
      el("b", null, one.name), " cannot be reached for ", ago(one.since),
      one.error ? `: ${one.error}` : "")));
}

/** What a database that answers did not say, and why. */
function databaseGaps(environment) {
  return environment.databases.filter((one) => one.is_reachable).flatMap((one) =>
    Object.entries(one.not_measured ?? {}).map(([task, why]) =>
      el("p", { class: "fault" }, icon(BAD, "warn"), el("span", null,
        el("b", null, one.name), ` does not show ${task}: ${why}`))));
}

function environmentRow(environment) {
  const { databases } = environment;
  const away = databases.filter((one) => one.was_asked && !one.is_reachable).length;
  const isAsked = databases.some((one) => one.was_asked);
  const isMissed = environment.targets.some((target) => standing(target) === "bad");
  const state = away > 0 ? "bad" : !isAsked ? "unknown" : isMissed ? "warn" : "good";
  const sessions = databases.reduce((sum, one) => sum + (one.sessions ?? 0), 0);
  const what = away > 0 ? `${away} of ${databases.length} databases cannot be reached`
    : `${databases.length} database${databases.length === 1 ? "" : "s"}, ${count(sessions)} sessions`;
  return el("article", { class: "environment" },
    el("div", { class: "name" },
      icon({ good: OK, unknown: UNKNOWN }[state] ?? BAD, state),
      el("div", null, el("h3", null, environment.id
        ? el("a", { href: `#/environment/${environment.id}`, title: "its targets over the last day" },
          environment.environment) : environment.environment),
        quiet(environment.server, el("br"), away > 0 ? what : isAsked ? what : "asking …"))),
    el("div", null,
      el("div", { class: "targets" }, environment.targets.filter(hasLimit).map(targetCell)),
      measureLine(environment.targets)),
    databaseFaults(environment), databaseGaps(environment));
}

/** Folders on the same file system are one disk. */
function diskFacts(disks) {
  const known = disks.filter((one) => typeof one.free_bytes === "number");
  const devices = [...new Set(known.map((one) => one.device))];
  return devices.map((device) => {
    const [first, ...others] = known.filter((one) => one.device === device);
    return el("span", {
      class: first.free_bytes < LOW_DISK * first.size_bytes ? "bad" : "",
      title: [first, ...others].map((one) => `${one.name}: ${one.folder}`).join("\n"),
    }, `${[first, ...others].map((one) => one.name).join(", ")}: ${bytes(first.free_bytes)} of `,
    `${bytes(first.size_bytes)} free`);
  });
}

/** The machine that a server runs on, where it is watch's own. */
function hostLine(host) {
  if (!host) return null;
  const isShort = host.memory_available_bytes < LOW_MEMORY * host.memory_bytes;
  const facts = [
    typeof host.cpu === "number" && `CPU ${share(host.cpu)}`,
    host.iowait > 0.01 && `${share(host.iowait)} waiting for disks`,
    host.steal > 0.01 && el("span", { class: "bad" }, `${share(host.steal)} stolen`),
    typeof host.load === "number" && `load ${count(Math.round(host.load * 10) / 10)}`,
    typeof host.memory_bytes === "number" && el("span", { class: isShort ? "bad" : "" },
      `memory: ${bytes(host.memory_available_bytes)} of ${bytes(host.memory_bytes)} available`),
    ...diskFacts(host.disks),
  ].filter(Boolean);
  return el("span", { class: "host" }, facts.flatMap((fact, i) => (i ? [" \u00b7 ", fact] : [fact])));
}

function serverLine(server) {
  if (!server.is_reachable) return null;
  const facts = [
    server.version && `PostgreSQL ${server.version}`, server.is_in_recovery && "standby",
    typeof server.sessions === "number"
      && `${count(server.sessions)} of ${count(server.max_connections)} connections`,
    server.idle_in_transaction > 0 && `${count(server.idle_in_transaction)} idle in transaction`,
    server.oldest_transaction_s > OLD_S
      && `oldest transaction ${duration(server.oldest_transaction_s * 1000)}`,
    server.replay_lag_s > 1 && `replay ${duration(server.replay_lag_s * 1000)} behind`,
    server.xid_age > OLD_XIDS && `${count(server.xid_age)} transactions since the oldest freeze`,
  ].filter(Boolean);
  return el("li", null, el("b", null, server.server), ` ${facts.join(" \u00b7 ")}`,
    server.started_at ? [" \u00b7 up ", ago(server.started_at)] : null,
    hostLine(server.host));
}

function showEnvironments(place, overview) {
  if (!overview) {
    place.show(null);
    return;
  }
  const decks = [...new Set(overview.environments.map((one) => one.deck))];
  place.show(decks.map((deck) => [
    decks.length > 1 ? el("h3", { class: "deck" }, deck) : null,
    overview.environments.filter((one) => one.deck === deck).map(environmentRow),
    el("ul", { class: "servers" }, overview.servers.filter((one) => one.deck === deck).map(serverLine)),
  ]));
}

/* --- alerts --------------------------------------------------------------------------------- */

function alertItem(alert) {
  const where = [alert.environment, alert.database, alert.object].filter(Boolean).join(" · ")
    || alert.server;
  const fixAt = alert.fix_database || alert.database;
  const isSilent = typeof alert.silenced_until === "number";
  return el("li", { class: `alert ${isSilent ? "silent" : alert.level}` },
    chip(isSilent ? "" : alert.level, isSilent ? "silenced" : alert.level),
    el("div", null,
      el("p", null, el("b", null, alert.message)),
      el("p", { class: "quiet" }, `${alert.name}${where ? ` in ${where}` : ""}, since `, ago(alert.since),
        isSilent ? `; silenced by ${alert.silenced_by ?? "somebody"} until ${moment(alert.silenced_until)}`
          : ""),
      alert.fix_sql ? [el("p", { class: "mend" }, `Mend it${fixAt ? ` in ${fixAt}` : ""}:`),
        copyable(alert.fix_sql, "Copy the SQL")] : null));
}

/** What keeps alerts from being told. */
function alertFaults(alerts) {
  return [
    ...(alerts.problems ?? []).map((problem) => typeof problem === "string" ? problem
      : `${problem.deck}: ${problem.problem ?? problem.message ?? ""}`),
    ...(alerts.targets ?? []).filter((one) => one.is_failing).map((one) =>
      `${one.name} cannot be told${one.error ? `: ${one.error}` : ""}`),
  ].map((text) => el("p", { class: "fault" }, icon(BAD, "warn"), el("span", null, text)));
}

function showAlerts(place, alerts) {
  if (!alerts) {
    place.show(null);
    return;
  }
  const all = alerts.alerts ?? [];
  const open = all.filter((one) => typeof one.silenced_until !== "number").length;
  place.show([alertFaults(alerts),
    all.length ? el("ul", { class: "alerts" }, all.map(alertItem)) : calm("No alert is open.")],
  open ? `${open} open` : "");
}

/* --- load ----------------------------------------------------------------------------------- */

function colorOf(event, spare) {
  if (event === "other") return "--w-other";
  const kind = event.split(":")[0];
  const taken = LOAD_COLORS[kind];
  if (taken && !spare.used.has(taken)) {
    spare.used.add(taken);
    return taken;
  }
  const color = SPARE_COLORS[spare.next % SPARE_COLORS.length];
  spare.next += 1;
  return color;
}

/** How many steps to show: all since somebody looked, but no less than a sixth of them. */
function stepsShown(events) {
  const length = Math.max(0, ...events.map((one) => one.sessions.length));
  const first = Math.min(length, ...events.map((one) =>
    one.sessions.findIndex((value) => value !== null)).filter((i) => i >= 0));
  return Math.max(Math.ceil(length / 6), length - first);
}

function loadData(server, span) {
  const { step_s: step, until, events } = server[span];
  const length = stepsShown(events);
  const spare = { next: 0, used: new Set() };
  const lines = typeof server.cores === "number" && server.cores > 0
    ? [{ value: server.cores, label: `${server.cores} cores`, color: "--bad" }] : [];
  return {
    at: Array.from({ length }, (_, i) => until - (length - 1 - i) * step),
    series: events.map((one) => ({
      name: one.event, color: colorOf(one.event, spare), values: one.sessions.slice(-length),
    })).filter((one) => one.name === "CPU" || one.values.some((value) => value > 0)),
    lines,
  };
}

class LoadPanel {
  constructor(place) {
    this.place = place;
    this.charts = new Map();
    this.span = "hour";
    this.switch = el("p", { class: "switch" });
    this.list = el("div", { class: "loads" });
    fill(place.body, this.switch, this.list);
    for (const [span, text] of [["hour", "1 hour"], ["day", "1 day"]]) {
      const button = el("button", { type: "button", class: span === this.span ? "on" : "" }, text);
      button.addEventListener("click", () => {
        this.span = span;
        for (const other of this.switch.children) other.classList.toggle("on", other === button);
        this.show(this.load);
      });
      this.switch.append(button);
    }
  }

  chartOf(server) {
    const key = `${server.deck}\n${server.server}`;
    if (!this.charts.has(key)) {
      const place = el("div", { class: "chart" });
      this.list.append(el("div", null, el("h3", null, server.server), place));
      this.charts.set(key, new Chart(place, {
        height: 240, isStacked: true, format: (value) => count(Math.round(value * 100) / 100),
        label: `Sessions at work on ${server.server}, by what they wait for`,
      }));
    }
    return this.charts.get(key);
  }

  show(load) {
    this.load = load;
    const servers = (load?.servers ?? []).filter((one) => one[this.span]);
    if (servers.length === 0 || !canDraw()) {
      this.place.hide();
      return;
    }
    this.place.reveal("sessions at work, by what they wait for");
    this.list.classList.toggle("single", servers.length === 1);
    for (const server of servers) this.chartOf(server).update(loadData(server, this.span));
  }

  end() {
    this.charts.forEach((chart) => chart.end());
  }
}

/* --- queries -------------------------------------------------------------------------------- */

function shareBar(value) {
  const bar = el("i");
  bar.style.width = `${Math.min(1, value ?? 0) * 100}%`;
  return el("span", { class: "share" }, el("span", { class: "bar", "aria-hidden": "true" }, bar),
    share(value));
}

function queryRow(query, has) {
  const ratio = query.mean_ms_yesterday > 0 ? query.mean_ms / query.mean_ms_yesterday : null;
  const kind = ratio === null ? "" : ratio > 1.2 ? "bad" : ratio < 0.8 ? "good" : "";
  return el("tr", null,
    el("td", { class: "text" },
      el("a", { href: `#/query/${query.id}`, title: oneLine(query.query).slice(0, 600) },
        el("code", null, oneLine(query.query).slice(0, 300))),
      quiet(`${query.database}${query.role ? ` · ${query.role}` : ""}`)),
    el("td", { class: "bar-cell" }, shareBar(query.share)),
    el("td", { class: "number wide" }, count(query.calls)),
    el("td", { class: "number" }, duration(query.mean_ms)),
    has.p95 ? el("td", { class: "number wide" }, query.p95_is_estimate ? "≈ " : "",
      duration(query.p95_ms)) : null,
    has.yesterday ? el("td", { class: `number wide ${kind}` }, change(ratio)) : null);
}

const QUERY_HEADS = [["Query"], ["Load", "of", "share of the time of all statements"],
  ["Calls", "number wide"], ["Mean", "number"]];
const P95_HEAD = ["p95", "number wide", "≈: an estimate"];
const YESTERDAY_HEAD = ["vs yesterday", "number wide",
  "mean time of a call, against the same time yesterday"];

/** Many statements as one. */
function sumRow(name, sum, has) {
  return el("tr", { class: "other" },
    el("td", null, quiet(name)),
    el("td", { class: "bar-cell" }, shareBar(sum.share)),
    el("td", { class: "number wide" }, count(sum.calls)),
    el("td", { class: "number" }), has.p95 ? el("td", { class: "wide" }) : null,
    has.yesterday ? el("td", { class: "wide" }) : null);
}

/** Those that are not shown, as one. */
function rest(server, hidden) {
  const { statements = 0, calls = 0, share: part = 0 } = server.other ?? {};
  const sum = (name) => hidden.reduce((total, query) => total + (query[name] ?? 0), 0);
  return { statements: statements + hidden.length, calls: calls + sum("calls"),
    share: part + sum("share") };
}

function queryTable(server, shown) {
  const has = {
    p95: server.queries.some((query) => typeof query.p95_ms === "number"),
    yesterday: server.queries.some((query) => typeof query.mean_ms_yesterday === "number"),
  };
  const other = rest(server, server.queries.slice(shown));
  return table("queries",
    [...QUERY_HEADS, ...(has.p95 ? [P95_HEAD] : []), ...(has.yesterday ? [YESTERDAY_HEAD] : [])], [
      ...server.queries.slice(0, shown).map((query) => queryRow(query, has)),
      ...(server.own?.calls > 0 ? [sumRow("pgdeck itself", server.own, has)] : []),
      ...(other.statements > 0
        ? [sumRow(`${count(other.statements)} other statements`, other, has)] : [])]);
}

const hasQueries = (server) => server.queries?.length > 0 || server.own?.calls > 0;

class QueriesPanel {
  constructor(place) {
    this.place = place;
    this.shown = QUERIES_SHOWN;
    this.more = el("button", { type: "button" }, "show all");
    this.more.addEventListener("click", () => {
      this.shown = this.shown === QUERIES_SHOWN ? Infinity : QUERIES_SHOWN;
      this.more.textContent = this.shown === QUERIES_SHOWN ? "show all" : "show the first";
      this.show(this.queries);
    });
  }

  show(queries) {
    this.queries = queries;
    const servers = queries?.servers?.filter((one) => hasQueries(one) || one.problem) ?? [];
    const hasMore = servers.some((one) => one.queries?.length > QUERIES_SHOWN);
    this.place.show(servers.length === 0 ? null : [servers.map((server) => [
      servers.length > 1 ? el("h3", null, server.server) : null,
      server.problem ? el("p", { class: "fault" }, icon(BAD, "warn"), server.problem) : null,
      hasQueries(server) ? queryTable(server, this.shown) : null,
    ]), hasMore ? el("p", { class: "more" }, this.more) : null],
    servers[0]?.window_s ? `last ${duration(servers[0].window_s * 1000)}` : "");
  }
}

/* --- who waits for whom --------------------------------------------------------------------- */

function blockingNodes(session, sessions, seen) {
  const waiting = sessions.filter((one) => one.blockers.includes(session.pid) && !seen.has(one.pid));
  waiting.forEach((one) => seen.add(one.pid));
  const isRoot = session.blockers.length === 0;
  const who = [session.role, session.application, session.database].filter(Boolean).join(" · ");
  return el("li", null,
    el("p", null, el("b", null, session.pid === 0 ? "prepared transaction" : String(session.pid)),
      ` ${who}`,
      isRoot ? chip("critical", "in the way")
        : chip("warning", `waits ${duration(session.waiting_s * 1000)}`)),
    el("p", { class: "quiet" }, isRoot
      ? `${session.state ?? ""}, in a transaction for ${duration(session.transaction_s * 1000)}`
      : `for ${session.waits_for ?? "a lock"}${session.lock_type ? ` (${session.lock_type})` : ""}`),
    session.query ? el("code", null, oneLine(session.query).slice(0, 200)) : null,
    isRoot && session.fix_sql ? copyable(session.fix_sql, "Copy the SQL") : null,
    waiting.length ? el("ul", null, waiting.map((one) => blockingNodes(one, sessions, seen))) : null);
}

function showBlocking(place, blocking) {
  if (!blocking) {
    place.show(null);
    return;
  }
  const trees = blocking.servers.filter((one) => one.sessions?.length).map((server) => {
    const seen = new Set();
    const roots = server.sessions.filter((one) => one.blockers.length === 0);
    roots.forEach((one) => seen.add(one.pid));
    const top = roots.length ? roots : server.sessions.slice(0, 1); // a circle: a deadlock
    return el("ul", { class: "tree" }, top.map((one) => blockingNodes(one, server.sessions, seen)));
  });
  const waiting = blocking.servers.flatMap((one) => one.sessions ?? [])
    .filter((one) => one.blockers.length > 0).length;
  place.show(trees.length ? trees : calm("Nobody waits for a lock."),
    waiting ? `${count(waiting)} wait` : "");
}

/* --- pools, partitions, drift --------------------------------------------------------------- */

function poolRow(pool) {
  const isFull = pool.waiting > 0;
  return el("tr", null,
    el("td", null, pool.service, quiet(` ${pool.environment}`)),
    el("td", { class: "number" }, `${count(pool.servers - pool.idle)} / ${count(pool.servers)}`),
    el("td", { class: "number" }, count(pool.clients)),
    el("td", { class: `number ${isFull ? "bad" : ""}` }, count(pool.waiting)),
    el("td", { class: "number" }, duration(pool.p95_ms)));
}

function showPools(place, pools) {
  const sources = pools?.sources?.filter((one) => one.pools?.length || one.error) ?? [];
  place.show(sources.length === 0 ? null : sources.map((source) => [
    source.error ? el("p", { class: "fault" }, icon(BAD, "bad"), source.error) : null,
    source.pools?.length ? table("pools", [["Service"], ["Busy", "number", "servers at work of those open"],
      ["Clients", "number"], ["Waiting", "number"], ["p95", "number"]],
      source.pools.map(poolRow)) : null,
  ]));
}

/** [{one: the first of those that have the same key, databases: of all of them}] */
function alike(items, keyOf) {
  const groups = new Map();
  for (const one of items) {
    const key = keyOf(one);
    if (!groups.has(key)) groups.set(key, { one, databases: [] });
    if (one.database) groups.get(key).databases.push(one.database);
  }
  return [...groups.values()];
}

const inDatabases = (databases) =>
  (databases.length > 2 ? `in ${databases.length} databases` : databases.join(", "));

/** "events_y2027m02 on 2026-12-01" as {name, day}. */
function nextPart(one) {
  const [, name, day] = /^(.*) on (\d{4}-\d\d-\d\d.*)$/.exec(one.next_due ?? "") ?? [];
  return { name, day: day ?? one.next_due };
}

function partitionRow({ one, databases }) {
  const { name, day } = nextPart(one);
  return el("tr", null,
    el("td", null, el("b", null, breakable(one.table)), quiet(inDatabases(databases))),
    el("td", { class: one.problem ? "bad" : "" }, one.problem || day,
      one.problem || !name ? null : quiet(breakable(name))));
}

function showPartitions(place, partitions) {
  const all = (partitions?.tables ?? []).filter((one) => one.problem || one.next_due);
  if (all.length === 0) {
    place.show(null);
    return;
  }
  const order = (one) => (one.problem ? "" : String(nextPart(one).day));
  const groups = alike(all, (one) => `${one.table}\n${one.next_due}\n${one.problem}`)
    .sort((a, b) => (order(a.one) < order(b.one) ? -1 : 1));
  const first = groups.slice(0, PARTITIONS_SHOWN);
  place.show([table("partitions", [["Table"], ["Next partition due"]], first.map(partitionRow)),
    groups.length > first.length
      ? el("p", { class: "quiet more" }, `and ${groups.length - first.length} more`) : null],
  `${all.length} tables`);
}

function driftOf(one, isOnly) {
  const changes = alike(one.changes ?? [], (item) => `${item.what}\n${item.why}`);
  const shown = changes.slice(0, CHANGES_SHOWN);
  const hidden = (one.count ?? 0) - shown.reduce((sum, { databases }) =>
    sum + Math.max(1, databases.length), 0);
  return [
    isOnly ? null : el("h3", null, one.deck),
    one.error ? el("p", { class: "fault" }, icon(BAD, "warn"), el("span", null, one.error)) : null,
    changes.length ? [
      el("ul", { class: "changes" }, shown.map(({ one: item, databases }) => el("li", null,
        el("b", null, item.what),
        quiet([inDatabases(databases), item.why].filter(Boolean).join(" \u00b7 "))))),
      el("p", { class: "quiet more" }, hidden > 0 ? `and ${hidden} more; ` : "",
        "pgdeck plan shows the SQL, pgdeck apply runs it.")]
      : one.error ? null : calm("The servers are as the deck wants them."),
  ];
}

function showDrift(place, drift) {
  const decks = drift?.decks ?? [];
  if (decks.length === 0) place.show(null);
  else place.show(decks.map((one) => driftOf(one, decks.length === 1)),
    decks[0].at ? ["looked at ", ago(decks[0].at), " ago"] : "");
}

/* --- forecasts ------------------------------------------------------------------------------ */

/** What of each kind a day is measured in. */
const amount = (one, value) => (one.kind === "disk" ? bytes(value) : count(value));
const forecastName = (one) => (one.kind === "disk" ? `disk of ${one.name}`
  : one.kind === "sequence" ? one.name : one.kind);

function forecastRow(one) {
  const left = (one.runs_out_at - Date.now() / 1000) / DAY_S;
  const kind = left < CRITICAL_DAYS ? "bad" : left < WARNING_DAYS ? "warn" : "";
  return el("tr", null,
    el("td", null, el("b", null, forecastName(one)), quiet(one.database ?? one.server)),
    el("td", { class: kind, title: moment(one.runs_out_at) }, moment(one.runs_out_at).slice(0, 10),
      quiet(`in ${duration(Math.max(0, left) * DAY_S * 1000)}`)),
    el("td", { class: "number", title: `${one.samples} samples of ${duration(one.history_s * 1000)}` },
      amount(one, one.room), quiet(`${amount(one, one.a_day)} a day`)));
}

/** The first names; transaction ids are of each database, so they are counted. */
function namesOf(forecasts) {
  const ids = forecasts.filter((one) => one.kind === "transaction ids");
  const names = forecasts.filter((one) => one.kind !== "transaction ids").map(forecastName);
  const more = names.length - FORECASTS_SHOWN;
  return [...names.slice(0, FORECASTS_SHOWN), more > 0 ? `${count(more)} more` : null,
    ids.length > 1 ? `transaction ids of ${count(ids.length)} databases` : ids.length ? forecastName(ids[0]) : null]
    .filter(Boolean).join(", ");
}

/** Those of which no day can be said, and why. */
function forecastRest(forecasts) {
  const young = forecasts.filter((one) => one.outlook === "too little history");
  const unsteady = forecasts.filter((one) => one.outlook === "no steady trend");
  const far = forecasts.filter((one) => typeof one.not_before === "number");
  const nearest = Math.min(...far.map((one) => one.not_before));
  return [
    far.length ? `${count(far.length)} more not before ${moment(nearest).slice(0, 10)}` : null,
    unsteady.length ? `without a steady trend: ${namesOf(unsteady)}` : null,
    young.length ? `too little history yet: ${namesOf(young)}` : null,
  ].filter(Boolean).map((text) => el("p", { class: "quiet more" }, text));
}

function showForecasts(place, forecasts) {
  const all = forecasts?.forecasts ?? [];
  const known = all.filter((one) => typeof one.runs_out_at === "number")
    .sort((a, b) => a.runs_out_at - b.runs_out_at);
  const rest = forecastRest(all);
  place.show(known.length + rest.length === 0 ? null : [
    known.length ? table("forecasts", [["What"], ["Used up on"], ["Left", "number"]],
      known.slice(0, FORECASTS_SHOWN).map(forecastRow)) : calm("Nothing runs out soon at this rate."),
    rest], "at the rate of their history");
}

/* --- health --------------------------------------------------------------------------------- */

function healthItem(finding) {
  const where = [finding.server, finding.database].filter(Boolean).join(" \u00b7 ");
  return el("li", { class: `alert ${finding.severity}` }, chip(finding.severity, finding.severity),
    el("div", null, el("p", null, el("b", null, finding.finding)),
      el("p", { class: "quiet" }, [`${finding.check}${where ? ` in ${where}` : ""}`, finding.evidence]
        .filter(Boolean).join(": ")),
      finding.fix_sql ? [el("p", { class: "mend" },
        `Mend it${finding.fix_database ? ` in ${finding.fix_database}` : ""}:`),
      copyable(finding.fix_sql, "Copy the SQL")] : null));
}

function showHealth(place, health) {
  const decks = health?.decks ?? [];
  const findings = decks.flatMap((one) => one.findings ?? []);
  const errors = decks.filter((one) => one.error);
  const all = decks.reduce((sum, one) => sum + (one.count ?? 0), 0);
  if (decks.length === 0) {
    place.show(null);
    return;
  }
  place.show([
    errors.map((one) => el("p", { class: "fault" }, icon(BAD, "warn"), el("span", null, one.error))),
    findings.length ? el("ul", { class: "alerts" }, findings.slice(0, FINDINGS_SHOWN).map(healthItem))
      : errors.length ? null : calm("Nothing was found."),
    all > FINDINGS_SHOWN ? el("p", { class: "quiet more" },
      `and ${count(all - FINDINGS_SHOWN)} more: pgdeck health`) : null,
  ], decks[0].at ? ["looked at ", ago(decks[0].at), " ago"] : "");
}

/* --- errors in the log ------------------------------------------------------------------------ */

function errorRow(error) {
  return el("tr", null, el("td", null, error.sqlstate),
    el("td", { class: "number" }, count(error.hour)),
    el("td", { title: error.message }, oneLine(error.message).slice(0, MESSAGE_SHOWN),
      error.database ? quiet(` in ${error.database}, `) : " ", quiet(ago(error.last_at), " ago")));
}

/** Of the last hour, the most frequent first; not there where nothing went wrong. */
function showLog(place, log) {
  const servers = (log?.servers ?? []).map((one) => ({ server: one.server,
    errors: one.errors.filter((error) => error.hour > 0).sort((a, b) => b.hour - a.hour) }))
    .filter((one) => one.errors.length);
  place.show(servers.length === 0 ? null : servers.map((one) => [
    log.servers.length > 1 ? el("h3", null, one.server) : null,
    table("log-errors", [["SQLSTATE"], ["Last hour", "number"], ["Last one"]],
      one.errors.slice(0, ERRORS_SHOWN).map(errorRow)),
    one.errors.length > ERRORS_SHOWN
      ? el("p", { class: "quiet more" }, `and ${one.errors.length - ERRORS_SHOWN} more`) : null,
  ]));
}

/* --- the page ------------------------------------------------------------------------------- */

/** Shows it in page; returns what ends it. */
export function showFirstPage(page) {
  page.className = "first";
  const environments = panel(page, "environments", null);
  const alerts = panel(page, "alerts-panel", "Alerts");
  const load = panel(page, "load", "Load");
  const middle = el("div", { class: "middle" });
  page.append(middle);
  const queries = panel(middle, "queries-panel", "Top queries");
  const health = panel(middle, "health", "Health");
  const side = el("div", { class: "side" });
  page.append(side);
  const blocking = panel(side, "blocking", "Waiting for locks");
  const pools = panel(side, "pools-panel", "Pools");
  const forecasts = panel(side, "forecasts-panel", "What runs out");
  const partitions = panel(side, "partitions-panel", "Partitions");
  const log = panel(side, "log-panel", "Errors in the log");
  const drift = panel(side, "drift", "Drift from the deck");
  const loadPanel = new LoadPanel(load);
  const queriesPanel = new QueriesPanel(queries);
  const ends = [
    follow("overview", FAST_MS, (document) => showEnvironments(environments, document)),
    follow("alerts", FAST_MS, (document) => showAlerts(alerts, document)),
    follow("load", FAST_MS, (document) => loadPanel.show(document)),
    follow("queries", SLOW_MS, (document) => queriesPanel.show(document)),
    follow("blocking", FAST_MS, (document) => showBlocking(blocking, document)),
    follow("pools", SLOW_MS, (document) => showPools(pools, document)),
    follow("forecasts", SLOW_MS, (document) => showForecasts(forecasts, document)),
    follow("partitions", SLOW_MS, (document) => showPartitions(partitions, document)),
    follow("health", SLOW_MS, (document) => showHealth(health, document)),
    follow("log", SLOW_MS, (document) => showLog(log, document)),
    follow("drift", SLOW_MS, (document) => showDrift(drift, document)),
  ];
  return () => {
    ends.forEach((end) => end());
    loadPanel.end();
  };
}
