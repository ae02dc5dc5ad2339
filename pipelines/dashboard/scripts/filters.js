// The filters: kept in the page's address, so that a view can be sent, and in the form.

/**
 * @typedef {object} Filters empty texts mean all
 * @property {string} from the first day of creation, such as 2026-03-01
 * @property {string} to the last one
 * @property {string} brand ids, as are campaigns
 * @property {string} campaign
 * @property {string} use_case
 * @property {string} status
 */

const FILTERS = /** @type {const} */ (["from", "to", "brand", "campaign", "use_case", "status"]);

/** @returns {Filters} */
function filtersFromAddress() {
  const given = new URLSearchParams(location.hash.slice(1));
  for (const name of ["from", "to"]) {
    if (dayOf(given.get(name) ?? "") === null) given.delete(name);
  }
  const entries = FILTERS.map((name) => [name, given.get(name) ?? ""]);
  return /** @type {Filters} */ (Object.fromEntries(entries));
}

/** @param {Filters} filters */
function addressOf(filters) {
  const given = FILTERS.filter((name) => filters[name]).map((name) => [name, filters[name]]);
  const text = new URLSearchParams(given).toString();
  return text ? `#${text}` : location.pathname + location.search;
}

/** The view that filters choose, and what of them matches nothing.
 * @param {Filters} filters
 * @param {Context} context
 * @returns {View} */
function viewOf(filters, context) {
  const matches = (/** @type {Campaign} */ c) =>
    (!filters.campaign || c.id === filters.campaign) &&
    (!filters.brand || c.brand_id === filters.brand) &&
    (!filters.use_case || c.use_case === filters.use_case);
  /** @type {number[]} */
  const campaigns = [];
  context.campaigns.forEach((campaign, n) => {
    if (matches(campaign)) campaigns.push(n);
  });
  const day = (/** @type {string} */ text) => {
    const found = dayOf(text);
    return found === null ? null : found - context.first_day;
  };
  const status = filters.status ? context.statuses.indexOf(filters.status) : null;
  return { campaigns, from: day(filters.from), to: day(filters.to), status };
}

/** The period of the same length just before; null where the view has no beginning.
 * @param {View} view
 * @param {number} today
 * @returns {View | null} */
function before(view, today) {
  if (view.from === null) return null;
  const length = (view.to ?? today) - view.from + 1;
  return length > 0 ? { ...view, from: view.from - length, to: view.from - 1 } : null;
}
