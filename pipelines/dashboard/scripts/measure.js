// Computes what the page shows from the orders of a view. Durations are in hours.

// of which the measures are quantiles
const SHARES = [0.5, 0.9];
const MOST_PERIODS = 157;
// up to so many days are shown by day, more by week
const MOST_DAYS = 45;

/**
 * @typedef {object} View which orders: days count from the first one, both ends are in the view
 * @property {number[]} campaigns
 * @property {number | null} from
 * @property {number | null} to
 * @property {number | null} status
 */

/** Durations by cell: of processed orders, and of those still waiting or given up. */
class Durations {
  /** @param {Orders} orders */
  constructor(orders) {
    this.upper = orders.upper;
    this.hours = orders.hours;
    this.done = new Uint32Array(orders.upper.length);
    this.waiting = new Uint32Array(orders.upper.length);
    this.counted = 0;
    this.processed = 0;
    this.low = orders.upper.length;
    this.high = -1;
  }

  /**
   * @param {number} cell
   * @param {number} status
   */
  add(cell, status) {
    if (status === PROCESSED) {
      this.done[cell]++;
      this.processed++;
    } else this.waiting[cell]++;
    this.counted++;
    if (cell < this.low) this.low = cell;
    if (cell > this.high) this.high = cell;
  }

  clear() {
    this.done.fill(0, this.low, this.high + 1);
    this.waiting.fill(0, this.low, this.high + 1);
    this.counted = this.processed = 0;
    this.low = this.upper.length;
    this.high = -1;
  }

  /** Kaplan and Meier's curve with Greenwood's 95 % band, and the share by processed orders only. */
  curve() {
    const steps = [];
    let risk = this.counted;
    let log = 0;
    let variance = 0;
    let before = 0;
    for (let cell = this.low; cell <= this.high; cell++) {
      const done = this.done[cell];
      if (done) {
        const last = done === risk;
        if (!last) {
          log += Math.log(1 - done / risk);
          variance += done / (risk * (risk - done));
        }
        before += done;
        const half = !last && log < 0 ? (1.959963984540054 * Math.sqrt(variance)) / -log : null;
        steps.push({
          hours: this.hours[cell],
          share: last ? 0 : Math.exp(log),
          lower: half === null ? null : Math.exp(log * Math.exp(half)),
          upper: half === null ? null : Math.exp(log * Math.exp(-half)),
          naive: 1 - before / this.processed,
          risk,
        });
      }
      risk -= done + this.waiting[cell];
    }
    return steps;
  }

  /** How many orders lie in the first cells, as long as a condition on their borders holds.
   * @param {Uint32Array} counts
   * @param {(border: number) => boolean} holds */
  sumWhile(counts, holds) {
    let sum = 0;
    for (let cell = this.low; cell <= this.high && holds(this.upper[cell]); cell++) {
      sum += counts[cell];
    }
    return sum;
  }

  /** How many orders lie between durations at which cells begin, before the first and from the last.
   * @param {Uint32Array} counts
   * @param {number[]} begins */
  between(counts, begins) {
    const sums = [...begins, Infinity].map((h) => this.sumWhile(counts, (border) => border < h));
    return sums.map((sum, n) => sum - (n ? sums[n - 1] : 0));
  }

  /** Of the orders old enough to count, how many were processed within a target.
   * @param {number} hours */
  within(hours) {
    const upTo = (/** @type {number} */ border) => border <= hours;
    const within = this.sumWhile(this.done, upTo);
    const missed = this.counted - within - this.sumWhile(this.waiting, upTo);
    return { within, missed, share: within + missed ? within / (within + missed) : null };
  }

  /** Median and 90th percentile: of processed orders, interpolated as SQL's percentile_cont does,
   * and of all orders, the first time at which so many are processed by Kaplan and Meier's curve. */
  measures() {
    /** @typedef {(number | null)[]} Pair */
    const done = /** @type {Pair} */ ([null, null]);
    const all = /** @type {Pair} */ ([null, null]);
    const lower = /** @type {Pair} */ ([null, null]);
    let before = 0;
    let risk = this.counted;
    let waiting = 1;
    for (let cell = this.low; cell <= this.high; cell++) {
      const count = this.done[cell];
      if (count) {
        const hours = this.hours[cell];
        before += count;
        waiting *= 1 - count / risk;
        for (let n = 0; n < 2; n++) {
          const rank = (this.processed - 1) * SHARES[n];
          const place = Math.floor(rank);
          if (lower[n] === null && before > place) lower[n] = hours;
          const least = lower[n];
          if (done[n] === null && least !== null && (before > place + 1 || rank === place)) {
            done[n] = least + (hours - least) * (rank - place);
          }
          // a hair more: a product may end beside the share
          if (all[n] === null && waiting <= (1 - SHARES[n]) * (1 + 1e-9)) all[n] = hours;
        }
      }
      risk -= count + this.waiting[cell];
    }
    return { median: done[0], p90: done[1], medianAll: all[0], p90All: all[1] };
  }
}

/** Where a campaign's orders from a day on begin.
 * @param {Uint16Array} created
 * @param {number} start
 * @param {number} end
 * @param {number} day */
function firstFrom(created, start, end, day) {
  while (start < end) {
    const middle = (start + end) >> 1;
    if (created[middle] < day) start = middle + 1;
    else end = middle;
  }
  return start;
}

/** Calls back with the range of places of each campaign's orders in a view.
 * @param {Orders} orders
 * @param {View} view
 * @param {(campaign: number, start: number, end: number) => void} found */
function eachCampaign(orders, view, found) {
  for (const campaign of view.campaigns) {
    let start = orders.starts[campaign];
    let end = orders.starts[campaign + 1];
    if (view.from !== null) start = firstFrom(orders.created, start, end, Math.max(view.from, 0));
    if (view.to !== null) end = firstFrom(orders.created, start, end, view.to + 1);
    if (view.from !== null || view.to !== null) {
      // those of an unknown day stand last
      end = Math.min(end, firstFrom(orders.created, start, end, NO_DAY));
    }
    if (start < end) found(campaign, start, end);
  }
}

/** Whether an order was processed as promised; null while that is open.
 * @param {number} code */
function isInTime(code) {
  if (code >> 15) return false;
  const isDone = ((code >> 12) & 3) === PROCESSED && (code & NO_CELL) !== NO_CELL;
  return isDone ? true : null;
}

/** Counts and measures of a view, without its parts: enough for the period before.
 * @param {Orders} orders
 * @param {View} view */
function summary(orders, view) {
  const durations = new Durations(orders);
  const byStatus = [0, 0, 0, 0];
  let stuck = 0;
  let within = 0;
  let late = 0;
  eachCampaign(orders, view, (_, start, end) => {
    for (let n = start; n < end; n++) {
      const code = orders.codes[n];
      const status = (code >> 12) & 3;
      if (view.status !== null && status !== view.status) continue;
      byStatus[status]++;
      stuck += (code >> 14) & 1;
      late += code >> 15;
      if (isInTime(code)) within++;
      const cell = code & NO_CELL;
      if (cell !== NO_CELL) durations.add(cell, status);
    }
  });
  const count = byStatus.reduce((sum, each) => sum + each, 0);
  const inTime = within + late ? within / (within + late) : null;
  return { count, byStatus, stuck, inTime, durations, ...durations.measures() };
}

/** A row for each campaign of a view.
 * @param {Orders} orders
 * @param {View} view */
function byCampaign(orders, view) {
  /** @type {Record<string, number | null>[]} */
  const rows = [];
  const durations = new Durations(orders);
  eachCampaign(orders, view, (campaign, start, end) => {
    const byStatus = [0, 0, 0, 0];
    let within = 0;
    let late = 0;
    for (let n = start; n < end; n++) {
      const code = orders.codes[n];
      const status = (code >> 12) & 3;
      if (view.status !== null && status !== view.status) continue;
      byStatus[status]++;
      late += code >> 15;
      if (isInTime(code)) within++;
      const cell = code & NO_CELL;
      if (cell !== NO_CELL) durations.add(cell, status);
    }
    const count = byStatus.reduce((sum, each) => sum + each, 0);
    if (count) {
      const share = within + late ? within / (within + late) : null;
      const [, open, failed] = byStatus;
      rows.push({ campaign, count, open, failed, ...durations.measures(), share });
    }
    durations.clear();
  });
  return rows;
}

/** Medians and counts by day or week of creation, the newest that can be shown.
 * @param {Orders} orders
 * @param {View} view
 * @param {number} firstDay
 * @param {[number, number]} span the first and the last day */
function byPeriod(orders, view, firstDay, [low, high]) {
  if (low > high) return { unit: "day", rows: [] };
  const unit = high - low < MOST_DAYS ? "day" : "week";
  // the epoch was a Thursday
  const weekday = (/** @type {number} */ day) => (((firstDay + day + 3) % 7) + 7) % 7;
  const begin = (/** @type {number} */ day) => (unit === "day" ? day : day - weekday(day));
  const length = unit === "day" ? 1 : 7;
  const first = Math.max(begin(low), begin(high) - (MOST_PERIODS - 1) * length);
  const periods = Array.from({ length: (begin(high) - first) / length + 1 }, (_, n) => ({
    day: first + n * length,
    count: 0,
    open: 0,
    durations: /** @type {Durations | null} */ (null),
  }));
  eachCampaign(orders, view, (_, start, end) => {
    for (let n = start; n < end && orders.created[n] !== NO_DAY; n++) {
      const code = orders.codes[n];
      const status = (code >> 12) & 3;
      const place = Math.floor((orders.created[n] - first) / length);
      if (place < 0 || (view.status !== null && status !== view.status)) continue;
      const period = periods[place];
      period.count++;
      if (status === OPEN) period.open++;
      period.durations ??= new Durations(orders);
      if ((code & NO_CELL) !== NO_CELL) period.durations.add(code & NO_CELL, status);
    }
  });
  const rows = periods
    .filter((period) => period.count)
    .map(({ durations, ...rest }) => ({
      ...rest,
      ...(durations ?? new Durations(orders)).measures(),
    }));
  return { unit, rows };
}

/** The first and the last day on which orders of a view were created.
 * @param {Orders} orders
 * @param {View} view
 * @returns {[number, number]} */
function daysOf(orders, view) {
  let low = NO_DAY;
  let high = -1;
  const matches = (/** @type {number} */ n) =>
    view.status === null || ((orders.codes[n] >> 12) & 3) === view.status;
  eachCampaign(orders, view, (_, start, end) => {
    let first = start;
    let last = firstFrom(orders.created, start, end, NO_DAY) - 1;
    while (first <= last && !matches(first)) first++;
    while (first < last && !matches(last)) last--;
    if (first > last) return;
    low = Math.min(low, orders.created[first]);
    high = Math.max(high, orders.created[last]);
  });
  return [low, high];
}

/** Orders arrived, processed and open by the end of each day from the first one of a view.
 * @param {Orders} orders
 * @param {View} view
 * @param {number} today
 * @param {[number, number]} span the first and the last day */
function flow(orders, view, today, [low]) {
  if (low === NO_DAY) return [];
  const days = today - Math.min(low, today) + 1;
  const first = today - days + 1;
  const arrived = new Uint32Array(days);
  const processed = new Uint32Array(days);
  const left = new Uint32Array(days);
  const place = (/** @type {number} */ day) => Math.max(Math.min(day, today) - first, 0);
  eachCampaign(orders, view, (_, start, end) => {
    for (let n = start; n < end && orders.created[n] !== NO_DAY; n++) {
      const status = (orders.codes[n] >> 12) & 3;
      if (view.status !== null && status !== view.status) continue;
      arrived[place(orders.created[n])]++;
      if (orders.openFor[n] === NO_DAY) continue;
      const day = place(orders.created[n] + orders.openFor[n]);
      left[day]++;
      if (status === PROCESSED) processed[day]++;
    }
  });
  const sums = { arrived: 0, processed: 0, open: 0 };
  return Array.from(arrived, (_, n) => {
    sums.arrived += arrived[n];
    sums.processed += processed[n];
    sums.open += arrived[n] - left[n];
    return { day: first + n, ...sums };
  });
}

/** Open orders by age: how many are in each group, and the oldest of all.
 * @param {Orders} orders
 * @param {View} view
 * @param {number[]} begins */
function backlog(orders, view, begins) {
  const ages = new Durations(orders);
  let unknown = 0;
  if (view.status === null || view.status === OPEN) {
    eachCampaign(orders, view, (_, start, end) => {
      for (let n = start; n < end; n++) {
        if (((orders.codes[n] >> 12) & 3) !== OPEN) continue;
        const cell = orders.codes[n] & NO_CELL;
        if (cell === NO_CELL) unknown++;
        else ages.add(cell, OPEN);
      }
    });
  }
  const counts = ages.between(ages.waiting, begins);
  return { counts, unknown, oldest: ages.high < 0 ? null : ages.hours[ages.high] };
}
