// The cards of a patient's risks, fetched again as the server writes them.
// @ts-check

/** A part of a page. The browser parses it as it arrives, so that no text has to be made into markup here. @param {string} url @returns {Promise<Document | null>} */
function part(url) {
  return new Promise((resolve) => {
    const request = new XMLHttpRequest();
    request.open("GET", url);
    request.responseType = "document";
    request.addEventListener("load", () => resolve(request.status === 200 ? request.responseXML : null));
    request.addEventListener("error", () => resolve(null)); // the banner says that the ward cannot be reached
    request.send();
  });
}

/** What is open stays open, and what has the focus keeps it. @param {string} patient */
export async function refreshRisks(patient) {
  const place = document.getElementById("risks");
  const fresh = place && await part(`/patients/${encodeURIComponent(patient)}/risks`);
  if (!place || !fresh) return;
  for (const card of /** @type {NodeListOf<HTMLElement>} */ (fresh.querySelectorAll(".risk-card"))) {
    const old = place.querySelector(`.risk-card[data-task="${card.dataset.task}"]`);
    if (!old) { place.append(card); continue; }
    if (old.contains(document.activeElement)) continue; // somebody is reading it by keyboard: the next time
    const details = card.querySelector("details");
    if (details) details.open = old.querySelector("details")?.open ?? false;
    if (!old.isEqualNode(card)) old.replaceWith(card);
  }
}
