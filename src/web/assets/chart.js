// SPDX-License-Identifier: MIT
// Charts over time by uPlot, with what it lacks: areas on top of each other, lines for targets
// with their names, and a legend whose names are text. uPlot's own would take them for markup.
import { el } from "./dom.js";
import { clock } from "./format.js";

const FONT = "11px system-ui, sans-serif";
const TIME_STEPS = [60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400];
const LINE_ROOM = 1.15; // a target line is not at the very top

const dark = matchMedia("(prefers-color-scheme: dark)");
const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/** Sums from the first series up; a stacked chart draws the last, highest one first. */
function pile(rows) {
  const sums = [];
  rows.forEach((row, i) => {
    sums.push(row.map((value, at) => (value ?? 0) + (i === 0 ? 0 : sums[i - 1][at])));
  });
  return sums;
}

function drawLines(plot, lines) {
  const { ctx, bbox } = plot;
  const ratio = devicePixelRatio;
  ctx.save();
  ctx.font = FONT.replace("11px", `${11 * ratio}px`);
  ctx.textAlign = "right";
  ctx.textBaseline = "alphabetic"; // the axes leave another one
  for (const line of lines) {
    const y = Math.round(plot.valToPos(line.value, "y", true));
    if (y < bbox.top || y > bbox.top + bbox.height) continue;
    ctx.strokeStyle = css(line.color ?? "--warn");
    ctx.lineWidth = 1.5 * ratio;
    ctx.setLineDash([5 * ratio, 4 * ratio]);
    ctx.beginPath();
    ctx.moveTo(bbox.left, y);
    ctx.lineTo(bbox.left + bbox.width, y);
    ctx.stroke();
    ctx.fillStyle = css(line.color ?? "--warn");
    const isLow = y - bbox.top < 16 * ratio;
    ctx.fillText(line.label, bbox.left + bbox.width - 4 * ratio, y + (isLow ? 13 : -5) * ratio);
  }
  ctx.restore();
}

/** Whole powers of ten around low and high. */
function decades(low, high) {
  const bottom = Math.floor(Math.log10(low > 0 ? low : 0.1));
  return [10 ** bottom, 10 ** Math.max(bottom + 1, Math.ceil(Math.log10(high > 0 ? high : 1)))];
}

const onlyDecades = (_plot, marks) =>
  marks.map((value) => (Number.isInteger(Math.round(Math.log10(value) * 1e6) / 1e6) ? value : null));

export class Chart {
  /** place: an empty element. options: {height, isStacked, isLog, format(value), label} */
  constructor(place, options) {
    this.options = options;
    this.canvas = el("div", { class: "canvas", role: "img", "aria-label": options.label });
    this.legend = el("ul", { class: "legend" });
    place.replaceChildren(this.canvas, this.legend);
    this.ended = new AbortController();
    dark.addEventListener("change", () => this.draw(), { signal: this.ended.signal });
    this.observer = new ResizeObserver(() => this.resize());
    this.observer.observe(this.canvas);
  }

  /** data: {at: [seconds], series: [{name, color: "--w-io", values}], lines: [{value, label}]} */
  update(data) {
    const shape = JSON.stringify([data.series.map((one) => [one.name, one.color]), data.lines]);
    this.data = data;
    if (this.plot && shape === this.shape) {
      this.plot.setData(this.rows());
      this.showValues(null);
    } else {
      this.shape = shape;
      this.draw();
    }
  }

  rows() {
    const { at, series } = this.data;
    // What is nothing has no place on a scale of powers of ten.
    const values = series.map((one) => (this.options.isLog
      ? one.values.map((value) => (value > 0 ? value : null)) : one.values));
    return [at, ...(this.options.isStacked ? pile(values).reverse() : values)];
  }

  /** Our series in uPlot's order. */
  ordered() {
    return this.options.isStacked ? [...this.data.series].reverse() : this.data.series;
  }

  draw() {
    if (!this.data) return;
    this.plot?.destroy();
    this.plot = new globalThis.uPlot(this.plotOptions(), this.rows(), this.canvas);
    this.items = this.data.series.map((one) => {
      const mark = el("i", { "aria-hidden": "true" });
      mark.style.background = css(one.color);
      const value = el("b", null);
      return { value, item: el("li", null, mark, one.name, value) };
    });
    this.legend.replaceChildren(...this.items.map(({ item }) => item));
    this.showValues(null);
  }

  plotOptions() {
    const axis = {
      stroke: css("--quiet"), font: FONT, ticks: { show: false },
      grid: { stroke: css("--grid"), width: 1 },
    };
    const { lines = [] } = this.data;
    const highest = Math.max(0, ...lines.map((line) => line.value * LINE_ROOM));
    return {
      width: this.width(), height: this.options.height,
      legend: { show: false },
      cursor: { y: false, points: { show: false }, drag: { x: false, y: false } },
      scales: {
        y: this.options.isLog
          ? { distr: 3, range: (_plot, low, high) => decades(low, Math.max(high ?? 0, highest)) }
          : { range: (_plot, _low, high) => [0, Math.max(high ?? 0, highest, 1e-9) * 1.04] },
      },
      axes: [
        { ...axis, size: 26, incrs: TIME_STEPS, values: (_plot, marks) => marks.map((at) => clock(at).slice(0, 5)) },
        { ...axis, size: 56,
          grid: this.options.isLog ? { ...axis.grid, filter: onlyDecades } : axis.grid,
          values: (_plot, marks) =>
          marks.map((value) => (value === null ? null : this.options.format(value))) },
      ],
      series: [{}, ...this.ordered().map((one) => ({
        label: "", width: this.options.isStacked ? 0 : 2, stroke: css(one.color),
        fill: this.options.isStacked ? css(one.color) : undefined, points: { show: false },
      }))],
      hooks: {
        draw: [(plot) => drawLines(plot, lines)],
        setCursor: [(plot) => this.showValues(plot.cursor.idx)],
      },
    };
  }

  /** In the legend: the values under the pointer, else the last ones. */
  showValues(index) {
    this.items?.forEach(({ value }, i) => {
      const { values } = this.data.series[i];
      const shown = values[index ?? values.length - 1];
      value.textContent = shown === null || shown === undefined ? "" : this.options.format(shown);
    });
  }

  width() {
    return Math.max(200, Math.floor(this.canvas.clientWidth));
  }

  resize() {
    if (this.plot && this.plot.width !== this.width())
      this.plot.setSize({ width: this.width(), height: this.options.height });
  }

  end() {
    this.ended.abort();
    this.observer.disconnect();
    this.plot?.destroy();
  }
}

/** Whether the browser could load uPlot. */
export const canDraw = () => typeof globalThis.uPlot === "function";
