// The charts: the rows that each is drawn from. How they are drawn is in charts.yaml.

const MOST_STEPS = 120;
// series, and the names of their values
const TIMES = {
  "median, all": "median_hours_all",
  "p90, all": "p90_hours_all",
  "median, processed": "median_hours",
  "p90, processed": "p90_hours",
};
const FLOWS = { "arrived so far": "arrived", "processed so far": "processed", open: "open" };

/** Steps of a curve, thinned to what can be seen.
 * @type {<T>(steps: T[]) => T[]} */
function thinned(steps) {
  const every = Math.ceil(steps.length / MOST_STEPS);
  return steps.filter((_, n) => n % every === 0 || n === steps.length - 1);
}

/** @type {(day: number, length?: number) => Row} */
const when = (day, length) => ({
  label: (length === 7 ? "week of " : "") + isoDay(context.first_day + day),
  begin: (context.first_day + day) * DAY_MS,
});

/** A row for each series: the values that `names` finds in a longer row, as `field`.
 * @type {(names: Record<string, string>, field: string, row: Row, at?: Row) => Row[]} */
const series = (names, field, row, at) =>
  Object.entries(names).map(([series, name]) => ({ series, [field]: row[name], ...at }));

/** Bars between durations: what is shorter than the first, what lies between two, what is longer.
 * @type {(counts: number[], begins: number[]) => Row[]} */
const bars = (counts, begins) =>
  counts.map((count, n) => {
    const from = n ? begins[n - 1] : begins[0] / 2;
    const to = begins[n] ?? from * 1.33;
    const most = n === begins.length ? "over " : `${duration(from)} to `;
    const label = (n ? most : "under ") + duration(n === begins.length ? from : to);
    return { label, from, to, count };
  });

/** @type {Record<string, (found: Found) => Row[]>} */
const ROWS = {
  orders: ({ periods }) =>
    periods.map(({ day, length, orders: count, open }) => {
      return { ...when(day, length), end: when(day + length).begin, day, length, count, open };
    }),
  "over-time": ({ periods }) => {
    const rows = periods.flatMap((period) =>
      series(TIMES, "hours", period, when(period.day, period.length)),
    );
    return rows.some((row) => row.hours !== null) ? rows : [];
  },
  survival: ({ curve, earlierCurve }) => {
    const steps = thinned(curve);
    // a curve to compare with, and nothing without one
    const earlier = steps.length ? thinned(earlierCurve) : [];
    const all = "all orders (Kaplan-Meier, 95 % band)";
    const done = "processed orders only";
    const before = "all orders, the period before";
    return [
      ...steps.map(({ naive, ...step }) => ({ series: all, ...step })),
      ...steps.map(({ hours, naive }) => ({ series: done, hours, share: naive })),
      ...earlier.map(({ hours, share }) => ({ series: before, hours, share })),
    ];
  },
  histogram: ({ histogram }) => bars(histogram, context.bar_hours).filter(({ count }) => count),
  flow: ({ flow }) => thinned(flow).flatMap((row) => series(FLOWS, "count", row, when(row.day))),
  backlog: ({ backlog: { counts, unknown } }) => {
    const rows = bars(counts, context.backlog_hours).map(({ label, count }) => ({ label, count }));
    return unknown ? [...rows, { label: "not known", count: unknown }] : rows;
  },
  targets: ({ targets }) =>
    targets.map(({ hours, ...row }) => ({ label: duration(hours), ...row })),
};

const OPTIONS = {
  ast: true,
  actions: false,
  renderer: "svg",
  defaultStyle: false,
  tooltip: { disableDefaultStyle: true },
  expressionFunctions: { number, duration, percent },
};

/** How a chart is drawn, in the colours of the page, which follow its light or dark scheme.
 * @param {string} name */
function specOf(name) {
  const style = getComputedStyle(document.documentElement);
  const spec = { ...context.drawing.shared, ...context.drawing.charts[name] };
  return JSON.parse(JSON.stringify(spec), (_, value) =>
    /^\$\w+$/.test(value) ? style.getPropertyValue(`--${value.slice(1)}`) : value,
  );
}
