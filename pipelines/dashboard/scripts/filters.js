// The filters: kept in the page's address, so that a view can be sent, and in the form.

const FILTERS = /** @type {const} */ (["from", "to", "brand", "campaign", "use_case", "status"]);

/** @param {Record<string, unknown>} given
 * @returns {Filters} */
function filtersOf(given) {
  const entries = FILTERS.map((name) => [name, String(given[name] ?? "")]);
  return /** @type {Filters} */ (Object.fromEntries(entries));
}

function filtersFromAddress() {
  const given = filtersOf(Object.fromEntries(new URLSearchParams(location.hash.slice(1))));
  const day = (/** @type {string} */ text) => (dayOf(text) === null ? "" : text);
  return { ...given, from: day(given.from), to: day(given.to) };
}

/** @param {Filters} filters */
function addressOf(filters) {
  const given = FILTERS.filter((name) => filters[name]).map((name) => [name, filters[name]]);
  const text = new URLSearchParams(given).toString();
  return text ? `#${text}` : location.pathname + location.search;
}

/** The view that filters choose.
 * @param {Filters} filters
 * @returns {View} */
function viewOf({ from, to, brand, campaign, use_case, status }) {
  const day = (/** @type {string} */ text) =>
    text ? Number(dayOf(text)) - context.first_day : null;
  const campaigns = context.campaigns.flatMap((found, n) => {
    const isCampaign = !campaign || found.campaign_id === campaign;
    const isBrand = !brand || found.brand_id === brand;
    return isCampaign && isBrand && (!use_case || found.use_case === use_case) ? [n] : [];
  });
  const chosen = status ? context.statuses.indexOf(status) : null;
  return { campaigns, from: day(from), to: day(to), status: chosen };
}

/** The period of the same length just before; null where the view has no beginning, and of days
 * whose orders the page does not carry.
 * @param {View} view
 * @returns {View | null} */
function before({ from, to, ...rest }) {
  if (from === null) return null;
  const length = (to ?? context.today - context.first_day) - from + 1;
  const isCarried = context.since === null || from - length >= 0;
  return length > 0 && isCarried ? { ...rest, from: from - length, to: from - 1 } : null;
}
