// The filters: kept in the page's address, so that a view can be sent, and in the form.

/** @type {Filters} */
const ALL = { from: "", to: "", brand: "", campaign: "", use_case: "", status: "" };
const FILTERS = Object.keys(ALL);
/** @type {Record<string, string>} what a filter looks for in campaigns */
const FIELDS = { brand: "brand_id", campaign: "campaign_id", use_case: "use_case" };

/** @type {(given: Record<string, string>) => Filters} */
const filtersOf = (given) => ({ ...ALL, ...given });

function filtersFromAddress() {
  const given = new URLSearchParams(location.hash.slice(1));
  const filters = filtersOf({});
  for (const name of FILTERS) filters[name] = given.get(name) ?? "";
  for (const name of ["from", "to"]) if (dayOf(filters[name]) === null) filters[name] = "";
  return filters;
}

/** @param {Filters} filters */
function addressOf(filters) {
  const given = Object.entries(filters).filter(([, value]) => value);
  return given.length ? `#${new URLSearchParams(given)}` : location.pathname + location.search;
}

/** The view that filters choose.
 * @type {(filters: Filters) => View} */
function viewOf({ from, to, status, ...wanted }) {
  const day = (/** @type {string} */ text) =>
    text ? Number(dayOf(text)) - context.first_day : null;
  const fields = Object.entries(FIELDS).filter(([name]) => wanted[name]);
  const isWanted = (/** @type {Row} */ campaign) =>
    fields.every(([name, id]) => campaign[id] === wanted[name]);
  return {
    campaigns: context.all_campaigns.flatMap((campaign, n) => (isWanted(campaign) ? [n] : [])),
    from: day(from),
    to: day(to),
    status: status ? context.statuses.indexOf(status) : null,
  };
}

/** The period of the same length just before; null where the view has no beginning, and of days
 * whose orders the page does not carry.
 * @type {(view: View) => View | null} */
function before({ from, to, ...rest }) {
  if (from === null) return null;
  const length = (to ?? context.today - context.first_day) - from + 1;
  const isCarried = context.since === null || from - length >= 0;
  return length > 0 && isCarried ? { ...rest, from: from - length, to: from - 1 } : null;
}
