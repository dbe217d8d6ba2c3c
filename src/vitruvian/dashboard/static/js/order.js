// In what order rows stand. Pure, so that it can be tested alone.
// @ts-check

export const MARGIN = 0.03; // of probability: a smaller difference does not change the order
const LANE_RANK = { emergency: 0, urgent: 1, low: 2, routine: 3, unscored: 4 };

/** @param {any} row */
const risk = (row) => row.risk.probability ?? -1;
/** @param {any} row */
const score = (row) => row.news2.value ?? -1;
/** @param {any} row */
const lane = (row) => LANE_RANK[/** @type {keyof LANE_RANK} */ (row.lane)];
const beds = new Intl.Collator("en", { numeric: true });

/** Whether `a` must stand before `b`, whatever stood there: by more than the margin. @param {any} a @param {any} b @param {string} by */
function clearlyBefore(a, b, by) {
  if (by === "bed") return beds.compare(a.bed, b.bed) < 0;
  if (by === "severity") {
    if (lane(a) !== lane(b)) return lane(a) < lane(b);
    if (score(a) !== score(b)) return score(a) > score(b);
  }
  if (risk(a) < 0 && risk(b) < 0) return score(a) > score(b);
  return risk(a) > risk(b) + MARGIN;
}

/** A new order from the present one: rows pass each other only when they differ clearly. @param {any[]} rows @param {string} by @returns {any[]} */
export function reorder(rows, by) {
  const sorted = [...rows];
  for (let end = 1; end < sorted.length; end++) {
    for (let at = end; at > 0 && clearlyBefore(sorted[at], sorted[at - 1], by); at--) {
      [sorted[at - 1], sorted[at]] = [sorted[at], sorted[at - 1]];
    }
  }
  return sorted;
}

/** The same, with some rows kept at their places. @param {any[]} rows @param {string} by @param {(row: any) => boolean} held @returns {any[]} */
export function reorderHolding(rows, by, held) {
  const moved = reorder(rows.filter((row) => !held(row)), by);
  let next = 0;
  return rows.map((row) => (held(row) ? row : moved[next++]));
}
