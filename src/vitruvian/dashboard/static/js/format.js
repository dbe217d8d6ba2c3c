// How values are written: the same rules as dashboard/present.py, for what changes while a page is open.
// @ts-check

export const ABSENT = "--";
export const SYMBOL = ["", "*", "**", "***"];
export const LANE_TITLE = { emergency: "Emergency", urgent: "Urgent", low: "Low", routine: "Routine", unscored: "Not scored" };
const ARROW = { rising: "↗", falling: "↘", steady: "→" };
const SEX = { female: "F", male: "M", other: "X" };
const SPARK_WIDTH = 108;
const SPARK_HEIGHT = 26;
const SPARK_TOP_MIN = 100;
const TINY = 1e-9;

/** @typedef {{value?: number, at_us?: number, stale_s?: number, points?: number, priority?: number, text?: string, via?: string}} Cell */
/** @typedef {{concept: string, label: string, display: string, unit: string, decimals: number, valid_for_s: number}} Column */

/** `5 s`, `12 min`, `3 h`, `2 d`. @param {number} seconds */
export function ageText(seconds) {
  const whole = Math.max(0, Math.trunc(seconds));
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.trunc(whole / 60)} min`;
  return whole < 172800 ? `${Math.trunc(whole / 3600)} h` : `${Math.trunc(whole / 86400)} d`;
}

/** How fresh a cell is at `nowUs`. @param {Cell | undefined | null} cell @param {number} validForS @param {number} nowUs */
export function freshness(cell, validForS, nowUs) {
  if (cell?.value == null || !cell.at_us) return "absent";
  const ageUs = nowUs - cell.at_us;
  if (ageUs > validForS * 1e6) return "expired";
  return ageUs > (cell.stale_s ?? 0) * 1e6 ? "stale" : "live";
}

/** The number or word of a cell. @param {Cell | undefined | null} cell @param {number} decimals @param {string} state */
export function numberText(cell, decimals, state) {
  if (cell?.value == null || state === "absent" || state === "expired") return ABSENT;
  return cell.text || cell.value.toFixed(decimals);
}

/** The same in a narrow cell: of a word its first letter. @param {Cell | undefined | null} cell @param {number} decimals @param {string} state */
export function briefText(cell, decimals, state) {
  const text = numberText(cell, decimals, state);
  return cell?.text && text === cell.text ? text[0] : text;
}

/** @param {number | null | undefined} p */
export function percent(p) {
  if (p == null) return ABSENT;
  if (p < 0.01) return "<1 %";
  return p > 0.99 ? ">99 %" : `${Math.trunc(100 * p + 0.5)} %`;
}

/** @param {{low: number | null, high: number | null}} risk */
export function interval(risk) {
  if (risk.low == null || risk.high == null) return "";
  return `${Math.floor(100 * risk.low + TINY)}–${Math.ceil(100 * risk.high - TINY)}`; // outwards: the value lies within
}

/** Why there is no risk, as a narrow cell has it. @param {string} reason */
export function shortReason(reason) {
  return reason.split(":")[0];
}

/** What the top of a sparkline stands for, in parts per thousand. @param {(number | null)[]} points */
function sparkTop(points) {
  return Math.min(Math.max(SPARK_TOP_MIN, 2 * points.reduce((/** @type {number} */ highest, point) => Math.max(highest, point ?? 0), 0)), 1000);
}

/** The same in words; empty where nothing was issued. @param {(number | null)[]} points */
export function sparkLabel(points) {
  return points.some((point) => point != null) ? `${Math.trunc(sparkTop(points) / 10 + 0.5)} %` : "";
}

/** `>=` as people write it. @param {string} text */
export function signs(text) {
  return text.replaceAll(">=", "≥").replaceAll("<=", "≤");
}

/** The path of a sparkline from 0 to `sparkTop`, broken where nothing was issued. @param {(number | null)[]} points */
export function sparkPath(points) {
  const top = sparkTop(points);
  const step = SPARK_WIDTH / Math.max(points.length - 1, 1);
  let path = "";
  let down = false;
  points.forEach((point, index) => {
    if (point == null) { down = false; return; }
    const y = SPARK_HEIGHT - 2 - (point / top) * (SPARK_HEIGHT - 4);
    path += `${down ? "L" : "M"}${(index * step).toFixed(1)} ${y.toFixed(1)}${down ? "" : "h0"}`; // a lone point is a dot
    down = true;
  });
  return path;
}

/** @param {any} row */
export function who(row) {
  return [row.age_years ?? "", SEX[/** @type {keyof SEX} */ (row.sex)] ?? ""].filter((part) => part !== "").join(" ");
}

/** @param {any} row */
export function shortBed(row) {
  const bed = row.bed.startsWith(row.ward) ? row.bed.slice(row.ward.length).trim() : row.bed;
  return bed || row.bed || ABSENT;
}

/** @param {any} row */
export function newsWord(row) {
  if (row.news2.reason) return row.news2.reason;
  if (row.news2.value == null) return "not scored";
  return LANE_TITLE[/** @type {keyof LANE_TITLE} */ (row.lane)] + (row.news2.red && row.lane === "urgent" ? ", single 3" : "");
}

/** @param {any} news2 */
export function newsTitle(news2) {
  const parts = news2.missing.map((/** @type {string} */ part) => part.replaceAll("_", " "));
  return parts.length ? `missing: ${parts.join(", ")}` : "";
}

/** @param {any} row */
export function tags(row) {
  return [row.oxygen, row.news2.scale_2 ? "scale 2" : ""].filter(Boolean).join(" · ");
}

/** @param {any} row */
export function driverText(row) {
  return [ARROW[/** @type {keyof ARROW} */ (row.risk.trend)] ?? "", row.risk.driver].filter(Boolean).join(" ");
}

/** UCUM as people write it. @param {string} unit */
export function prettyUnit(unit) {
  const known = { "Cel": "°C", "mm[Hg]": "mmHg", "cm[H2O]": "cmH₂O", "[pH]": "", "1": "", "10*3/uL": "×10³/µL", "10*6/uL": "×10⁶/µL", "[iU]": "IU", "{INR}": "", "{score}": "", "dyn.s/cm5": "dyn·s/cm⁵", "a": "years" };
  return known[/** @type {keyof known} */ (unit)] ?? unit.replace("[iU]", "IU").replace("mm[Hg]", "mmHg").replace("cm[H2O]", "cmH₂O").replace("ug", "µg");
}

/** @type {Map<string, Intl.DateTimeFormat>} */
const formats = new Map();

/** The time of day in the facility's zone; with the day and `nowUs`, the year too where it is not this one. @param {number} us @param {string} zone @param {{seconds?: boolean, day?: boolean, nowUs?: number}} [also] */
export function clockText(us, zone, also = {}) {
  const other = Boolean(also.day && also.nowUs && clockYear(us, zone) !== clockYear(also.nowUs, zone));
  const key = `${zone}|${also.seconds}|${also.day}|${other}`;
  let format = formats.get(key);
  if (!format) {
    format = new Intl.DateTimeFormat("en-GB", {
      timeZone: zone, hour: "2-digit", minute: "2-digit", hourCycle: "h23",
      ...(also.seconds ? { second: "2-digit" } : {}), ...(also.day ? { day: "2-digit", month: "short" } : {}), ...(other ? { year: "numeric" } : {}),
    });
    formats.set(key, format);
  }
  return format.format(us / 1000).replace(",", "");
}

/** @param {number} us @param {string} zone */
function clockYear(us, zone) {
  const key = `${zone}|year`;
  let format = formats.get(key);
  if (!format) { format = new Intl.DateTimeFormat("en-GB", { timeZone: zone, year: "numeric" }); formats.set(key, format); }
  return format.format(us / 1000);
}

/** An element with properties and children; text stays text. @param {string} tag @param {Record<string, any>} [props] @param {...(Node | string | null | undefined)} children */
export function h(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value == null || value === false) continue;
    if (name === "onclick") node.addEventListener("click", value);
    else if (name === "class") node.className = value;
    else node.setAttribute(name, value === true ? "" : String(value));
  }
  node.append(...children.filter((child) => child != null).map((child) => /** @type {Node | string} */ (child)));
  return node;
}

/** A number with so many decimals; never `-0`. @param {number} value @param {number} decimals */
export function fixed(value, decimals) {
  const text = (Math.trunc(Math.abs(value) * 10 ** decimals + 0.5) / 10 ** decimals).toFixed(decimals);
  return value >= 0 || Number(text) === 0 ? text : `-${text}`;
}

/** A share as whole per cent. @param {number | null} value */
export function share(value) {
  return value == null ? ABSENT : `${Math.trunc(100 * value + 0.5)} %`;
}

/** Set text only where it changed: an untouched node costs no layout. @param {Node} node @param {string} text */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** Set or remove an attribute, where it changed. @param {Element} node @param {string} name @param {string | number | null | undefined} value */
export function setAttr(node, name, value) {
  if (value == null || value === "") { if (node.hasAttribute(name)) node.removeAttribute(name); }
  else if (node.getAttribute(name) !== String(value)) node.setAttribute(name, String(value));
}
