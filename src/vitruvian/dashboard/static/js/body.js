// The body's card, kept up to date: the same words and bars as dashboard/present.py and _body.html.
// @ts-check
import { fixed, h, prettyUnit, setText, share } from "./format.js";

const STANDING = {
  none: "No body", learning: "Still learning this patient", tracking: "Follows this patient",
  strained: "Follows this patient with strain", blind: "Nothing measured of late: it says what it expects",
  lost: "Has lost this patient: do not use it", outside: "Not made for this patient",
};
const TOP = { prior: 6, wide: 3, half: 3, middle: 0 };
const PAD = 0.04;
const SVG = "http://www.w3.org/2000/svg";

/** The body as the service has it now; null where it cannot be asked. @param {string} patient */
export async function fetchBody(patient) {
  try {
    const answer = await fetch(`/api/v1/patients/${encodeURIComponent(patient)}/body`);
    return answer.ok ? (await answer.json()).body : null;
  } catch {
    return null; // the banner says that the ward cannot be reached
  }
}

/** @param {any} body */
export function drawBody(body) {
  const standing = /** @type {HTMLElement} */ (document.getElementById("body-standing"));
  standing.dataset.status = body.status;
  const said = STANDING[/** @type {keyof STANDING} */ (body.status)];
  setText(standing, body.reason ? `${said}: ${body.reason.replace(/\.$/, "")}.` : `${said}.`);
  setText(/** @type {Node} */ (document.getElementById("body-model")), body.title ? `${body.title}; ${body.members} members; ${body.person}.` : "");
  const usable = body.status !== "lost" && body.status !== "outside";
  const shown = usable ? body.estimates.filter((/** @type {any} */ one) => !one.measured) : [];
  const region = /** @type {HTMLElement} */ (document.getElementById("estimates"));
  region.hidden = !shown.length;
  region.querySelector("tbody")?.replaceChildren(...shown.map(row));
}

/** @param {any} one */
function row(one) {
  return h("tr", { "data-name": one.name },
    h("th", { scope: "row" }, `${one.display} `, h("small", {}, prettyUnit(one.unit))),
    h("td", { class: "n" }, fixed(one.median, one.decimals)),
    h("td", { class: "n" }, `${fixed(one.low, one.decimals)} to ${fixed(one.high, one.decimals)}`),
    h("td", { "aria-hidden": "true" }, bars(one)),
    h("td", { class: "n" }, share(one.from_data)));
}

/** @param {any} one */
function bars(one) {
  const least = Math.min(one.low, one.prior_low);
  const most = Math.max(one.high, one.prior_high);
  const pad = PAD * (most - least || 1);
  const at = (/** @type {number} */ value) => (100 * (value - least + pad)) / (most - least + 2 * pad);
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 100 16");
  svg.setAttribute("preserveAspectRatio", "none");
  for (const [kind, begin, end] of [["prior", one.prior_low, one.prior_high], ["wide", one.low, one.high], ["half", one.low50, one.high50]]) {
    svg.append(bar(kind, at(begin), at(end) - at(begin)));
  }
  svg.append(bar("middle", at(one.median) - 0.5, 1));
  return svg;
}

/** @param {string} kind @param {number} x @param {number} width */
function bar(kind, x, width) {
  const node = document.createElementNS(SVG, "rect");
  const top = TOP[/** @type {keyof TOP} */ (kind)];
  for (const [name, value] of Object.entries({ class: kind, x: x.toFixed(1), width: width.toFixed(1), y: top, height: 16 - 2 * top })) node.setAttribute(name, String(value));
  return node;
}
