// What stands behind a fact: shown on hover and on focus by the style sheet. Here it is placed along its line, Escape
// closes it (and Enter opens it again), and only one is open at a time.
// @ts-check

const GAP = 6;

/** @param {EventTarget | null} target @returns {HTMLElement | null} */
const factOf = (target) => (target instanceof Element ? target.closest(".fact") : null);

/** Open the one, close the others. @param {HTMLElement} fact */
function open(fact) {
  for (const other of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll(".fact:hover, .fact:focus-within"))) {
    if (other !== fact) other.dataset.dismissed = "1";
  }
  delete fact.dataset.dismissed;
  place(fact);
}

/** Under its words, within the paragraph; above them where the window ends. @param {HTMLElement} fact */
function place(fact) {
  const tip = /** @type {HTMLElement | null} */ (fact.querySelector(".tip"));
  const said = /** @type {HTMLElement | null} */ (fact.closest(".said"));
  const lines = [...(fact.querySelector(".shown")?.getClientRects() ?? [])];
  if (!tip || !said || !lines.length) return;
  tip.style.top = "";
  const within = said.getBoundingClientRect();
  const shown = tip.getBoundingClientRect();
  const above = shown.bottom > innerHeight && lines[0].top > shown.height + 2 * GAP;
  const words = above ? lines[0] : lines[lines.length - 1];
  tip.style.left = `${Math.max(0, Math.min(words.left - within.left - GAP, within.width - shown.width))}px`;
  if (above) tip.style.top = `${words.top - within.top - shown.height - GAP}px`;
}

document.addEventListener("pointerover", (event) => { const fact = factOf(event.target); if (fact && !fact.contains(/** @type {Node | null} */ (event.relatedTarget))) open(fact); });
document.addEventListener("focusin", (event) => { const fact = factOf(event.target); if (fact) open(fact); });
document.addEventListener("keydown", (event) => {
  const pressed = event.target instanceof Element && event.target.matches(".fact > .shown") ? factOf(event.target) : null;
  if (pressed && (event.key === "Enter" || event.key === " ")) {
    event.preventDefault();
    if (pressed.dataset.dismissed) open(pressed); else pressed.dataset.dismissed = "1";
  }
  if (event.key !== "Escape") return;
  for (const fact of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll(".fact:hover, .fact:focus-within"))) fact.dataset.dismissed = "1";
});
// What was closed opens again when it is left and come back to.
for (const kind of ["pointerout", "focusout"]) {
  document.addEventListener(kind, (event) => {
    const fact = factOf(event.target);
    if (fact?.dataset.dismissed && !fact.contains(/** @type {Node | null} */ (/** @type {FocusEvent} */ (event).relatedTarget))) setTimeout(() => { if (!fact.matches(":hover, :focus-within")) delete fact.dataset.dismissed; }, 0);
  });
}

const print = document.getElementById("print");
if (print) { print.hidden = false; print.addEventListener("click", () => window.print()); }
