// What is said of a view, in tiles, above charts and tables, and to screen readers.

const UNKNOWN = "a time not yet known";

/** A tile's note: how a value compares with that of the period before, else what there is to say.
 * @type {(found: Found, name: keyof Found["now"], otherwise: string) => string} */
function compared({ now, earlier }, name, otherwise) {
  if (!earlier) return otherwise;
  const [value, before] = [now[name], earlier[name]];
  if (before === null) return "";
  const [more, less] = name === "orders" ? ["more", "fewer"] : ["longer", "shorter"];
  const then = name === "orders" ? number(before) : duration(before);
  if (value === null || !before) return `${then} in the period before`;
  const change = Math.round((value / before - 1) * 100);
  const how = change ? `${Math.abs(change)} % ${change > 0 ? more : less} than` : "as";
  return `${how} before (${then})`;
}

/** How long numbers took where a report says so: for a campaign, a brand, a use case or all.
 * @type {(numbers: Row[], filters: Filters) => Row | undefined} */
function numberTimes(numbers, { campaign, brand, use_case }) {
  if (campaign || (brand && use_case)) return campaign ? numbers[0] : undefined;
  const kind = brand ? "brand" : use_case ? "use case" : "all";
  const group = brand || use_case || "(all)";
  return context.number_times.find((row) => row.grouped_by === kind && row.group_id === group);
}

/** The text of each place, by its selector.
 * @type {(found: Found, filters: Filters) => Record<string, string>} */
function texts(found, filters) {
  const { now, earlier, main, tables, unit } = found;
  const [median, p90] = [duration(now.median_hours), duration(now.p90_hours)];
  const processed = found.histogram.reduce((total, count) => total + count, 0);
  const judged = counted(main.within + main.missed, "order");
  const half = found.periods.filter((row) => row.median_hours_all !== null).at(-1);
  const last = found.flow.at(-1);
  const { oldest } = found.backlog;
  const [first] = tables.stuck;
  const then = earlier && earlier.share_within_target;
  const within = context.summary[0].promises > 1 ? "as promised" : `within ${duration(main.hours)}`;
  const sum = (/** @type {string} */ name) =>
    tables.numbers.reduce((total, row) => total + row[name], 0);
  const times = numberTimes(tables.numbers, filters);
  const ofProcessed = "of processed orders only";
  return {
    "#shown":
      `${number(now.orders)} of ${counted(context.orders, "order")}` +
      ` in ${counted(tables.campaigns.length, "campaign")}` +
      (earlier ? `, compared with ${counted(earlier.orders, "order")} of the period before` : ""),
    "#tile-orders .value": number(now.orders),
    "#tile-orders .note": compared(found, "orders", `${number(now.processed)} processed`),
    "#tile-open .value": number(now.open),
    "#tile-open .note":
      `${number(now.stuck)} stuck` + (first ? `, the oldest ${duration(first.age_hours)}` : ""),
    "#tile-median .value": duration(now.median_hours_all, "not yet known"),
    "#tile-median .note": compared(found, "median_hours_all", `${median} ${ofProcessed}`),
    "#tile-p90 .value": duration(now.p90_hours_all, "not yet known"),
    "#tile-p90 .note": compared(found, "p90_hours_all", `${p90} ${ofProcessed}`),
    "#tile-target .value": percent(now.share_within_target),
    "#tile-target .note": then === null ? within : `${percent(then)} in the period before`,
    "#orders figcaption":
      `${counted(now.orders, "order")}, ${number(now.open)} of them open, by ${unit}.` +
      " Click a bar to see its orders only.",
    "#over-time figcaption": half
      ? `The median of all orders was ${duration(half.median_hours_all)} in the newest ${unit} with` +
        " half of its orders processed."
      : `No ${unit} has half of its orders processed yet.`,
    "#survival figcaption":
      `Half of all orders are processed within ${duration(now.median_hours_all, UNKNOWN)},` +
      ` nine of ten within ${duration(now.p90_hours_all, UNKNOWN)}.` +
      ` Counting finished orders only: ${median} and ${p90}.`,
    "#histogram figcaption":
      `Half of the ${counted(processed, "processed order")} took ${median} or less,` +
      ` one in ten more than ${p90}.`,
    "#flow figcaption": last
      ? `${counted(last.arrived, "order")} arrived: ${number(last.processed)} were processed,` +
        ` ${number(last.open)} are open.`
      : "No order with a time of creation.",
    "#backlog figcaption":
      counted(now.open, "order is open", "orders are open") +
      (oldest === null ? "." : `, the oldest for ${duration(oldest)}.`),
    "#targets figcaption":
      `${percent(main.share)} of the ${judged} old enough to count were processed within` +
      ` ${duration(main.hours)}. A failed order counts as missed.`,
    "#stuck-note":
      `${counted(now.stuck, "open order has", "open orders have")} waited longer than usual.` +
      (tables.stuck.length < now.stuck
        ? ` The ${number(tables.stuck.length)} oldest that this page carries are listed.`
        : ""),
    "#numbers-note":
      `${number(sum("completed"))} of ${counted(sum("numbers"), "number")} can send;` +
      ` ${number(sum("waiting"))} wait, ${number(sum("failed"))} failed.` +
      (times && times.median_until_usable !== null
        ? ` Half of those ever assigned could send within ${duration(times.median_until_usable)},` +
          ` nine of ten within ${duration(times.p90_until_usable, UNKNOWN)}.`
        : ""),
  };
}
