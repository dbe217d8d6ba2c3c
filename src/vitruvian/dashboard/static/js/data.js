// The data page: streams refreshed every few seconds.
// @ts-check
import { ABSENT, ageText, clockText, h, setText } from "./format.js";

const EVERY_MS = 5000;
const body = document.querySelector("#streams tbody");
const pill = /** @type {HTMLElement} */ (document.getElementById("connection"));

async function refresh() {
  try {
    const answer = await (await fetch("/api/v1/streams")).json();
    body?.replaceChildren(...answer.streams.map((/** @type {any} */ one) => h("tr", {},
      h("td", {}, one.source),
      h("td", { class: "n" }, one.entries.toLocaleString("en-US")),
      h("td", { class: "n" }, one.per_s.toFixed(1)),
      h("td", {}, one.last_us ? clockText(one.last_us, "UTC", { seconds: true, day: true }) : ABSENT),
      h("td", { class: "n" }, one.lag_s == null ? ABSENT : ageText(one.lag_s)),
      h("td", {}, one.note))));
    pill.dataset.state = "live";
    setText(pill, "live");
  } catch {
    pill.dataset.state = "lost";
    setText(pill, "connection lost");
  }
}

setInterval(refresh, EVERY_MS);
refresh();
