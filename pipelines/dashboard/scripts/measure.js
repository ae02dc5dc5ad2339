// Computes what the page shows from the orders of a view, under the names that the reports use.
// Durations are in hours; days count from the first one that the page carries.

const MOST_PERIODS = 157;
// up to so many days are shown by day, more by week
const MOST_DAYS = 45;
/** @type {Row[]} of campaigns with all their orders, which most views show */
const WHOLE = [];

/** Orders by status, and by the cell of their duration: processed ones, and those that still wait or
 * were given up. */
class Group {
  byStatus = [0, 0, 0, 0];
  stuck = 0;
  late = 0;
  within = 0;
  // the cells with orders lie from the first to the last
  first = context.upper.length;
  last = -1;
  done = new Uint32Array(context.upper.length);
  waiting = new Uint32Array(context.upper.length);

  clear() {
    this.byStatus.fill(0);
    this.stuck = this.late = this.within = 0;
    for (const counts of [this.done, this.waiting]) counts.fill(0, this.first, this.last + 1);
    [this.first, this.last] = [context.upper.length, -1];
  }

  /** @param {number} code */
  add(code) {
    const cell = code & NO_CELL;
    const status = statusOf(code);
    this.byStatus[status]++;
    this.stuck += (code >> 14) & 1;
    this.late += code >> 15;
    if (cell === NO_CELL) return;
    if (cell < this.first) this.first = cell;
    if (cell > this.last) this.last = cell;
    if (status === PROCESSED) {
      this.done[cell]++;
      this.within += 1 - (code >> 15);
    } else this.waiting[cell]++;
  }

  /** The cells with orders, and how many orders have a duration: processed ones, and all. */
  durations() {
    const { done, waiting } = this;
    const cells = [];
    let [processed, all] = [0, 0];
    for (let cell = this.first; cell <= this.last; cell++) {
      if (!done[cell] && !waiting[cell]) continue;
      cells.push(cell);
      processed += done[cell];
      all += done[cell] + waiting[cell];
    }
    return { cells, processed, all };
  }

  /** Counts and measures. */
  row() {
    const [processed, open, failed, deleted] = this.byStatus;
    const { stuck, late, within } = this;
    const found = this.durations();
    return {
      orders: processed + open + failed + deleted,
      ...{ processed, open, failed, deleted, stuck },
      median_hours: this.ofProcessed(0.5, found),
      p90_hours: this.ofProcessed(0.9, found),
      median_hours_all: this.ofAll(0.5, found),
      p90_hours_all: this.ofAll(0.9, found),
      share_within_target: within + late ? within / (within + late) : null,
    };
  }

  /** A quantile of processed orders, interpolated as SQL's percentile_cont does.
   * @type {(share: number, found: {cells: number[], processed: number}) => number | null} */
  ofProcessed(share, { cells, processed }) {
    const rank = (processed - 1) * share;
    const place = Math.floor(rank);
    let before = 0;
    let lower = null;
    for (const cell of processed ? cells : []) {
      before += this.done[cell];
      if (before <= place) continue;
      lower ??= orders.hours[cell];
      if (before > Math.ceil(rank)) return lower + (orders.hours[cell] - lower) * (rank - place);
    }
    return lower;
  }

  /** The first time at which so many of all orders are processed, by Kaplan and Meier's curve.
   * @type {(share: number, found: {cells: number[], all: number}) => number | null} */
  ofAll(share, { cells, all }) {
    let waiting = 1;
    for (const cell of cells) {
      waiting *= 1 - this.done[cell] / all;
      // a hair more: a product may end beside the share
      if (waiting <= (1 - share) * (1 + 1e-9)) return orders.hours[cell];
      all -= this.done[cell] + this.waiting[cell];
    }
    return null;
  }

  /** Kaplan and Meier's curve with Greenwood's 95 % band, and the share by processed orders only. */
  curve() {
    const { cells, processed, all } = this.durations();
    const steps = [];
    let [risk, log, variance, before] = [all, 0, 0, 0];
    for (const cell of cells) {
      const done = this.done[cell];
      if (done) {
        log += Math.log(1 - done / risk);
        variance += done / (risk * (risk - done));
        before += done;
        const half = (1.959963984540054 * Math.sqrt(variance)) / -log;
        // the last orders leave no band
        const [lower, upper] = [half, -half].map((by) =>
          done < risk ? Math.exp(log * Math.exp(by)) : null,
        );
        const [share, naive] = [Math.exp(log), 1 - before / processed];
        steps.push({ hours: orders.hours[cell], share, lower, upper, naive, risk });
      }
      risk -= done + this.waiting[cell];
    }
    return steps;
  }

  /** How many orders lie between durations at which cells begin, before the first and from the last.
   * @type {(counts: Uint32Array, begins: number[]) => number[]} */
  between(counts, begins) {
    const sums = [...begins, Infinity].map((hours) => sum(counts, (border) => border < hours));
    return sums.map((sum, n) => sum - (n ? sums[n - 1] : 0));
  }

  /** @param {number} hours within which orders that are old enough to count were processed */
  target(hours) {
    const within = sum(this.done, (border) => border <= hours);
    const waiting = sum(this.waiting, (border) => border <= hours);
    const missed = this.durations().all - within - waiting;
    return { hours, within, missed, share: within + missed ? within / (within + missed) : null };
  }
}

/** How many orders lie in the first cells, as long as a condition on their borders holds.
 * @type {(counts: Uint32Array, holds: (border: number) => boolean) => number} */
function sum(counts, holds) {
  let sum = 0;
  for (let cell = 0; cell < counts.length && holds(context.upper[cell]); cell++) {
    sum += counts[cell];
  }
  return sum;
}

/** Calls back with the place of each order of a view, and with each campaign after its orders.
 * @param {View} view
 * @param {(place: number, campaign: number) => void} found
 * @param {(campaign: number) => void} [ended] */
function each({ campaigns, from, to, status }, found, ended) {
  const { created, codes } = orders;
  const first = from ?? 0;
  // orders of an unknown day are in no days that are chosen
  const last = from === null && to === null ? NO_DAY : Math.min(to ?? NO_DAY, NO_DAY - 1);
  for (const campaign of campaigns) {
    const end = context.starts[campaign + 1];
    for (let n = context.starts[campaign]; n < end; n++) {
      if (created[n] < first || created[n] > last) continue;
      if (status === null || statusOf(codes[n]) === status) found(n, campaign);
    }
    ended?.(campaign);
  }
}

/** Everything that is shown of a view.
 * @param {View} view */
function measure(view) {
  const isWhole = view.from === null && view.to === null && view.status === null;
  const known = isWhole ? WHOLE : [];
  const today = context.today - context.first_day;
  let [low, high] = [NO_DAY, -1];
  each(view, (n) => {
    low = Math.min(low, orders.created[n]);
    if (orders.created[n] !== NO_DAY) high = Math.max(high, orders.created[n]);
  });
  const length = high - low < MOST_DAYS ? 1 : 7;
  // weeks begin on Mondays, and the epoch was a Thursday
  const begin = (/** @type {number} */ day) => day - ((context.first_day + day + 3) % length);
  // the newest that can be shown
  const first = Math.max(begin(low), begin(high) - (MOST_PERIODS - 1) * length);
  /** @type {(Group | null)[]} */
  const periods = Array(MOST_PERIODS).fill(null);
  const start = Math.min(low, today);
  // of each day, how many arrived, were processed, and ended otherwise
  const days = new Uint32Array(high < 0 ? 0 : 3 * (today - start + 1));
  const daily = (/** @type {number} */ day) => 3 * (Math.min(day, today) - start);
  const [all, open, one] = [new Group(), new Group(), new Group()];
  /** @type {Row[]} */
  const campaigns = [];
  each(
    view,
    (n, campaign) => {
      const code = orders.codes[n];
      const day = orders.created[n];
      const left = orders.openFor[n];
      all.add(code);
      if (!known[campaign]) one.add(code);
      if (statusOf(code) === OPEN) open.add(code);
      if (day === NO_DAY) return;
      if (day >= first) (periods[((day - first) / length) | 0] ??= new Group()).add(code);
      days[daily(day)]++;
      if (left !== NO_DAY) days[daily(day + left) + (statusOf(code) === PROCESSED ? 1 : 2)]++;
    },
    (campaign) => {
      const row = (known[campaign] ??= one.row());
      if (row.orders) campaigns.push({ ...context.all_campaigns[campaign], ...row });
      one.clear();
    },
  );
  const then = before(view);
  const earlier = new Group();
  if (then) each(then, (n) => earlier.add(orders.codes[n]));
  const totals = { arrived: 0, processed: 0, open: 0 };
  return {
    now: all.row(),
    earlier: then && earlier.row(),
    curve: all.curve(),
    earlierCurve: earlier.curve(),
    unit: length === 1 ? "day" : "week",
    periods: periods.flatMap((group, n) =>
      group ? [{ day: first + n * length, length, ...group.row() }] : [],
    ),
    flow: Array.from({ length: days.length / 3 }, (_, n) => {
      const [arrived, processed, others] = days.subarray(3 * n);
      totals.arrived += arrived;
      totals.processed += processed;
      totals.open += arrived - processed - others;
      return { day: start + n, ...totals };
    }),
    backlog: {
      counts: open.between(open.waiting, context.backlog_hours),
      unknown: open.byStatus[OPEN] - open.durations().all,
      oldest: orders.hours[open.last] ?? null,
    },
    histogram: all.between(all.done, context.bar_hours),
    main: all.target(context.targets.find((target) => target.is_main)?.hours ?? 0),
    targets: context.targets.map(({ hours }) => all.target(hours)),
    tables: { campaigns, ...carriedRows(view) },
  };
}

/** What a view has of the tables that the page carries; numbers do not follow days and status,
 * which are those of orders.
 * @param {View} view */
function carriedRows({ campaigns, from, to, status }) {
  const chosen = new Set(campaigns.map((place) => context.all_campaigns[place].campaign_id));
  const isChosen = (/** @type {Row} */ row) => chosen.has(row.campaign_id);
  const isInView = (/** @type {Row} */ row) => {
    const day = Number(dayOf(row.created_at.slice(0, 10))) - context.first_day;
    return day >= (from ?? 0) && day <= (to ?? day) && (status === null || status === OPEN);
  };
  return {
    stuck: context.stuck.filter(isChosen).filter(isInView),
    numbers: context.numbers.filter(isChosen),
    failed_numbers: context.failed_numbers.filter(isChosen),
  };
}
