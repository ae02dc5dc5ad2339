// What the dashboard's scripts share.

/** Of a table or a chart. */
type Row = Record<string, any>;

/** Of an element. */
type Attributes = Record<string, string>;

/** What the page carries beside the orders' arrays; see page.py and packing.py. */
interface Context {
  orders: number;
  upper: number[];
  starts: number[];
  first_day: number;
  since: number | null;
  today: number;
  statuses: string[];
  all_campaigns: Row[];
  targets: { hours: number; is_main: boolean }[];
  summary: Row[];
  backlog_hours: number[];
  bar_hours: number[];
  number_times: Row[];
  stuck: Row[];
  numbers: Row[];
  failed_numbers: Row[];
  /** of each table: names, headings and kinds */
  columns: Record<string, [string, string, string][]>;
  drawing: { shared: object; charts: Record<string, object> };
}

/** The arrays: a value for each order, in `hours` for each cell. */
interface Orders {
  /** the duration that a cell stands for */
  hours: Float64Array;
  /** days of creation, from `first_day` on, sorted within a campaign */
  created: Uint16Array;
  /** days from creation until an order stopped being open */
  openFor: Uint16Array;
  /** cell, status, whether an order is stuck, and late */
  codes: Uint16Array;
}

/** Days such as 2026-03-01, ids and a status; empty texts mean all. */
interface Filters extends Record<string, string> {
  from: string;
  to: string;
  brand: string;
  campaign: string;
  use_case: string;
  status: string;
}

/** Which orders: places of campaigns, days from `first_day` on; both days are in the view. */
interface View {
  campaigns: number[];
  from: number | null;
  to: number | null;
  status: number | null;
}

/** Everything that is shown of a view. */
type Found = ReturnType<typeof measure>;
