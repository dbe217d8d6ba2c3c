// One row of the ward: what it holds, and its cells kept up to date.
// @ts-check
import { ABSENT, ageText, briefText, driverText, freshness, interval, newsTitle, newsWord, numberText, percent, setAttr, setText, shortBed, shortReason, signs, sparkLabel, sparkPath, SYMBOL, tags, who } from "./format.js";

/** @typedef {import("./format.js").Cell} Cell */
/** @typedef {import("./format.js").Column} Column */

const PLAIN = ["heart_rate", "respiratory_rate", "oxygen_saturation", "body_temperature", "consciousness"];

/** A change with its vitals and risk made whole out of what was known. @param {any} before @param {any} change @param {boolean} whole */
export function merged(before, change, whole) {
  if (whole || !before) return change;
  const made = { ...change };
  for (const field of ["vitals", "risk"]) if (change[field]) made[field] = { ...before[field], ...change[field] };
  return made;
}

export class Row {
  /** @param {HTMLElement} node @param {Map<string, Column>} columns */
  constructor(node, columns) {
    this.node = node;
    this.columns = columns;
    /** @type {any} */
    this.data = null;
    /** @type {Map<string, HTMLElement>} */
    this.vitals = new Map();
    for (const cell of /** @type {NodeListOf<HTMLElement>} */ (node.querySelectorAll(".v"))) {
      this.vitals.set(cell.dataset.c ?? "", cell);
    }
    /** @param {string} selector */
    const find = (selector) => /** @type {HTMLElement} */ (node.querySelector(selector));
    this.parts = {
      place: find(".place a"), link: find(".name a"), who: find(".name small"), badge: find(".badge"), word: find(".news small"),
      tags: find(".tags"), percent: find(".risk b"), interval: find(".risk small"), range: find(".meter .range"), mark: find(".meter .mark"),
      spark: find(".spark path"), top: find(".trend small"), alarm: find(".why .alarm"), driver: find(".why > small"), age: find(".age"),
    };
  }

  /** Merge what changed (or replace all, where the row is whole), then draw it. @param {any} change @param {number} nowUs @param {boolean} whole */
  update(change, nowUs, whole = change.whole) {
    change = merged(this.data, change, whole);
    this.data = { ...this.data, ...change };
    const row = this.data;
    if (change.name !== undefined || change.bed !== undefined) this.drawName(row);
    if (change.news2 !== undefined || change.lane !== undefined || change.oxygen !== undefined) this.drawNews(row);
    if (change.risk !== undefined) this.drawRisk(row.risk);
    if (change.alarm !== undefined) this.drawAlarm(row.alarm);
    if (change.risk !== undefined) setText(this.parts.driver, driverText(row));
    this.drawTime(nowUs);
  }

  /** @param {any} row */
  drawName(row) {
    const { place, link } = this.parts;
    const address = `/patients/${encodeURIComponent(row.id)}`;
    this.node.dataset.id = row.id;
    setText(place, shortBed(row));
    setAttr(place, "href", address);
    setAttr(place, "title", row.bed);
    setAttr(place, "data-long", shortBed(row).length > 6 ? "1" : "");
    setAttr(link, "href", address);
    setText(/** @type {Element} */ (link.firstElementChild), `${row.bed} `);
    if (link.childNodes.length < 2) link.append("");
    setText(link.childNodes[1], row.name);
    setText(this.parts.who, who(row));
  }

  /** @param {any} row */
  drawNews(row) {
    this.node.dataset.lane = row.lane;
    setText(this.parts.badge, row.news2.text);
    setAttr(this.parts.badge, "data-lane", row.lane);
    setAttr(this.parts.badge, "title", newsTitle(row.news2));
    setText(this.parts.word, newsWord(row));
    setText(this.parts.tags, tags(row));
  }

  /** @param {any} risk */
  drawRisk(risk) {
    const { range, mark } = this.parts;
    setText(this.parts.percent, percent(risk.probability));
    setText(this.parts.interval, risk.insufficient ? shortReason(risk.insufficient) : interval(risk));
    setAttr(this.parts.interval, "title", risk.insufficient);
    const low = 100 * (risk.low ?? 0);
    setAttr(range, "x", low);
    setAttr(range, "width", Math.max(100 * (risk.high ?? 0) - low, 0));
    setAttr(mark, "x", risk.probability == null ? -10 : Math.max(100 * risk.probability - 1, 0));
    setAttr(this.parts.spark, "d", sparkPath(risk.spark));
    setText(this.parts.top, sparkLabel(risk.spark));
  }

  /** @param {any} alarm */
  drawAlarm(alarm) {
    const node = this.parts.alarm;
    const [symbol, text] = node.children;
    setAttr(node, "data-priority", alarm ? alarm.priority : "");
    setText(symbol, alarm ? SYMBOL[alarm.priority] : "");
    setText(text, alarm ? signs(alarm.text) + (alarm.open > 1 ? ` +${alarm.open - 1}` : "") : "");
  }

  /** What time alone changes: ages, and from when on a value is stale or no longer valid. @param {number} nowUs */
  drawTime(nowUs) {
    const row = this.data;
    if (!row) return;
    for (const concept of PLAIN) {
      const cell = row.vitals[concept];
      const column = /** @type {Column} */ (this.columns.get(concept));
      const state = freshness(cell, column.valid_for_s, nowUs);
      this.drawCell(concept, cell, state, briefText(cell, column.decimals, state), state === "stale" ? ageText((nowUs - cell.at_us) / 1e6) : "");
    }
    this.drawPressure(row, nowUs);
    const { age } = this.parts;
    setText(age, row.at_us ? ageText((nowUs - row.at_us) / 1e6) : ABSENT);
    setAttr(age, "data-state", !row.at_us ? "absent" : nowUs - row.at_us > row.stale_s * 1e6 ? "stale" : "live");
  }

  /** @param {any} row @param {number} nowUs */
  drawPressure(row, nowUs) {
    const texts = ["systolic_pressure", "diastolic_pressure", "mean_pressure"].map((concept) => {
      const column = /** @type {Column} */ (this.columns.get(concept));
      const cell = row.vitals[concept];
      return numberText(cell, column.decimals, freshness(cell, column.valid_for_s, nowUs));
    });
    const systolic = row.vitals.systolic_pressure;
    const state = freshness(systolic, /** @type {Column} */ (this.columns.get("systolic_pressure")).valid_for_s, nowUs);
    const both = texts[0] === ABSENT && texts[1] === ABSENT ? ABSENT : `${texts[0]}/${texts[1]}`;
    const note = state === "stale" ? ageText((nowUs - systolic.at_us) / 1e6) : texts[2] === ABSENT ? "" : `(${texts[2]})`;
    this.drawCell("systolic_pressure", systolic, state, both, note);
  }

  /** @param {string} concept @param {Cell | undefined} cell @param {string} state @param {string} text @param {string} note */
  drawCell(concept, cell, state, text, note) {
    const node = this.vitals.get(concept);
    if (!node) return;
    const known = state === "live" || state === "stale";
    const points = known ? cell?.points : null;
    const [chip, number, small] = node.children;
    setAttr(node, "data-state", state);
    setAttr(node, "data-points", points);
    setAttr(node, "data-priority", cell?.priority || "");
    setText(chip, points ? String(points) : "");
    setText(number, text);
    setText(small, note);
  }
}
