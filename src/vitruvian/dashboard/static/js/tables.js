// The patient's tables, drawn again from the API when something was added.
// @ts-check
import { ABSENT, ageText, clockText, h, prettyUnit, signs } from "./format.js";

const FLAG = { H: "▲ high", L: "▼ low" };

/** @param {string} patient @param {string} zone */
export async function refreshTables(patient, zone) {
  const base = `/api/v1/patients/${encodeURIComponent(patient)}`;
  try {
    const [twin, timeline] = await Promise.all([
      fetch(`${base}/twin`).then((answer) => answer.json()),
      fetch(`${base}/timeline?vitals=false`).then((answer) => answer.json()),
    ]);
    drawState(twin.twin);
    drawLabs(twin.twin, zone, twin.now_us);
    drawTimeline(timeline.events, zone, timeline.now_us);
  } catch { /* the banner says that the ward cannot be reached */ }
}

/** @param {string} selector @param {HTMLElement[]} rows */
function fill(selector, rows) {
  document.querySelector(selector)?.replaceChildren(...rows);
}

/** @param {any} twin */
function drawState(twin) {
  fill("#state tbody", twin.rows.filter((/** @type {any} */ one) => one.kind !== "lab").map((/** @type {any} */ one) => h("tr", { "data-concept": one.concept },
    h("td", {}, one.display),
    h("td", { class: "n" }, one.state === "live" || one.state === "stale" ? one.text : ABSENT),
    h("td", {}, prettyUnit(one.unit)),
    h("td", { class: "n" }, ageText((twin.at_us - one.at_us) / 1e6)),
    h("td", { "data-state": one.state }, one.state, one.quality.length ? h("small", {}, ` ${one.quality.join(", ")}`) : null))));
}

/** @param {any} twin @param {string} zone @param {number} nowUs */
function drawLabs(twin, zone, nowUs) {
  fill("#labs tbody", twin.rows.filter((/** @type {any} */ one) => one.kind === "lab").map((/** @type {any} */ one) => h("tr", { "data-concept": one.concept },
    h("td", {}, one.display),
    h("td", { class: "n" }, one.text),
    h("td", { class: "flag" }, FLAG[/** @type {keyof FLAG} */ (one.flag)] ?? ""),
    h("td", {}, prettyUnit(one.unit)),
    h("td", {}, one.low == null || one.high == null ? "" : `${one.low}–${one.high}`),
    h("td", {}, clockText(one.at_us, zone, { day: true, nowUs })),
    h("td", { "data-state": one.state }, one.state))));
}

/** @param {any[]} events @param {string} zone @param {number} nowUs */
function drawTimeline(events, zone, nowUs) {
  fill("#timeline", events.map((one) => h("tr", { class: one.superseded ? "superseded" : "" },
    h("td", {}, clockText(one.occurred_us, zone, { day: true, nowUs })),
    h("td", {}, one.label),
    h("td", {}, signs(one.text), one.quality.length ? h("small", {}, ` ${one.quality.join(", ")}`) : null),
    h("td", {}, one.available_us || one.recorded_us ? ageText(((one.available_us || one.recorded_us) - one.occurred_us) / 1e6) : ABSENT),
    h("td", {}, h("small", {}, one.source)))));
}
