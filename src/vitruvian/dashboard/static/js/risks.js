// The cards of a patient's risks and what is said of the alarms, fetched again as the server writes them.
// @ts-check

const SOON_MS = 1_500; // while better words are on their way
const SOON_MAX = 14;
let soon = 0;
let timer = 0;

/** A part of a page. The browser parses it as it arrives, so that no text has to be made into markup here. @param {string} url @param {string | FormData | URLSearchParams} [body] posted where there is one @returns {Promise<Document | null>} */
export function part(url, body) {
  return new Promise((resolve) => {
    const request = new XMLHttpRequest();
    request.open(body === undefined ? "GET" : "POST", url);
    request.responseType = "document";
    request.addEventListener("load", () => resolve(request.responseXML));
    request.addEventListener("error", () => resolve(null)); // the banner says that the ward cannot be reached
    request.send(body);
  });
}

/** For whom, and in which language, the page is worded. */
export function reading() {
  const told = new URLSearchParams(location.search);
  const query = new URLSearchParams();
  for (const name of ["for", "language"]) { const value = told.get(name); if (value) query.set(name, value); }
  return query;
}

/** Whether somebody is reading in it: by keyboard, or with what stands behind a fact open. @param {Element} node */
const inUse = (node) => node.contains(document.activeElement) || node.querySelector(".fact:hover") !== null;

/** What is open stays open, and what has the focus keeps it. @param {string} patient */
export async function refreshRisks(patient) {
  const place = document.getElementById("risks");
  const fresh = place && await part(`/patients/${encodeURIComponent(patient)}/risks?${reading()}`);
  if (!place || !fresh) return;
  for (const card of /** @type {NodeListOf<HTMLElement>} */ (fresh.querySelectorAll(".risk-card"))) {
    const old = place.querySelector(`.risk-card[data-task="${card.dataset.task}"]`);
    if (!old) { place.append(card); continue; }
    if (inUse(old)) continue; // the next time
    const details = card.querySelector("details");
    if (details) details.open = old.querySelector("details")?.open ?? false;
    if (!old.isEqualNode(card)) old.replaceWith(card);
  }
  const said = fresh.getElementById("alarm-words");
  const before = document.getElementById("alarm-words");
  if (said && before && !inUse(before) && !before.isEqualNode(said)) before.replaceWith(said);
  again(patient);
}

/** Soon again, while better words are on their way. @param {string} patient */
export function again(patient) {
  clearTimeout(timer);
  const pending = document.querySelector("#risks [data-pending], #alarm-words [data-pending]");
  soon = pending ? soon + 1 : 0;
  if (pending && soon <= SOON_MAX && !document.hidden) timer = setTimeout(() => refreshRisks(patient), SOON_MS);
}
