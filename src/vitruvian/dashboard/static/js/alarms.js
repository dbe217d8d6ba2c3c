// The list of alarms, and the dialog by which one is acknowledged with a reason or silenced for a time.
// @ts-check
import { ageText, h, setText, signs, SYMBOL } from "./format.js";

export class Alarms {
  /** @param {(text: string) => void} say announces to screen readers what changed @param {(alarm: any) => string} bed what its bed is called here */
  constructor(say, bed = (alarm) => alarm.bed) {
    this.say = say;
    this.bed = bed;
    this.list = /** @type {HTMLElement} */ (document.getElementById("alarms"));
    this.none = /** @type {HTMLElement} */ (document.getElementById("no-alarms"));
    this.count = document.getElementById("alarms-count");
    this.dialog = /** @type {HTMLDialogElement} */ (document.getElementById("settle"));
    this.form = /** @type {HTMLFormElement} */ (this.dialog.querySelector("form"));
    this.may = this.dialog.dataset.may === "1";
    /** @type {Map<string, {alarm: any, node: HTMLElement, key: string}>} */
    this.shown = new Map();
    this.first = true;
    /** @type {any} */
    this.current = null;
    this.form.addEventListener("submit", (event) => { event.preventDefault(); this.send(); });
    this.form.querySelector('[value="cancel"]')?.addEventListener("click", () => this.dialog.close());
  }

  /** @param {any[]} alarms the gravest first @param {number} nowUs */
  show(alarms, nowUs) {
    const held = /** @type {HTMLElement | null} */ (document.activeElement)?.closest("#alarms li")?.getAttribute("data-alert");
    const seen = new Set(alarms.map((alarm) => alarm.id));
    const fresh = alarms.filter((alarm) => !this.shown.has(alarm.id) && alarm.state === "open");
    for (const [id, { node }] of this.shown) if (!seen.has(id)) { node.remove(); this.shown.delete(id); }
    if (this.first) this.list.replaceChildren();
    alarms.forEach((alarm, index) => {
      const key = `${alarm.state}|${alarm.text}|${alarm.priority}|${alarm.by}`;
      const known = this.shown.get(alarm.id);
      if (known && known.key === key) { known.alarm = alarm; if (this.list.children[index] !== known.node) this.list.insertBefore(known.node, this.list.children[index] ?? null); return; }
      const node = this.draw(alarm);
      if (known) known.node.replaceWith(node);
      this.list.insertBefore(node, this.list.children[index] ?? null);
      this.shown.set(alarm.id, { alarm, node, key });
    });
    const open = alarms.filter((alarm) => alarm.state === "open").length;
    if (this.count) setText(this.count, alarms.length ? `${open} open, ${alarms.length - open} acknowledged` : "");
    this.none.hidden = alarms.length > 0;
    this.list.hidden = alarms.length === 0;
    if (!this.first && fresh.length) this.say(fresh.slice(0, 3).map((alarm) => `Alarm, ${alarm.bed}: ${signs(alarm.text)}`).join(". "));
    this.first = false;
    if (held && !this.list.contains(document.activeElement)) this.focusFrom(held, true); // its node was moved or replaced
    this.tick(nowUs);
  }

  /** @param {any} alarm */
  draw(alarm) {
    const open = alarm.state === "open";
    const priority = alarm.technical ? 1 : alarm.priority;
    const settled = open ? "" : ` · ${alarm.state} by ${alarm.by}: ${alarm.reason}`;
    return h("li", { "data-alert": alarm.id, "data-priority": priority, class: open ? "" : "settled" },
      h("span", { class: "alarm", "data-priority": open ? priority : 0 },
        h("span", { class: "sym" }, SYMBOL[alarm.priority] ?? ""), " ", signs(alarm.text)),
      h("small", {}, h("a", { href: `/patients/${encodeURIComponent(alarm.patient)}` }, `${this.bed(alarm)} ${alarm.name}`), " · ", h("span", { class: "since" }), settled),
      open && this.may ? h("button", { type: "button", onclick: () => this.ask(alarm), "aria-label": `Acknowledge ${signs(alarm.text)}, ${alarm.bed}` }, "Acknowledge") : null);
  }

  /** Keep the keyboard's place: this alarm's button, else the next one's, else any, else the heading. @param {string} id @param {boolean} own whether this alarm's own button will do */
  focusFrom(id, own) {
    const node = this.shown.get(id)?.node;
    const buttons = /** @type {HTMLElement[]} */ ([...this.list.querySelectorAll("li button")]);
    const others = buttons.filter((button) => button.parentElement !== node);
    const after = others.find((button) => node && node.compareDocumentPosition(button) & Node.DOCUMENT_POSITION_FOLLOWING);
    const mine = own ? buttons.find((button) => button.parentElement === node) : null;
    (mine ?? after ?? others[0] ?? document.getElementById("alarms-title"))?.focus();
  }

  /** @param {number} nowUs */
  tick(nowUs) {
    for (const { alarm, node } of this.shown.values()) {
      const since = node.querySelector(".since");
      if (since) setText(since, ageText((nowUs - alarm.raised_us) / 1e6));
    }
  }

  /** @param {any} alarm */
  ask(alarm) {
    this.current = alarm;
    this.form.reset();
    this.error("");
    setText(/** @type {Node} */ (document.getElementById("settle-what")), `${alarm.bed}, ${alarm.name}: ${signs(alarm.text)}`);
    this.dialog.showModal();
  }

  /** @param {string} text */
  error(text) {
    const node = /** @type {HTMLElement} */ (document.getElementById("settle-error"));
    node.hidden = !text;
    setText(node, text);
  }

  async send() {
    const fields = new FormData(this.form);
    const reason = [fields.get("reason"), fields.get("words")].map((part) => String(part ?? "").trim()).filter(Boolean).join(": ");
    if (!reason) { this.error("Say why, in a few words."); return; }
    const minutes = Number(fields.get("minutes"));
    const verb = minutes ? "snooze" : "acknowledge";
    try {
      const answer = await fetch(`/api/v1/alerts/${encodeURIComponent(this.current.id)}/${verb}`, {
        method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(minutes ? { reason, minutes } : { reason }),
      });
      if (!answer.ok) { this.error((await answer.json()).detail ?? `Refused (${answer.status}).`); return; }
      this.dialog.close();
      this.focusFrom(this.current.id, false);
      this.say(`${this.current.text}: ${verb === "snooze" ? `silenced for ${minutes} minutes` : "acknowledged"}`);
    } catch {
      this.error("The ward cannot be reached; the alarm is not acknowledged.");
    }
  }
}
