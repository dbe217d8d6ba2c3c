// The answer to a what-if: risks, effects, and charts of chosen outputs without and with the scenario.
// @ts-check
import uPlot from "../vendor/uplot/uPlot.esm.js";
import { drawBands, extent, token } from "./bands.js";
import { ABSENT, fixed, h, prettyUnit, share } from "./format.js";

const CHARTS_FIRST = 4;
const HEIGHT = 150;
const RISK = "sepsis_risk"; // a probability, written as per cent
/** @type {any[]} */
let plots = [];
/** @type {any} */
let shown = null;

/** Show an answer in place of the last. @param {HTMLElement} root @param {any} answer */
export function showAnswer(root, answer) {
  for (const plot of plots) plot.destroy();
  plots = [];
  shown = null;
  root.replaceChildren();
  const words = h("div", { id: "wi-words", class: "wi-words" });
  if (answer.standing === "outside") {
    root.append(words, h("p", { class: "outside" }, h("strong", {}, "Outside the model's domain. "), answer.outside.join("; "), ". No answer is given."));
    return;
  }
  const hours = answer.times_s.at(-1) / 3600;
  root.append(
    h("p", {}, h("strong", {}, "Hypothetical, simulated. "), `${answer.members} members of this patient's ensemble, each with and without the scenario, over ${fixed(hours, 1)} h. Differences are member by member.`),
    words,
    answer.notes.length ? h("ul", { class: "notes" }, ...answer.notes.map((/** @type {string} */ one) => h("li", {}, one))) : "",
    risks(answer), effects(answer), h("div", { id: "wi-charts" }));
  shown = { root, answer };
  drawCharts();
}

document.addEventListener("themechange", () => drawCharts());

/** @param {any} one @param {(number | null)[]} row five quantiles */
function spread(one, row) {
  const write = (/** @type {number} */ value) => (one.name === RISK ? fixed(100 * value, 1) : fixed(value, one.decimals));
  if (row[2] == null) return ABSENT;
  return `${write(row[2])} (${write(/** @type {number} */ (row[0]))} to ${write(/** @type {number} */ (row[4]))})`;
}

/** @param {any} one */
const unitOf = (one) => (one.name === RISK ? "%" : prettyUnit(one.unit));

/** @param {any} answer */
function risks(answer) {
  const rows = answer.risks.map((/** @type {any} */ one) => {
    const last = (/** @type {any[]} */ bands) => bands.map((row) => row.at(-1) ?? null);
    const cells = one.insufficient
      ? [h("td", { colspan: "3" }, `not said: ${one.insufficient}`)]
      : [one.baseline, one.scenario, one.difference].map((bands) => h("td", { class: "n" }, spread(one, last(bands))));
    return h("tr", { "data-risk": one.name }, h("th", { scope: "row" }, `${one.display} `, h("small", {}, unitOf(one))), ...cells, h("td", {}, h("small", {}, one.label)));
  });
  if (!rows.length) return h("p", { class: "quiet" }, "No score or risk could be run again: nothing was measured that they read.");
  return table("Scores and risks at the end: middle (90 %)", ["What", "#Without", "#With", "#Difference", "What the difference is"], rows);
}

/** @param {any} answer */
function effects(answer) {
  const chosen = first(answer);
  const rows = answer.outputs.map((/** @type {any} */ one) => {
    const end = (/** @type {number[][]} */ bands) => fixed(/** @type {number} */ (bands[2].at(-1)), one.decimals);
    const box = h("input", { type: "checkbox", "aria-label": `Chart of ${one.display}`, value: one.concept });
    /** @type {HTMLInputElement} */ (box).checked = chosen.includes(one.concept);
    box.addEventListener("change", () => drawCharts());
    return h("tr", { "data-output": one.concept },
      h("td", {}, box),
      h("th", { scope: "row" }, `${one.display} `, h("small", {}, prettyUnit(one.unit))),
      h("td", { class: "n" }, end(one.baseline)), h("td", { class: "n" }, end(one.scenario)),
      h("td", { class: "n" }, spread(one, one.effect.end)),
      h("td", { class: "n" }, `${spread(one, one.effect.most)} at ${time(one.effect.most_s)}`),
      h("td", { "data-verdict": one.effect.verdict }, one.effect.verdict),
      h("td", { class: "n" }, share(one.effect.from_data)));
  });
  return table("The body: without and with, and the difference, middle (90 %)", ["Chart", "Output", "#Without, end", "#With, end", "#Difference, end", "#Largest difference", "Verdict", "#From data"], rows,
    "From data: how much of the difference this patient's data decided; the rest is what was believed of anyone alike.");
}

/** @param {string} title @param {string[]} heads with # before those of numbers @param {HTMLElement[]} rows @param {string} [note] */
function table(title, heads, rows, note) {
  const head = heads.map((text) => h("th", { scope: "col", class: text.startsWith("#") ? "n" : "" }, text.replace("#", "")));
  return h("div", { class: "scroll wi-table", tabindex: "0", role: "region", "aria-label": title },
    h("table", {}, h("caption", {}, title, note ? h("small", {}, ` ${note}`) : null), h("thead", {}, h("tr", {}, ...head)), h("tbody", {}, ...rows)));
}

/** @param {number} seconds */
function time(seconds) {
  return seconds < 5400 ? `${Math.round(seconds / 60)} min` : `${fixed(seconds / 3600, 1)} h`;
}

/** @param {any} answer @returns {string[]} */
function first(answer) {
  const moved = answer.outputs.filter((/** @type {any} */ one) => one.effect.verdict !== "unchanged");
  return (moved.length ? moved : answer.outputs).slice(0, CHARTS_FIRST).map((/** @type {any} */ one) => one.concept);
}

function drawCharts() {
  if (!shown) return;
  const root = shown.root.querySelector("#wi-charts");
  for (const plot of plots) plot.destroy();
  plots = [];
  const boxes = /** @type {HTMLInputElement[]} */ ([...shown.root.querySelectorAll("tbody input[type=checkbox]")]);
  const wanted = boxes.filter((box) => box.checked).map((box) => box.value);
  root.replaceChildren();
  const hours = shown.answer.times_s.map((/** @type {number} */ s) => s / 3600);
  for (const one of shown.answer.outputs.filter((/** @type {any} */ each) => wanted.includes(each.concept))) {
    const left = h("div", { class: "plot" });
    const right = h("div", { class: "plot" });
    root.append(h("figure", { class: "pair", "data-chart": one.concept },
      h("figcaption", {}, h("b", {}, one.display), h("span", { class: "quiet" }, prettyUnit(one.unit)),
        h("span", { class: "key without" }, "without"), h("span", { class: "key with" }, "with the scenario"), h("span", { class: "key differs" }, "difference"),
        h("span", { class: "quiet" }, `${one.effect.verdict}; largest ${spread(one, one.effect.most)} at ${time(one.effect.most_s)}`)), left, right));
    plots.push(chart(left, hours, [[one.baseline, "--quiet", [2, 3]], [one.scenario, "--accent", []]], one.decimals, false));
    plots.push(chart(right, hours, [[one.difference, "--risk", []]], one.decimals, true));
  }
}

/** @param {HTMLElement} holder @param {number[]} hours @param {[number[][], string, number[]][]} arms @param {number} decimals @param {boolean} about0 */
function chart(holder, hours, arms, decimals, about0) {
  const axis = { stroke: token("--quiet"), grid: { stroke: token("--line"), width: 1 }, ticks: { show: false }, font: "11px sans-serif" };
  const [low, high] = extent(arms.flatMap(([bands]) => bands));
  const least = Math.min(low, about0 ? 0 : low);
  const most = Math.max(high, about0 ? 0 : high);
  const pad = Math.max((most - least) * 0.08, 2 * 10 ** -decimals);
  const plot = new uPlot({
    width: holder.clientWidth || 300, height: HEIGHT, legend: { show: false }, padding: [6, 12, 0, 0],
    cursor: { y: false, drag: { x: false, y: false } },
    scales: { x: { time: false }, y: { range: [least - pad, most + pad] } },
    axes: [{ ...axis, size: 22, values: (/** @type {any} */ _u, /** @type {number[]} */ ticks) => ticks.map((t) => `${Number(t.toFixed(2))} h`) }, { ...axis, size: 48 }],
    series: [{}, ...arms.map(([, hue]) => ({ stroke: token(hue), width: 0, points: { show: false } }))],
    hooks: { drawClear: [(/** @type {any} */ u) => { for (const [bands, hue, dash] of arms) drawBands(u, hours, bands, token(hue), { dash, width: 1.8 }); }] },
  }, [hours, ...arms.map(([bands]) => bands[2])], holder);
  new ResizeObserver(() => { if (holder.clientWidth && Math.abs(plot.width - holder.clientWidth) > 1) plot.setSize({ width: holder.clientWidth, height: HEIGHT }); }).observe(holder);
  return plot;
}
