// The what-if panel: what is done and changed, sent to the service, and the answer shown. Nothing is computed here.
// @ts-check
import { putWords } from "./ask.js";
import { ABSENT, fixed, h, prettyUnit, setText } from "./format.js";
import { reading } from "./risks.js";
import { showAnswer } from "./what-if-answer.js";

const KINDS = { personal: "Person", vital: "Vital signs and estimates", lab: "Laboratory", parameter: "Parameters of the model" };
const MEANS = { rate: "rate", setting: "setting", amount: "over the duration", "at once": "at once" };

/** @param {string} id */
const byId = (id) => /** @type {any} */ (document.getElementById(id));
/** @param {number} value */
const plain = (value) => String(Number(value.toPrecision(4)));

export class WhatIf {
  /** @param {string} patient @param {(text: string) => void} say */
  constructor(patient, say) {
    this.patient = patient;
    this.say = say;
    /** @type {any} */
    this.body = null;
    /** @type {any[]} */
    this.saved = [];
    /** @type {AbortController | null} */
    this.running = null;
    this.actions = byId("wi-actions");
    this.edits = byId("wi-edits");
    const on = (/** @type {string} */ id, /** @type {() => void} */ what) => byId(id)?.addEventListener("click", what);
    on("wi-add-action", () => this.addAction()?.querySelector("select")?.focus());
    on("wi-add-edit", () => this.addEdit()?.querySelector("select")?.focus());
    on("wi-clear", () => this.clear());
    on("wi-cancel", () => this.running?.abort());
    on("wi-load", () => this.load());
    on("wi-save", () => this.save());
    on("wi-delete", () => this.remove());
    byId("wi-form").addEventListener("submit", (/** @type {Event} */ event) => { event.preventDefault(); this.run(); });
    this.enable();
    this.list();
  }

  /** The body as it is now: what it knows how to do. @param {any} body */
  take(body) {
    this.body = body;
    this.enable();
  }

  enable() {
    const usable = Boolean(this.body) && ["tracking", "learning"].includes(this.body.status);
    for (const id of ["wi-add-action", "wi-add-edit"]) byId(id).disabled = !usable;
    byId("wi-form").querySelector(".primary").disabled = !usable;
  }

  // --- the form ---

  /** @param {any} [given] an action in seconds */
  addAction(given) {
    if (!this.body) return null;
    const known = this.body.interventions;
    const pick = h("select", { "aria-label": "Intervention" }, ...known.map((/** @type {any} */ one) => h("option", { value: one.name }, one.display)));
    const unit = h("select", { "aria-label": "Unit" });
    const value = h("input", { type: "number", step: "any", min: "0", required: true, "aria-label": "Dose or rate", "data-part": "value" });
    const start = h("input", { type: "number", step: "any", min: "0", value: "0", "aria-label": "Start, minutes from now", "data-part": "start" });
    const lasts = h("input", { type: "number", step: "any", min: "0", "aria-label": "Duration, minutes; empty: to the end", placeholder: "to the end", "data-part": "lasts" });
    const hint = h("small", { class: "hint" });
    const row = this.row(this.actions, "intervention", [pick, value, unit, h("label", {}, "start, min ", start), h("label", {}, "for, min ", lasts), hint]);
    const describe = () => {
      const one = known.find((/** @type {any} */ each) => each.name === pick.value);
      const chosen = one.units.find((/** @type {any} */ each) => each.unit === unit.value) ?? one.units[0];
      const most = chosen.high < 1e9 ? ` to ${plain(chosen.high)}` : " or more";
      const now = one.now == null ? "" : `; now ${plain(one.now)} ${prettyUnit(one.units[0].unit)}`;
      setText(hint, `${MEANS[/** @type {keyof MEANS} */ (chosen.means)]}, ${plain(chosen.means === "setting" ? one.low : 0)}${most} ${prettyUnit(chosen.unit)}${now}`);
      value.setAttribute("max", String(chosen.high));
    };
    const units = () => {
      const one = known.find((/** @type {any} */ each) => each.name === pick.value);
      unit.replaceChildren(...one.units.map((/** @type {any} */ each) => h("option", { value: each.unit }, `${prettyUnit(each.unit) || "(share)"} ${MEANS[/** @type {keyof MEANS} */ (each.means)]}`)));
      describe();
    };
    pick.addEventListener("change", units);
    unit.addEventListener("change", describe);
    if (given) pick.value = given.name;
    units();
    if (given) {
      if (given.unit) unit.value = given.unit;
      value.value = String(given.value);
      start.value = plain(given.start_s / 60);
      lasts.value = given.duration_s == null ? "" : plain(given.duration_s / 60);
      describe();
    }
    return row;
  }

  /** @param {[string, number]} [given] */
  addEdit(given) {
    if (!this.body) return null;
    const known = this.body.edits;
    const pick = h("select", { "aria-label": "Value to change" }, ...Object.entries(KINDS).map(([kind, title]) => {
      const options = known.filter((/** @type {any} */ one) => one.kind === kind).map((/** @type {any} */ one) => h("option", { value: one.name }, one.display));
      return options.length ? h("optgroup", { label: title }, ...options) : null;
    }));
    const value = h("input", { type: "number", step: "any", required: true, "aria-label": "New value", "data-part": "value" });
    const unit = h("span", { class: "quiet" });
    const hint = h("small", { class: "hint" });
    const row = this.row(this.edits, "change", [pick, value, unit, hint]);
    const describe = () => {
      const one = known.find((/** @type {any} */ each) => each.name === pick.value);
      value.setAttribute("min", String(one.low));
      value.setAttribute("max", String(one.high));
      setText(unit, prettyUnit(one.unit));
      setText(hint, `now ${one.now == null ? ABSENT : plain(one.now)}; possible ${plain(one.low)} to ${plain(one.high)}${one.moves_body ? "" : "; read by scores and risk models only"}`);
      return one;
    };
    pick.addEventListener("change", () => { const one = describe(); value.value = one.now == null ? "" : plain(one.now); });
    if (given) pick.value = given[0];
    const one = describe();
    value.value = given ? String(given[1]) : one.now == null ? "" : plain(one.now);
    return row;
  }

  /** @param {HTMLElement} list @param {string} what @param {(Node | null)[]} parts */
  row(list, what, parts) {
    const row = h("li", {}, ...parts, h("button", { type: "button", class: "icon", "aria-label": `Remove this ${what}`, onclick: () => {
      const next = row.nextElementSibling ?? row.previousElementSibling;
      row.remove();
      (next?.querySelector("button") ?? list.parentElement?.querySelector(":scope > button"))?.focus();
    } }, "✕"));
    list.append(row);
    return row;
  }

  clear() {
    this.actions.replaceChildren();
    this.edits.replaceChildren();
    this.error("");
    byId("wi-form").elements.hours.value = "6";
  }

  /** What the form says; an error is shown where it is not complete. */
  scenario() {
    const form = byId("wi-form");
    for (const field of form.elements) if (field.validationMessage) { this.error(`${field.getAttribute("aria-label") ?? "Hours"}: ${field.validationMessage}`); field.focus(); return null; }
    const part = (/** @type {Element} */ row, /** @type {string} */ name) => /** @type {any} */ (row.querySelector(`[data-part="${name}"]`)).value;
    const actions = [...this.actions.children].map((row) => {
      const [name, unit] = [...row.querySelectorAll("select")].map((one) => one.value);
      const lasts = part(row, "lasts");
      return { name, unit, value: Number(part(row, "value")), start_s: 60 * Number(part(row, "start")), duration_s: lasts === "" ? null : 60 * Number(lasts) };
    });
    const edits = Object.fromEntries([...this.edits.children].map((row) => [/** @type {any} */ (row.querySelector("select")).value, Number(part(row, "value"))]));
    this.error("");
    return { actions, edits, horizon_s: Math.round(3600 * Number(form.elements.hours.value)) };
  }

  /** @param {string} text */
  error(text) {
    byId("wi-error").hidden = !text;
    setText(byId("wi-error"), text);
  }

  // --- the service ---

  /** Ask the service; null, with the error shown, where it refuses. @param {string} path @param {string} method @param {any} [body] @param {AbortSignal} [signal] */
  async ask(path, method, body, signal) {
    try {
      const answer = await fetch(`/api/v1/${path}`, {
        method, signal, ...(body ? { headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) } : {}),
      });
      const told = await answer.json();
      if (answer.ok) return told;
      this.error(told.detail ?? `Refused (${answer.status}).`);
    } catch (error) {
      this.error(signal?.aborted ? "Cancelled." : "The ward cannot be reached.");
    }
    return null;
  }

  async run() {
    const scenario = this.scenario();
    if (!scenario) return;
    this.running?.abort();
    const mine = (this.running = new AbortController());
    byId("wi-cancel").hidden = false;
    byId("wi-results").setAttribute("aria-busy", "true");
    const told = await this.ask(`patients/${encodeURIComponent(this.patient)}/what-if/explanation?${reading()}`, "POST", scenario, mine.signal);
    if (this.running !== mine) return;
    this.running = null;
    byId("wi-cancel").hidden = true;
    byId("wi-results").removeAttribute("aria-busy");
    if (!told) return;
    showAnswer(byId("wi-results"), told.what_if);
    putWords(told.evidence, byId("wi-words"));
    this.say(told.what_if.standing === "outside" ? "The scenario is outside the model's domain." : `Compared; it took ${fixed(told.what_if.took_ms / 1000, 1)} s.`);
  }

  async list() {
    const told = await this.ask(`scenarios?patient=${encodeURIComponent(this.patient)}`, "GET");
    this.saved = told?.scenarios ?? this.saved;
    const pick = byId("wi-saved");
    const before = pick.value;
    pick.replaceChildren(h("option", { value: "" }, this.saved.length ? "choose one" : "none saved"), ...this.saved.map((one) => h("option", { value: one.id }, one.patient ? one.name : `${one.name} (every patient)`)));
    pick.value = this.saved.some((one) => one.id === before) ? before : "";
  }

  load() {
    const one = this.saved.find((each) => each.id === byId("wi-saved").value);
    if (!one || !this.body) return;
    this.clear();
    const lost = [];
    for (const action of one.actions) {
      if (this.body.interventions.some((/** @type {any} */ each) => each.name === action.name)) this.addAction(action);
      else lost.push(action.name);
    }
    for (const edit of Object.entries(one.edits)) {
      if (this.body.edits.some((/** @type {any} */ each) => each.name === edit[0])) this.addEdit(/** @type {[string, number]} */ (edit));
      else lost.push(edit[0]);
    }
    byId("wi-form").elements.hours.value = plain(one.horizon_s / 3600);
    if (byId("wi-name")) { byId("wi-name").value = one.name; byId("wi-general").checked = !one.patient; }
    this.error(lost.length ? `This body does not know ${lost.join(", ")}: left out.` : "");
    this.say(`Loaded ${one.name}.`);
  }

  async save() {
    const name = byId("wi-name").value.trim();
    if (!name) { this.error("Name the scenario first."); byId("wi-name").focus(); return; }
    const scenario = this.scenario();
    if (!scenario) return;
    const told = await this.ask("scenarios", "POST", { ...scenario, name, patient: byId("wi-general").checked ? "" : this.patient });
    if (!told) return;
    await this.list();
    byId("wi-saved").value = told.scenario.id;
    this.say(`Saved ${name}.`);
  }

  async remove() {
    const which = byId("wi-saved").value;
    if (!which || !(await this.ask(`scenarios/${which}`, "DELETE"))) return;
    await this.list();
    this.say("Deleted.");
  }
}
