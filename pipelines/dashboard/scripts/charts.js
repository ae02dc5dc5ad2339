// The charts: the rows that each is drawn from. How they are drawn is in charts.yaml.

const MOST_STEPS = 120;

/** Steps of a curve, thinned to what can be seen.
 * @template T
 * @param {T[]} steps */
function thinned(steps) {
  const every = Math.ceil(steps.length / MOST_STEPS);
  return steps.filter((_, n) => n % every === 0 || n === steps.length - 1);
}

/** @param {number} day */
const instantOf = (day) => (context.first_day + day) * DAY_MS;

/** @param {number} day */
const when = (day, length = 1) => ({
  label: (length === 7 ? "week of " : "") + isoDay(context.first_day + day),
  begin: instantOf(day),
});

/** Bars between durations: what is shorter than the first, what lies between two, what is longer.
 * @param {number[]} counts
 * @param {number[]} begins */
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
      return { ...when(day, length), end: instantOf(day + length), day, length, count, open };
    }),
  "over-time": ({ periods }) => {
    const rows = periods.flatMap(({ day, length, ...row }) => {
      const at = when(day, length);
      return [
        { series: "median, all", hours: row.median_hours_all, ...at },
        { series: "p90, all", hours: row.p90_hours_all, ...at },
        { series: "median, processed", hours: row.median_hours, ...at },
        { series: "p90, processed", hours: row.p90_hours, ...at },
      ];
    });
    return rows.some((row) => row.hours !== null) ? rows : [];
  },
  survival: ({ curve, earlierCurve }) => {
    const steps = thinned(curve);
    // a curve to compare with, and nothing without one
    const earlier = steps.length ? thinned(earlierCurve) : [];
    const [all, done, before] = [
      "all orders (Kaplan-Meier, 95 % band)",
      "processed orders only",
      "all orders, the period before",
    ];
    return [
      ...steps.map(({ naive, ...step }) => ({ series: all, ...step })),
      ...steps.map(({ hours, naive }) => ({ series: done, hours, share: naive })),
      ...earlier.map(({ hours, share }) => ({ series: before, hours, share })),
    ];
  },
  histogram: ({ histogram }) => bars(histogram, context.bar_hours).filter(({ count }) => count),
  flow: ({ flow }) =>
    thinned(flow).flatMap(({ day, arrived, processed, open }) => [
      { series: "arrived so far", count: arrived, ...when(day) },
      { series: "processed so far", count: processed, ...when(day) },
      { series: "open", count: open, ...when(day) },
    ]),
  backlog: ({ backlog: { counts, unknown } }) => {
    const rows = bars(counts, context.backlog_hours).map(({ label, count }) => ({ label, count }));
    return unknown ? [...rows, { label: "not known", count: unknown }] : rows;
  },
  targets: ({ targets }) =>
    targets.map(({ hours, ...row }) => ({ label: duration(hours), ...row })),
};

/** Draws a chart in the colours of the page, which follow its light or dark scheme.
 * @param {HTMLElement} place
 * @param {string} name
 * @param {Row[]} values */
async function drawn(place, name, values) {
  const { shared, charts } = context.drawing;
  const style = getComputedStyle(document.documentElement);
  const coloured = JSON.stringify({ ...shared, ...charts[name] }).replace(
    /"\$(\w+)"(?!:)/g,
    (_, colour) => JSON.stringify(style.getPropertyValue(`--${colour}`)),
  );
  const spec = {
    ...JSON.parse(coloured),
    width: place.clientWidth,
    data: { name: "rows", values },
  };
  const { view } = await vegaEmbed(place, spec, {
    ast: true,
    actions: false,
    renderer: "svg",
    defaultStyle: false,
    tooltip: { disableDefaultStyle: true },
    expressionFunctions: { number, duration, percent },
  });
  return view;
}
