// One patient: newest values and header kept up to date, trends, and tables refreshed when something was added.
// @ts-check
import { Alarms } from "./alarms.js";
import { Ask } from "./ask.js";
import { drawBody, fetchBody } from "./body.js";
import { ABSENT, ageText, freshness, interval, numberText, percent, setAttr, setText, shortReason } from "./format.js";
import "./facts.js";
import { again, refreshRisks } from "./risks.js";
import { merged } from "./row.js";
import { Stream } from "./stream.js";
import { refreshTables } from "./tables.js";
import { Trends } from "./trends.js";
import { WhatIf } from "./what-if.js";

const TABLES_MS = 15_000;
const header = /** @type {HTMLElement} */ (document.getElementById("patient"));
const patient = header.dataset.id ?? "";
const fixedUs = Number(header.dataset.fixed || 0);
/** @param {string} id */
const byId = (id) => /** @type {HTMLElement} */ (document.getElementById(id));
/** @type {Map<string, any>} */
const columns = new Map();
for (const column of JSON.parse(header.dataset.columns ?? "[]")) columns.set(column.concept, column);
/** @type {any} */
let row = null;
let tablesAt = performance.now();

const alarms = new Alarms((text) => setText(byId("said"), text));

/** @param {any} change @param {number} nowUs @param {boolean} whole */
function take(change, nowUs, whole) {
  row = { ...row, ...merged(row, change, whole) };
  if (change.vitals) trends.push(change.vitals);
  setText(byId("news2"), row.news2.text);
  setAttr(byId("news2"), "data-lane", row.lane);
  setText(byId("risk-now"), percent(row.risk.probability));
  setText(byId("risk-interval"), row.risk.insufficient ? shortReason(row.risk.insufficient) : interval(row.risk));
  setAttr(byId("risk-interval"), "title", row.risk.insufficient);
  setText(byId("oxygen"), row.oxygen || ABSENT);
  drawTime(nowUs);
}

/** @param {string} concept @param {number} nowUs */
function read(concept, nowUs) {
  const cell = row.vitals[concept];
  const column = columns.get(concept);
  const state = freshness(cell, column.valid_for_s, nowUs);
  return { cell, state, text: numberText(cell, column.decimals, state) };
}

/** @param {number} nowUs */
function drawTime(nowUs) {
  if (!row) return;
  for (const node of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll(".now .v"))) {
    const concept = node.dataset.c ?? "";
    const { cell, state, text } = read(concept, nowUs);
    const known = state === "live" || state === "stale";
    const points = known ? cell?.points : null;
    setAttr(node, "data-state", state);
    setAttr(node, "data-points", points);
    setText(/** @type {Node} */ (node.querySelector("i")), points ? String(points) : "");
    let shown = text;
    let note = state === "stale" ? ageText((nowUs - cell.at_us) / 1e6) : "";
    if (concept === "systolic_pressure") {
      const diastolic = read("diastolic_pressure", nowUs).text;
      const mean = read("mean_pressure", nowUs).text;
      shown = text === ABSENT && diastolic === ABSENT ? ABSENT : `${text}/${diastolic}`;
      note ||= mean === ABSENT ? "" : `(${mean})`;
    }
    setText(/** @type {Node} */ (node.querySelector("b")), shown);
    setText(/** @type {Node} */ (node.querySelector(".note")), note);
  }
  const age = byId("age");
  setText(age, row.at_us ? ageText((nowUs - row.at_us) / 1e6) : ABSENT);
  setAttr(age, "data-state", !row.at_us ? "absent" : nowUs - row.at_us > row.stale_s * 1e6 ? "stale" : "live");
}

/** Whether the newest data lies before what the trends show, and the way to it. @param {number} nowUs */
function drawNothing(nowUs) {
  const node = document.getElementById("nothing");
  if (!node || !nowUs) return;
  const newest = Math.max(row?.at_us ?? 0, Number(node.dataset.newest));
  node.hidden = newest >= (fixedUs || nowUs) - trends.hours * 3600e6;
  const link = /** @type {HTMLAnchorElement} */ (byId("to-newest"));
  link.href = link.href.replace(/hours=\d+/, `hours=${trends.hours}`);
}

const stream = new Stream(patient, {
  snapshot: (frame) => {
    for (const one of frame.rows) take(one, frame.now_us, true);
    header.dataset.seq = frame.seq;
    if (!trends.drawn.length) trends.load();
  },
  delta: (frame) => { for (const one of frame.rows) take(one, frame.now_us, one.whole); header.dataset.seq = frame.seq; },
  alerts: (list) => alarms.show(list, stream.now()),
  tick: (nowUs) => {
    drawTime(nowUs);
    drawNothing(nowUs);
    alarms.tick(nowUs);
    trends.refresh();
    if (!fixedUs && !document.hidden && performance.now() - tablesAt > TABLES_MS) {
      tablesAt = performance.now();
      refreshTables(patient, stream.zone);
      refreshRisks(patient);
      refreshBody();
    }
  },
});

const whatIf = fixedUs ? null : new WhatIf(patient, (text) => setText(byId("said"), text));

async function refreshBody() {
  const body = await fetchBody(patient);
  if (!body) return;
  drawBody(body);
  whatIf?.take(body);
}
if (whatIf) {
  refreshBody();
  new Ask(patient, (text) => setText(byId("said"), text));
  again(patient);
}

const trends = new Trends(byId("trends"), {
  patient, zone: stream.zone, columns, fixedUs, basis: header.dataset.basis ?? "", hours: Number(header.dataset.hours), now: () => stream.now(),
});
if (fixedUs) trends.load();

for (const button of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("button[data-hours]"))) {
  button.addEventListener("click", () => {
    trends.hours = Number(button.dataset.hours);
    for (const other of document.querySelectorAll("button[data-hours]")) other.setAttribute("aria-pressed", String(other === button));
    const query = new URLSearchParams(location.search);
    query.set("hours", String(trends.hours));
    history.replaceState(null, "", `?${query}`);
    trends.load();
    drawNothing(stream.now());
  });
}
