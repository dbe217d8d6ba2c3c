// Trends of the vitals: small charts under one time cursor, fed by the API and carried on by the stream.
// @ts-check
import uPlot from "../vendor/uplot/uPlot.esm.js";
import { drawBands, drawNow, extent, token } from "./bands.js";
import { ageText, clockText, h, percent, prettyUnit, setText } from "./format.js";

const POINTS = 700;
const GAP_STEPS = 4; // a hole of more than this many usual steps breaks the line
const RELOAD_MS = 60_000;
const TABLE_ROWS = 24;

/** @typedef {{title: string, concepts: string[], min?: number, max?: number, hues: string[]}} Chart */
/** Colours by hue name, from the tokens; never an alarm's. @type {Chart[]} */
const CHARTS = [
  { title: "Heart rate", concepts: ["heart_rate"], hues: ["--accent"] },
  { title: "Blood pressure", concepts: ["systolic_pressure", "mean_pressure", "diastolic_pressure"], hues: ["--accent", "--quiet", "--accent"] },
  { title: "SpO₂", concepts: ["oxygen_saturation"], hues: ["--accent"], max: 100 },
  { title: "Respiratory rate", concepts: ["respiratory_rate"], hues: ["--accent"] },
  { title: "Temperature", concepts: ["body_temperature"], hues: ["--accent"] },
];
const RISK = { title: "Sepsis risk, as issued", concepts: ["risk"], hues: ["--risk"], min: 0 };

const AHEAD_H_MAX = 6;

export class Trends {
  /** @param {HTMLElement} root @param {{patient: string, zone: string, columns: Map<string, any>, fixedUs: number, basis: string, hours: number, now: () => number}} options */
  constructor(root, options) {
    this.root = root;
    this.options = options;
    this.hours = options.hours;
    /** @type {Map<string, {at: number[], value: number[], low: number | null, high: number | null, samples: number}>} */
    this.series = new Map();
    /** @type {{chart: Chart, plot: any, figure: HTMLElement}[]} */
    this.drawn = [];
    /** The forecast shown, by concept: seconds, and quantiles in five rows. @type {Map<string, {at: number[], bands: number[][]}>} */
    this.ahead = new Map();
    this.wanted = true;
    this.button = document.getElementById("forecast");
    this.button?.addEventListener("click", () => { this.wanted = !this.wanted; this.load(); });
    this.sync = uPlot.sync("trends");
    document.addEventListener("themechange", () => this.draw());
    new ResizeObserver(() => this.resize()).observe(root);
    if (!options.fixedUs) setInterval(() => this.load(), RELOAD_MS);
  }

  endUs() { return this.options.fixedUs || this.options.now(); }

  async load() {
    const end = this.endUs();
    if (!end) return;
    const start = end - this.hours * 3600e6;
    const iso = (/** @type {number} */ us) => new Date(us / 1000).toISOString();
    const span = `start=${iso(start)}&end=${iso(end + 1000)}`;
    const names = CHARTS.flatMap((chart) => chart.concepts).map((name) => `concept=${name}`).join("&");
    const base = `/api/v1/patients/${encodeURIComponent(this.options.patient)}`;
    const known = this.options.fixedUs && this.options.basis === "as_known" ? `&known_by=${iso(this.options.fixedUs)}` : "";
    try {
      const [values, risks] = await Promise.all([
        fetch(`${base}/observations?${names}&${span}${known}&points=${POINTS}`).then((answer) => answer.json()),
        fetch(`${base}/risk?${span}`).then((answer) => answer.json()),
      ]);
      for (const one of values.series) {
        this.series.set(one.concept, { at: one.at_us.map((/** @type {number} */ us) => us / 1e6), value: one.value, low: one.low, high: one.high, samples: one.samples });
      }
      await this.loadAhead(base);
      this.series.set("risk", { at: risks.risks.map((/** @type {any} */ r) => r.at_us / 1e6), value: risks.risks.map((/** @type {any} */ r) => r.probability), low: null, high: null, samples: risks.risks.length });
    } catch {
      return; // the banner says that the ward cannot be reached; what is drawn stays, with its own time axis
    }
    this.draw();
  }

  /** What the body expects to come, where there is one. @param {string} base */
  async loadAhead(base) {
    if (!this.button) return;
    const answer = await fetch(`${base}/forecast?hours=${this.aheadHours()}`).then((one) => (one.ok ? one.json() : null));
    const outputs = answer?.forecast.outputs ?? [];
    const at = (answer?.forecast.times_us ?? []).map((/** @type {number} */ us) => us / 1e6);
    this.ahead = new Map(this.wanted ? outputs.map((/** @type {any} */ one) => [one.concept, { at, bands: one.bands }]) : []);
    this.button.hidden = !outputs.length;
    this.button.setAttribute("aria-pressed", String(this.wanted));
    setText(this.button, `Forecast ${this.aheadHours()} h`);
  }

  aheadHours() { return Math.min(this.hours, AHEAD_H_MAX); }

  /** New values as they come in the patient's row. @param {Record<string, any>} vitals */
  push(vitals) {
    if (this.options.fixedUs) return;
    for (const [concept, cell] of Object.entries(vitals)) {
      const one = this.series.get(concept);
      const at = (cell?.at_us ?? 0) / 1e6;
      if (!one || cell?.value == null || at < (one.at.at(-1) ?? 0)) continue;
      if (at === one.at.at(-1)) { one.value[one.value.length - 1] = cell.value; continue; }
      one.at.push(at);
      one.value.push(cell.value);
      one.samples++;
      const oldest = this.endUs() / 1e6 - this.hours * 3600;
      while (one.at.length && one.at[0] < oldest) { one.at.shift(); one.value.shift(); }
    }
    this.stale = true;
  }

  /** Once a second or less: charts that got values are drawn again. */
  refresh() {
    if (!this.stale) return;
    this.stale = false;
    for (const { chart, plot, figure } of this.drawn) {
      plot.setData(this.columns(chart), false);
      plot.setScale("x", this.range());
      this.describe(chart, figure);
    }
  }

  range() {
    const now = this.endUs() / 1e6;
    return { min: now - this.hours * 3600, max: this.ahead.size ? now + this.aheadHours() * 3600 : now };
  }

  /** Columns on one time axis, with holes where nothing was measured for long. @param {Chart} chart */
  columns(chart) {
    const tables = chart.concepts.map((name) => {
      const one = this.series.get(name) ?? { at: [], value: [] };
      return [one.at, one.value];
    });
    if (tables.length === 1) {
      const [at, value] = tables[0];
      return withGaps(at, value);
    }
    return uPlot.join(tables.map(([at, value]) => withGaps(at, value)), tables.map(() => [1, 2]));
  }

  draw() {
    for (const { plot } of this.drawn) plot.destroy();
    this.root.replaceChildren();
    this.drawn = [...CHARTS, RISK].map((chart) => this.drawOne(chart));
  }

  /** @param {Chart} chart */
  drawOne(chart) {
    const unit = chart === RISK ? "%" : prettyUnit(this.options.columns.get(chart.concepts[0])?.unit ?? "");
    const keys = chart.concepts.length > 1 ? h("span", { class: "key" }, "systolic, mean, diastolic") : null;
    const reading = h("span", { class: "reading" });
    const holder = h("div", { class: "plot" });
    const summary = h("span", { class: "quiet summary" });
    const expected = chart.concepts.some((name) => this.ahead.has(name)) ? h("span", { class: "key fan" }, this.expected(chart)) : null;
    const table = h("details", {}, h("summary", {}, "as a table"));
    table.addEventListener("toggle", () => { if (/** @type {HTMLDetailsElement} */ (table).open) this.fillTable(chart, table); });
    const figure = h("figure", { class: "chart" },
      h("figcaption", {}, h("b", {}, chart.title), h("span", { class: "quiet" }, unit), keys, summary, expected, reading), holder, table);
    this.root.append(figure);
    const plot = new uPlot(this.settings(chart, reading), this.columns(chart), holder);
    plot.setScale("x", this.range());
    this.describe(chart, figure);
    return { chart, plot, figure };
  }

  /** @param {Chart} chart @param {HTMLElement} reading */
  settings(chart, reading) {
    const grid = { stroke: token("--line"), width: 1 };
    const axis = { stroke: token("--quiet"), grid, ticks: { show: false }, font: "11px sans-serif" };
    const risk = chart === RISK;
    const first = this.series.get(chart.concepts[0]);
    return {
      width: this.root.clientWidth || 600,
      height: 104,
      legend: { show: false },
      padding: [6, 14, 0, 0],
      cursor: { sync: { key: this.sync.key }, y: false, points: { size: 6 }, drag: { x: false, y: false } },
      scales: { x: { time: true }, y: { range: (/** @type {any} */ _u, /** @type {number} */ low, /** @type {number} */ high) => limits(chart, ...this.stretch(chart, low, high)) } },
      tzDate: (/** @type {number} */ s) => uPlot.tzDate(new Date(s * 1e3), this.options.zone),
      axes: [
        { ...axis, size: 22, space: 70, values: (/** @type {any} */ _u, /** @type {number[]} */ ticks) => ticks.map((s) => clockText(s * 1e6, this.options.zone)) },
        { ...axis, size: 44, space: 24, values: (/** @type {any} */ _u, /** @type {number[]} */ ticks) => ticks.map((v) => (risk ? String(Number((100 * v).toFixed(1))) : String(Number(v.toFixed(2))))),
          ...(risk ? { splits: (/** @type {any} */ _u, /** @type {number} */ _axis, /** @type {number} */ low, /** @type {number} */ high) => [low, (low + high) / 2, high] } : {}) },
      ],
      series: [{}, ...chart.concepts.map((name, index) => ({
        label: name, stroke: token(chart.hues[index]), width: index === 1 ? 1 : 1.6, spanGaps: false, points: { show: false },
        ...(chart.concepts.length > 1 && index === 1 ? { dash: [4, 3] } : {}),
      }))],
      hooks: {
        drawClear: [(/** @type {any} */ u) => {
          if (first && !risk) band(u, first.low, first.high);
          for (const [index, name] of chart.concepts.entries()) {
            const one = this.ahead.get(name);
            if (one) drawBands(u, one.at, one.bands, token(chart.hues[index]));
          }
          if (this.ahead.size) drawNow(u, this.endUs() / 1e6, "now");
        }],
        setCursor: [(/** @type {any} */ u) => setText(reading, this.reading(u, chart))],
      },
    };
  }

  /** The range of what was measured and of what is forecast. @param {Chart} chart @param {number | null} low @param {number | null} high @returns {[number | null, number | null]} */
  stretch(chart, low, high) {
    for (const name of chart.concepts) {
      const one = this.ahead.get(name);
      if (!one) continue;
      const [least, most] = extent(one.bands);
      low = Math.min(low ?? least, least);
      high = Math.max(high ?? most, most);
    }
    return [low, high];
  }

  /** The forecast in words, of what the chart is called after. @param {Chart} chart */
  expected(chart) {
    const name = chart.concepts.find((one) => this.ahead.has(one)) ?? "";
    const decimals = this.options.columns.get(name)?.decimals ?? 1;
    const [low, , middle, , high] = (this.ahead.get(name)?.bands ?? []).map((row) => Number(row.at(-1)).toFixed(decimals));
    return `simulated forecast, in ${this.aheadHours()} h ${middle} (90 %: ${low} to ${high})`;
  }

  /** What stands under the cursor. @param {any} u @param {Chart} chart */
  reading(u, chart) {
    const at = u.cursor.idx;
    if (at == null || u.data[0][at] == null) return "";
    const values = chart.concepts.map((name, index) => {
      const value = u.data[index + 1][at];
      if (value == null) return "--";
      return chart === RISK ? percent(value) : value.toFixed(this.options.columns.get(name)?.decimals ?? 1);
    });
    return `${clockText(u.data[0][at] * 1e6, this.options.zone, { seconds: true })}  ${values.join(" / ")}`;
  }

  /** The chart in words. @param {Chart} chart @param {HTMLElement} figure */
  describe(chart, figure) {
    const summary = /** @type {HTMLElement} */ (figure.querySelector(".summary"));
    const one = this.series.get(chart.concepts[0]);
    if (!one || !one.value.length) { setText(summary, "nothing in this time"); return; }
    const show = (/** @type {number} */ v) => (chart === RISK ? percent(v) : v.toFixed(this.options.columns.get(chart.concepts[0])?.decimals ?? 1));
    const low = one.value.reduce((a, b) => Math.min(a, b));
    const high = one.value.reduce((a, b) => Math.max(a, b));
    const age = ageText(this.endUs() / 1e6 - (one.at.at(-1) ?? 0));
    setText(summary, `newest ${show(/** @type {number} */ (one.value.at(-1)))} (${age} ago), ${show(low)} to ${show(high)} in ${this.hours} h`);
  }

  /** @param {Chart} chart @param {HTMLElement} details */
  fillTable(chart, details) {
    const step = (this.hours * 3600) / TABLE_ROWS;
    const min = this.endUs() / 1e6 - this.hours * 3600;
    const rows = Array.from({ length: TABLE_ROWS }, (_, index) => {
      const from = min + index * step;
      const cells = chart.concepts.map((name) => {
        const one = this.series.get(name);
        const last = one ? one.at.findLastIndex((at) => at >= from && at < from + step) : -1;
        if (!one || last < 0) return "--";
        return chart === RISK ? percent(one.value[last]) : one.value[last].toFixed(this.options.columns.get(name)?.decimals ?? 1);
      });
      return h("tr", {}, h("td", {}, clockText((from + step) * 1e6, this.options.zone)), ...cells.map((text) => h("td", { class: "n" }, text)));
    });
    const head = h("tr", {}, h("th", { scope: "col" }, "Until"), ...chart.concepts.map((name) => h("th", { scope: "col", class: "n" }, this.options.columns.get(name)?.display ?? chart.title)));
    details.querySelector("table")?.remove();
    details.append(h("table", {}, h("thead", {}, head), h("tbody", {}, ...rows)));
  }

  resize() {
    const width = this.root.clientWidth;
    for (const { plot } of this.drawn) if (width && Math.abs(plot.width - width) > 1) plot.setSize({ width, height: 104 });
  }
}

/** A null where the line must break. @param {number[]} at @param {number[]} value */
function withGaps(at, value) {
  if (at.length < 3) return [at, value];
  const steps = at.slice(1).map((t, index) => t - at[index]).sort((a, b) => a - b);
  const gap = GAP_STEPS * Math.max(steps[Math.floor(steps.length * 0.75)], 1);
  const x = [at[0]];
  /** @type {(number | null)[]} */
  const y = [value[0]];
  for (let index = 1; index < at.length; index++) {
    if (at[index] - at[index - 1] > gap) { x.push((at[index] + at[index - 1]) / 2); y.push(null); }
    x.push(at[index]);
    y.push(value[index]);
  }
  return [x, y];
}

/** A scale that does not make noise look like a storm. @param {Chart} chart @param {number | null} low @param {number | null} high */
function limits(chart, low, high) {
  if (chart === RISK) return [0, Math.min(1, Math.max(0.1, 2 * (high ?? 0)))]; // as the sparklines: 10 % at least
  const middle = ((low ?? 0) + (high ?? 1)) / 2;
  const half = Math.max(((high ?? 1) - (low ?? 0)) * 0.6, Math.abs(middle) * 0.06, 0.5);
  return [middle - half, chart.max == null ? middle + half : Math.min(middle + half, chart.max + half * 0.1)];
}

/** The usual range behind the line. @param {any} u @param {number | null} low @param {number | null} high */
function band(u, low, high) {
  if (low == null || high == null) return;
  const { ctx, bbox } = u;
  const top = Math.max(u.valToPos(high, "y", true), bbox.top);
  const bottom = Math.min(u.valToPos(low, "y", true), bbox.top + bbox.height);
  if (!(bottom > top)) return;
  ctx.save();
  ctx.fillStyle = token("--accent-soft");
  ctx.globalAlpha = 0.55;
  ctx.fillRect(bbox.left, top, bbox.width, bottom - top);
  ctx.restore();
}
