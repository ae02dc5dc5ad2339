// From measures to what charts and tables show: rows, and a sentence for each chart.

/**
 * @typedef {{id: string, name: string, brand_id: string, brand: string, use_case: string}} Campaign
 * @typedef {{hours: number, is_main: boolean}} Target
 * @typedef {object} Stuck
 * @property {string} id
 * @property {number} campaign
 * @property {string} state
 * @property {string} created
 * @property {number} created_day
 * @property {number} age
 * @property {number} limit
 * @property {string} limit_is
 * @typedef {object} Numbers how many telephone numbers a campaign has
 * @property {number} campaign
 * @property {number} numbers
 * @property {number} completed
 * @property {number} waiting
 * @property {number} failed
 * @property {number | null} left
 * @property {number | null} median_all
 * @property {number | null} p90_all
 * @typedef {{kind: string, group: string, median_all: number | null, p90_all: number | null}} NumberTime
 * @typedef {{number: string, campaign: number, failed_at: string, retries: number}} FailedNumber
 * @typedef {object} Context what the page carries beside the orders
 * @property {number} orders
 * @property {number} cells
 * @property {number} first_day
 * @property {number} today
 * @property {boolean} is_whole whether all orders are carried, not only the newest
 * @property {string[]} statuses
 * @property {Campaign[]} campaigns
 * @property {Target[]} targets
 * @property {number} promises how many there are
 * @property {number[]} backlog_hours
 * @property {number[]} bar_hours
 * @property {Stuck[]} stuck
 * @property {Numbers[]} numbers
 * @property {NumberTime[]} number_times of all, brands and use cases
 * @property {FailedNumber[]} failed_numbers
 */

const MOST_STEPS = 120;

/** @param {Context} context
 * @param {string} unit
 * @param {number} day */
function periodLabel(context, unit, day) {
  const text = isoDay(context.first_day + day);
  return unit === "day" ? text : `week of ${text}`;
}

/** @param {number} hours
 * @param {number} [next] */
const range = (hours, next) =>
  next === undefined ? `over ${duration(hours)}` : `${duration(hours)} to ${duration(next)}`;

/** Everything that is shown of a view.
 * @param {Orders} orders
 * @param {Context} context
 * @param {View} view */
function results(orders, context, view) {
  const today = context.today - context.first_day;
  const found = before(view, today);
  // of days whose orders the page does not carry, nothing can be said
  const earlier = found && (context.is_whole || Number(found.from) >= 0) ? found : null;
  const span = daysOf(orders, view);
  const main = /** @type {Target} */ (context.targets.find((target) => target.is_main));
  const now = summary(orders, view);
  const chosen = new Set(view.campaigns);
  const ofChosen = (/** @type {{campaign: number}} */ row) => chosen.has(row.campaign);
  const numbers = context.numbers.filter(ofChosen);
  return {
    now,
    earlier: earlier && summary(orders, earlier),
    main,
    periods: byPeriod(orders, view, context.first_day, span),
    curve: now.durations.curve(),
    flow: flow(orders, view, today, span),
    backlog: backlog(orders, view, context.backlog_hours),
    histogram: now.durations.between(now.durations.done, context.bar_hours),
    targets: context.targets.map(({ hours }) => ({ hours, ...now.durations.within(hours) })),
    promises: context.promises,
    campaigns: campaignRows(orders, context, view),
    stuck: stuckOf(context, view),
    numbers: numbers.map((row) => ({ ...row, share: row.completed / row.numbers })),
    failed_numbers: context.failed_numbers.filter(ofChosen),
  };
}

/** @typedef {ReturnType<typeof results>} Results */

/** @type {Map<unknown, ReturnType<typeof byCampaign>[number]> | null} */
let ofAllTime = null;

/** A row for each campaign of a view; worked out once where neither days nor a status are chosen.
 * @param {Orders} orders
 * @param {Context} context
 * @param {View} view */
function campaignRows(orders, context, view) {
  if (view.from !== null || view.to !== null || view.status !== null) {
    return byCampaign(orders, view);
  }
  const all = { ...view, campaigns: context.campaigns.map((_, n) => n) };
  const known = (ofAllTime ??= new Map(byCampaign(orders, all).map((row) => [row.campaign, row])));
  return view.campaigns.map((campaign) => known.get(campaign)).filter((row) => row !== undefined);
}

/** The stuck orders of a view, the oldest first, as far as the page carries them.
 * @param {Context} context
 * @param {View} view */
function stuckOf(context, { campaigns, from, to, status }) {
  if (status !== null && status !== OPEN) return [];
  const chosen = new Set(campaigns);
  return context.stuck.filter((order) => {
    const day = order.created_day - context.first_day;
    return chosen.has(order.campaign) && day >= (from ?? 0) && day <= (to ?? day);
  });
}

/** Steps of a curve, thinned to what can be seen.
 * @template T
 * @param {T[]} steps
 * @returns {T[]} */
function thinned(steps) {
  const every = Math.ceil(steps.length / MOST_STEPS);
  return every > 1 ? steps.filter((_, n) => n % every === 0 || n === steps.length - 1) : steps;
}

/** The rows of each chart.
 * @type {Record<string, (found: Results, context: Context) => Record<string, unknown>[]>} */
const ROWS = {
  orders: (found, context) => {
    const length = found.periods.unit === "day" ? 1 : 7;
    return found.periods.rows.map((row) => ({
      label: periodLabel(context, found.periods.unit, row.day),
      begin: (context.first_day + row.day) * DAY_MS,
      end: (context.first_day + row.day + length) * DAY_MS,
      day: row.day,
      length,
      count: row.count,
      open: row.open,
      shown: number(row.count),
      open_shown: number(row.open),
    }));
  },
  "over-time": (found, context) => {
    const rows = found.periods.rows.flatMap((row) =>
      [
        ["median, all", row.medianAll],
        ["p90, all", row.p90All],
        ["median, processed", row.median],
        ["p90, processed", row.p90],
      ].map(([series, hours]) => ({
        label: periodLabel(context, found.periods.unit, row.day),
        begin: (context.first_day + row.day) * DAY_MS,
        series,
        hours,
        shown: duration(/** @type {number | null} */ (hours), "not yet known"),
      })),
    );
    return rows.some((row) => row.hours !== null) ? rows : [];
  },
  survival: (found) => {
    const row = (
      /** @type {string} */ series,
      /** @type {number} */ hours,
      /** @type {number} */ share,
    ) => ({
      series,
      hours,
      share,
      after: duration(hours),
      shown: percent(share),
      low: null,
      high: null,
    });
    const steps = thinned(found.curve);
    // a curve to compare with, and nothing without one
    const earlier = found.earlier && steps.length ? thinned(found.earlier.durations.curve()) : [];
    return [
      ...steps.map((step) => ({
        ...row("all orders (Kaplan-Meier, 95 % band)", step.hours, step.share),
        lower: step.lower,
        upper: step.upper,
        risk: step.risk,
        // without a width where the band is not known
        low: step.lower ?? step.share,
        high: step.upper ?? step.share,
      })),
      ...steps.map((step) => row("processed orders only", step.hours, step.naive)),
      ...earlier.map((step) => row("all orders, the period before", step.hours, step.share)),
    ];
  },
  histogram: (found, context) => {
    const begins = context.bar_hours;
    return found.histogram
      .map((count, n) => {
        const from = n ? begins[n - 1] : begins[0] / 2;
        const to = n < begins.length ? begins[n] : begins[n - 1] * 1.33;
        const label = n ? range(from, n < begins.length ? to : undefined) : `under ${duration(to)}`;
        return { from, to, count, label, shown: number(count) };
      })
      .filter((bar) => bar.count);
  },
  flow: (found, context) =>
    thinned(found.flow).flatMap((row) =>
      [
        ["arrived so far", row.arrived],
        ["processed so far", row.processed],
        ["open", row.open],
      ].map(([series, count]) => ({
        label: isoDay(context.first_day + row.day),
        begin: (context.first_day + row.day) * DAY_MS,
        series,
        count,
        shown: number(/** @type {number} */ (count)),
      })),
    ),
  backlog: (found, context) => {
    const begins = context.backlog_hours;
    const rows = found.backlog.counts.map((count, n) => ({
      label: n ? range(begins[n - 1], begins[n]) : `under ${duration(begins[0])}`,
      count,
      shown: number(count),
    }));
    const { unknown } = found.backlog;
    return unknown
      ? [...rows, { label: "not known", count: unknown, shown: number(unknown) }]
      : rows;
  },
  targets: (found) =>
    found.targets.map((target) => ({
      label: duration(target.hours),
      share: target.share,
      within: target.within,
      missed: target.missed,
      shown: percent(target.share),
    })),
};

/** What each chart says, in a sentence.
 * @type {Record<string, (found: Results) => string>} */
const SENTENCES = {
  orders: ({ now, periods }) =>
    `${counted(now.count, "order")}, ${number(now.byStatus[OPEN])} of them open, by ${periods.unit}.` +
    " Click a bar to see its orders only.",
  "over-time": ({ periods }) => {
    const known = periods.rows.filter((row) => row.medianAll !== null);
    if (!known.length) return `No ${periods.unit} has half of its orders processed yet.`;
    const last = known[known.length - 1];
    return (
      `The median of all orders was ${duration(last.medianAll)} in the newest ${periods.unit} with` +
      " half of its orders processed."
    );
  },
  survival: ({ now }) =>
    `Half of all orders are processed within ${duration(now.medianAll, "a time not yet known")}, nine` +
    ` of ten within ${duration(now.p90All, "a time not yet known")}. Counting finished orders only:` +
    ` ${duration(now.median)} and ${duration(now.p90)}.`,
  histogram: ({ now }) =>
    `Half of the ${counted(now.durations.processed, "processed order")} took ${duration(now.median)}` +
    ` or less, one in ten more than ${duration(now.p90)}.`,
  flow: ({ flow: days }) => {
    const last = days[days.length - 1];
    if (!last) return "No order with a time of creation.";
    return (
      `${counted(last.arrived, "order")} arrived: ${number(last.processed)} were processed,` +
      ` ${number(last.open)} are open.`
    );
  },
  backlog: ({ now, backlog: ages }) =>
    `${counted(now.byStatus[OPEN], "order is", "orders are")} open` +
    (ages.oldest === null ? "." : `, the oldest for ${duration(ages.oldest)}.`),
  targets: ({ now, main }) => {
    const { within, missed, share } = now.durations.within(main.hours);
    return (
      `${percent(share)} of the ${counted(within + missed, "order")} old enough to count were` +
      ` processed within ${duration(main.hours)}. A failed order counts as missed.`
    );
  },
};

/** How many of a view's numbers can send, and how long that took where a report says so.
 * @param {Results} found
 * @param {Filters} filters
 * @param {Context} context */
function numbersSentence({ numbers }, { campaign, brand, use_case }, context) {
  const sum = (/** @type {"numbers" | "completed" | "waiting" | "failed"} */ key) =>
    numbers.reduce((total, row) => total + row[key], 0);
  const counts =
    `${number(sum("completed"))} of ${counted(sum("numbers"), "number")} can send;` +
    ` ${number(sum("waiting"))} wait, ${number(sum("failed"))} failed.`;
  const [kind, group] = brand
    ? ["brand", brand]
    : use_case
      ? ["use case", use_case]
      : ["all", "(all)"];
  const times = campaign
    ? numbers[0]
    : brand && use_case
      ? undefined
      : context.number_times.find((row) => row.kind === kind && row.group === group);
  if (!times || times.median_all === null) return counts;
  return (
    `${counts} Half of those ever assigned could send within ${duration(times.median_all)},` +
    ` nine of ten within ${duration(times.p90_all, "a time not yet known")}.`
  );
}

/** The tiles: a value, and what it was in the period before or what else belongs to it.
 * @param {Results} found
 * @returns {Record<string, [string, string]>} */
function tiles({ now, earlier, main, promises, stuck }) {
  const then = earlier ? earlier.inTime : null;
  const within = promises > 1 ? "as promised" : `within ${duration(main.hours)}`;
  const others = (/** @type {number | null} */ value) =>
    `${duration(value)} of processed orders only`;
  return {
    orders: [
      number(now.count),
      earlier
        ? compared(now.count, earlier.count, "more", "fewer", (n) => number(n ?? 0))
        : `${number(now.byStatus[PROCESSED])} processed`,
    ],
    open: [
      number(now.byStatus[OPEN]),
      `${number(now.stuck)} stuck` + (stuck.length ? `, the oldest ${duration(stuck[0].age)}` : ""),
    ],
    median: [
      duration(now.medianAll, "not yet known"),
      earlier
        ? compared(now.medianAll, earlier.medianAll, "longer", "shorter", duration)
        : others(now.median),
    ],
    p90: [
      duration(now.p90All, "not yet known"),
      earlier
        ? compared(now.p90All, earlier.p90All, "longer", "shorter", duration)
        : others(now.p90),
    ],
    target: [percent(now.inTime), then === null ? within : `${percent(then)} in the period before`],
  };
}
