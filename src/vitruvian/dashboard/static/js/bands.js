// Bands of a forecast on a uPlot: 90 % light, 50 % darker, the median dashed. Quantiles are 5, 25, 50, 75, 95 %.
// @ts-check

/** @param {string} name */
export const token = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

const STRENGTH = [[0, 4, 0.16], [1, 3, 0.3]];

/** Fill the bands and draw the median of five rows of quantiles. @param {any} u @param {number[]} at x of each point @param {number[][]} bands @param {string} colour @param {{dash?: number[], width?: number}} [also] */
export function drawBands(u, at, bands, colour, also = {}) {
  const { ctx, bbox } = u;
  const x = at.map((one) => u.valToPos(one, "x", true));
  const y = bands.map((row) => row.map((one) => u.valToPos(one, "y", true)));
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  ctx.fillStyle = colour;
  ctx.strokeStyle = colour;
  for (const [low, high, strength] of STRENGTH) {
    ctx.globalAlpha = strength;
    ctx.beginPath();
    x.forEach((one, index) => ctx.lineTo(one, y[low][index]));
    for (let index = x.length - 1; index >= 0; index--) ctx.lineTo(x[index], y[high][index]);
    ctx.closePath();
    ctx.fill();
  }
  ctx.globalAlpha = 1;
  ctx.lineWidth = (also.width ?? 1.5) * devicePixelRatio;
  ctx.setLineDash((also.dash ?? [5, 4]).map((one) => one * devicePixelRatio));
  ctx.beginPath();
  x.forEach((one, index) => ctx.lineTo(one, y[2][index]));
  ctx.stroke();
  ctx.restore();
}

/** A line across the chart at an instant, with a word. @param {any} u @param {number} at @param {string} word */
export function drawNow(u, at, word) {
  const { ctx, bbox } = u;
  const x = u.valToPos(at, "x", true);
  if (x < bbox.left || x > bbox.left + bbox.width) return;
  ctx.save();
  ctx.strokeStyle = ctx.fillStyle = token("--quiet");
  ctx.lineWidth = devicePixelRatio;
  ctx.beginPath();
  ctx.moveTo(x, bbox.top);
  ctx.lineTo(x, bbox.top + bbox.height);
  ctx.stroke();
  ctx.font = `${10 * devicePixelRatio}px sans-serif`;
  ctx.textAlign = "left";
  ctx.textBaseline = "top";
  ctx.fillText(word, x + 4 * devicePixelRatio, bbox.top);
  ctx.restore();
}

/** The least and greatest of bands; nothing where there are none. @param {number[][]} bands @returns {[number, number]} */
export function extent(bands) {
  const every = bands.flat();
  return [every.reduce((a, b) => Math.min(a, b), Infinity), every.reduce((a, b) => Math.max(a, b), -Infinity)];
}
