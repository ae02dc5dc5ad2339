// Numbers, durations and days as people read them; the same forms as formats.py.

const DAY_MS = 86_400_000;
const grouped = new Intl.NumberFormat("en-US");

/** @param {number} count */
const number = (count) => grouped.format(count);

/** @param {number} value */
const short = (value) =>
  value.toLocaleString("en-US", { maximumFractionDigits: 1, minimumFractionDigits: 0 });

/** A share from 0 to 1; rounding never makes it 0 or 100 %.
 * @param {number | null} share */
function percent(share) {
  if (share === null) return "–";
  if (share > 0 && share < 0.001) return "under 0.1\u00a0%";
  if (share > 0.999 && share < 1) return "over 99.9\u00a0%";
  return `${short(share * 100)}\u00a0%`;
}

/** A duration given in hours: 42 min, 3.4 h, 2.1 d.
 * @param {number | null} value
 * @param {string} [missing] */
function duration(value, missing = "–") {
  if (value === null) return missing;
  const minutes = Math.round(value * 60);
  if (minutes < 1) return value > 0 ? "under 1\u00a0min" : "0\u00a0min";
  if (minutes < 60) return `${minutes}\u00a0min`;
  return value <= 48 ? `${short(value)}\u00a0h` : `${short(value / 24)}\u00a0d`;
}

/** @param {number} days since the epoch */
const isoDay = (days) => new Date(days * DAY_MS).toISOString().slice(0, 10);

/** @param {string} text
 * @returns {number | null} days since the epoch */
function dayOf(text) {
  const moment = /^\d{4}-\d\d-\d\d$/.test(text) ? Date.parse(`${text}T00:00:00Z`) : NaN;
  return Number.isNaN(moment) ? null : moment / DAY_MS;
}

/** @param {number} count
 * @param {string} one
 * @param {string} [many] */
const counted = (count, one, many = `${one}s`) => `${number(count)} ${count === 1 ? one : many}`;

/** How a value compares with the one before.
 * @param {number | null} now
 * @param {number | null} before
 * @param {string} more
 * @param {string} less
 * @param {(value: number | null) => string} shown */
function compared(now, before, more, less, shown) {
  if (before === null) return "";
  const text = `${shown(before)} in the period before`;
  if (now === null || !before) return text;
  const change = Math.round((now / before - 1) * 100);
  return change
    ? `${Math.abs(change)} % ${change > 0 ? more : less} than before (${shown(before)})`
    : `as before (${shown(before)})`;
}
