// Numbers, durations and days as people read them, in the same forms as formats.py; and elements.

const DAY_MS = 86_400_000;
const number = new Intl.NumberFormat("en-US", { maximumFractionDigits: 1 }).format;

/** @param {number | null} share from 0 to 1; rounding never makes it 0 or 100 % */
function percent(share) {
  if (share === null) return "–";
  if (share > 0 && share < 0.001) return "under 0.1\u00a0%";
  return share > 0.999 && share < 1 ? "over 99.9\u00a0%" : `${number(share * 100)}\u00a0%`;
}

/** @param {number | null} value in hours, which becomes 42 min, 3.4 h or 2.1 d */
function duration(value, missing = "–") {
  if (value === null) return missing;
  const minutes = Math.round(value * 60);
  if (minutes < 1) return value > 0 ? "under 1\u00a0min" : "0\u00a0min";
  if (minutes < 60) return `${minutes}\u00a0min`;
  return value <= 48 ? `${number(value)}\u00a0h` : `${number(value / 24)}\u00a0d`;
}

/** @type {(count: number, one: string, many?: string) => string} */
const counted = (count, one, many = `${one}s`) => `${number(count)} ${count === 1 ? one : many}`;

/** @param {number} days since the epoch */
const isoDay = (days) => new Date(days * DAY_MS).toISOString().slice(0, 10);

/** @param {string} text such as 2026-03-01, which becomes days since the epoch; null for others */
function dayOf(text) {
  const moment = /^\d{4}-\d\d-\d\d$/.test(text) ? Date.parse(`${text}T00:00:00Z`) : NaN;
  return Number.isNaN(moment) ? null : moment / DAY_MS;
}

/** @param {string} id */
const byId = (id) => /** @type {HTMLElement} */ (document.getElementById(id));

/** @type {(name: string, attributes: Attributes, ...content: (string | Node)[]) => HTMLElement} */
function element(name, attributes, ...content) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...content);
  return made;
}
