// The ward: rows kept up to date, sorted every 10 s (never one that is looked at), filtered by what the address says.
// @ts-check
import { Alarms } from "./alarms.js";
import { clockText, setText, shortBed } from "./format.js";
import { reorder, reorderHolding } from "./order.js";
import { Row } from "./row.js";
import { Stream } from "./stream.js";

const SORT_MS = 10_000;
const beds = /** @type {HTMLElement} */ (document.getElementById("beds"));
const template = /** @type {HTMLTemplateElement} */ (document.getElementById("bed"));
const said = /** @type {HTMLElement} */ (document.getElementById("said"));
const none = /** @type {HTMLElement} */ (document.getElementById("none"));
const sortedNote = /** @type {HTMLElement} */ (document.getElementById("sorted"));
/** @param {string} id */
const control = (id) => /** @type {HTMLInputElement} */ (document.getElementById(id));

/** @type {Map<string, Row>} */
const rows = new Map();
/** @type {Map<string, any>} */
const columns = new Map();
const filters = new URLSearchParams(location.search);
let paused = filters.has("paused");
let lastSort = 0;

/** @param {string} text */
const say = (text) => setText(said, text);
const alarms = new Alarms(say, (alarm) => { const row = rows.get(alarm.patient)?.data; return row ? shortBed(row) : alarm.bed; });

/** @param {string} name @param {string} value */
function setFilter(name, value) {
  if (value) filters.set(name, value); else filters.delete(name);
  const query = filters.toString();
  history.replaceState(null, "", query ? `?${query}` : location.pathname);
  show();
}

/** @param {any} change @returns {Row | null} */
function rowFor(change) {
  let row = rows.get(change.id);
  if (row) return row;
  if (change.name === undefined) return null; // a change to a row we were never told of: the next snapshot has it
  let node = /** @type {HTMLElement | null} */ (beds.querySelector(`[data-id="${CSS.escape(change.id)}"]`));
  if (!node) {
    node = /** @type {HTMLElement} */ (/** @type {DocumentFragment} */ (template.content.cloneNode(true)).firstElementChild);
    beds.append(node);
  }
  row = new Row(node, columns);
  rows.set(change.id, row);
  return row;
}

/** @param {string} id */
function remove(id) {
  rows.get(id)?.node.remove();
  rows.delete(id);
}

/** Filters and counts; hidden rows stay up to date. */
function show() {
  const lane = filters.get("lane") ?? "";
  const find = (filters.get("find") ?? "").toLowerCase();
  /** @type {Record<string, number>} */
  const counts = {};
  let shown = 0;
  for (const { data, node } of rows.values()) {
    counts[data.lane] = (counts[data.lane] ?? 0) + 1;
    const hidden = (lane !== "" && data.lane !== lane) || (find !== "" && !`${data.bed} ${data.name} ${data.id}`.toLowerCase().includes(find));
    if (node.hidden !== hidden) node.hidden = hidden;
    if (!hidden) shown++;
  }
  for (const button of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll(".lane"))) {
    setText(/** @type {Node} */ (button.firstElementChild), String(counts[button.dataset.lane ?? ""] ?? 0));
    button.setAttribute("aria-pressed", String(button.dataset.lane === lane));
  }
  none.hidden = shown > 0 || rows.size === 0;
}

/** Put the rows in order. A row with the focus or the pointer on it keeps its place. @param {boolean} all */
function sort(all) {
  const by = filters.get("sort") ?? "risk";
  const present = [...beds.children].map((node) => rows.get(/** @type {HTMLElement} */ (node).dataset.id ?? "")).filter((row) => row !== undefined);
  const data = present.map((row) => row.data);
  /** @param {any} one */
  const held = (one) => { const node = rows.get(one.id)?.node; return !!node && (node.matches(":hover") || node.contains(document.activeElement)); };
  const order = all ? reorder(data, by) : reorderHolding(data, by, held);
  order.forEach((one, index) => {
    const node = /** @type {Row} */ (rows.get(one.id)).node;
    // insertBefore moves only what stands elsewhere: focus and hover stay with the rest
    if (beds.children[index] !== node) beds.insertBefore(node, beds.children[index] ?? null);
  });
  lastSort = performance.now();
  setText(sortedNote, `Sorted by ${by === "severity" ? "NEWS2" : by} at ${clockText(stream.now(), stream.zone, { seconds: true })}${paused ? ", paused" : ", again every 10 s"}.`);
}

/** @param {any} frame @param {boolean} whole */
function take(frame, whole) {
  let lanesMoved = whole;
  for (const change of frame.rows) {
    lanesMoved ||= change.lane !== undefined;
    rowFor(change)?.update(change, frame.now_us, whole || change.whole);
  }
  for (const id of frame.gone ?? []) { remove(id); lanesMoved = true; }
  if (whole) {
    const there = new Set(frame.rows.map((/** @type {any} */ row) => row.id));
    for (const id of [...rows.keys()]) if (!there.has(id)) remove(id);
  }
  if (lanesMoved) show();
  beds.dataset.seq = frame.seq;
}

for (const column of JSON.parse(beds.dataset.columns ?? "[]")) columns.set(column.concept, column);

const stream = new Stream("", {
  snapshot: (frame) => { take(frame, true); if (!lastSort) sort(true); },
  delta: (frame) => take(frame, false),
  alerts: (list) => alarms.show(list, stream ? stream.now() : 0),
  tick: (nowUs) => {
    for (const row of rows.values()) row.drawTime(nowUs);
    alarms.tick(nowUs);
    if (!paused && lastSort && performance.now() - lastSort > SORT_MS) sort(false);
  },
});

for (const button of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll(".lane"))) {
  button.addEventListener("click", () => setFilter("lane", filters.get("lane") === button.dataset.lane ? "" : button.dataset.lane ?? ""));
}
control("find").value = filters.get("find") ?? "";
control("find").addEventListener("input", () => setFilter("find", control("find").value.trim()));
control("sort").value = filters.get("sort") ?? "risk";
control("sort").addEventListener("change", () => { setFilter("sort", control("sort").value === "risk" ? "" : control("sort").value); sort(true); });
control("pause").setAttribute("aria-pressed", String(paused));
control("pause").addEventListener("click", () => {
  paused = !paused;
  control("pause").setAttribute("aria-pressed", String(paused));
  setFilter("paused", paused ? "1" : "");
  if (!paused) sort(false);
});
control("sort-now").addEventListener("click", () => sort(true));
control("density").addEventListener("click", () => {
  const compact = document.documentElement.dataset.density !== "compact";
  document.documentElement.dataset.density = compact ? "compact" : "comfortable";
  control("density").setAttribute("aria-pressed", String(compact));
  setFilter("density", compact ? "compact" : "");
});
control("kiosk").addEventListener("click", () => {
  setFilter("kiosk", "1");
  document.documentElement.dataset.kiosk = "";
});
addEventListener("keydown", (event) => {
  if (event.key === "Escape" && document.documentElement.dataset.kiosk !== undefined) {
    delete document.documentElement.dataset.kiosk;
    setFilter("kiosk", "");
  }
});
