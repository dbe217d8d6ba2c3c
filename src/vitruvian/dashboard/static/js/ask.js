// Questions about a patient, for whom they are answered, and the words of a what-if: worded by the server, put in place.
// @ts-check
import { part, reading, refreshRisks } from "./risks.js";

/** @param {string} id */
const byId = (id) => /** @type {any} */ (document.getElementById(id));

/** The words of a packet of evidence, at once; then again once the language model has had its turn. @param {any} evidence @param {HTMLElement} place */
export async function putWords(evidence, place) {
  const packet = JSON.stringify(evidence);
  for (const wait of ["0", "1"]) {
    const query = reading();
    query.set("wait", wait);
    const told = await part(`/explained?${query}`, packet);
    const words = told?.querySelector(".explanation");
    if (!words || !place.isConnected) return;
    if (!place.contains(document.activeElement) && !place.querySelector(".fact:hover")) place.replaceChildren(words);
    if (wait === "0" && !words.hasAttribute("data-pending")) return;
  }
}

export class Ask {
  /** @param {string} patient @param {(text: string) => void} say */
  constructor(patient, say) {
    this.patient = patient;
    this.say = say;
    this.number = 0;
    byId("ask")?.addEventListener("submit", (/** @type {SubmitEvent} */ event) => { event.preventDefault(); this.send(event.submitter); });
    byId("answer")?.addEventListener("submit", (/** @type {SubmitEvent} */ event) => { event.preventDefault(); this.send(event.submitter); });
    byId("reader")?.addEventListener("submit", (/** @type {SubmitEvent} */ event) => { event.preventDefault(); this.read(event.submitter); });
    byId("reader")?.querySelector("select")?.addEventListener("change", () => this.read(null));
  }

  /** Ask, and show the answer as the server words it. @param {any} by */
  async send(by) {
    const form = byId("ask");
    if (by?.name === "suggested") form.elements.question.value = by.value;
    const mine = ++this.number;
    const place = byId("answer");
    place.hidden = false;
    place.setAttribute("aria-busy", "true");
    const told = await part(form.action, new URLSearchParams(/** @type {any} */ (new FormData(form))));
    if (mine !== this.number) return;
    place.removeAttribute("aria-busy");
    const answer = told?.getElementById("answer");
    if (answer) place.replaceChildren(...answer.childNodes);
    else place.textContent = told?.querySelector("main p")?.textContent ?? "The ward cannot be reached. Ask again.";
    this.say(place.querySelector(".said") ? "Answered." : "Not answered.");
    place.focus();
  }

  /** For another reader, or in another language. @param {any} by */
  async read(by) {
    const query = new URLSearchParams(location.search);
    if (by) query.set(by.name, by.value);
    const language = byId("reader").elements.language?.value;
    if (language) query.set("language", language);
    history.replaceState(null, "", `?${query}`);
    for (const button of byId("reader").querySelectorAll("button")) button.setAttribute("aria-pressed", String(button.value === (query.get("for") ?? "clinician")));
    for (const name of ["for", "language"]) { const value = query.get(name); if (value) byId("ask").elements[name].value = value; }
    await refreshRisks(this.patient);
    this.say("Worded again.");
  }
}
