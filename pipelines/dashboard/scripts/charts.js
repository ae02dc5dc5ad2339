// The charts as Vega-Lite draws them: what is drawn, from which rows. Each is made once; a new view
// only changes its rows.

const HOURS_LABEL =
  "datum.value > 48 ? format(datum.value / 24, '.3~r') + ' d' : datum.value >= 1 ?" +
  " format(datum.value, '.3~r') + ' h' : datum.value * 60 >= 1 ?" +
  " format(datum.value * 60, '.3~r') + ' min' : format(datum.value * 3600, '.3~r') + ' s'";

const HOURS_TICKS = [1 / 60, 5 / 60, 0.5, 1, 4, 12, 24, 72, 168, 720, 2160, 8760];
const TIME_AXIS = {
  title: null,
  labelExpr: HOURS_LABEL,
  grid: false,
  labelOverlap: true,
  values: HOURS_TICKS,
};
const DAY_AXIS = {
  title: null,
  format: "%-d %b %Y",
  labelOverlap: true,
  grid: false,
  tickCount: 6,
};

/** @param {string} field
 * @param {string} title */
const column = (field, title) => ({ field, title, type: "nominal" });

/** Colours and dashes are by series, no dash twice, so that none is told apart by its colour alone.
 * @param {Record<string, string>} colours
 * @param {Record<string, {colour: string, dash: number[]}>} series */
function bySeries(colours, series) {
  const domain = Object.keys(series);
  const legend = { title: null, orient: "top", symbolType: "stroke", columns: 2, labelLimit: 260 };
  const channel = (/** @type {unknown[]} */ range) => ({
    field: "series",
    type: "nominal",
    scale: { domain, range },
    legend,
  });
  return {
    color: channel(Object.values(series).map((each) => colours[each.colour])),
    strokeDash: channel(Object.values(series).map((each) => each.dash)),
  };
}

/**
 * @typedef {object} Chart
 * @property {number} height
 * @property {(colours: Record<string, string>) => object} spec
 */

/** @type {Record<string, Chart>} */
const CHARTS = {
  orders: {
    height: 170,
    spec: (colours) => ({
      mark: { type: "bar", cursor: "pointer", stroke: colours.card, strokeWidth: 0.5 },
      encoding: {
        x: { field: "begin", type: "temporal", scale: { type: "utc" }, axis: DAY_AXIS },
        x2: { field: "end" },
        y: { field: "count", type: "quantitative", axis: { title: null, tickCount: 4 } },
        y2: { datum: 0 },
        color: { value: colours.bar },
        tooltip: [
          column("label", "Created"),
          column("shown", "Orders"),
          column("open_shown", "Open"),
        ],
      },
    }),
  },
  "over-time": {
    height: 230,
    spec: (colours) => ({
      mark: { type: "line", point: { size: 22 }, strokeWidth: 2 },
      encoding: {
        x: { field: "begin", type: "temporal", scale: { type: "utc" }, axis: DAY_AXIS },
        y: {
          field: "hours",
          type: "quantitative",
          axis: { title: null, labelExpr: HOURS_LABEL, tickCount: 5 },
        },
        ...bySeries(colours, {
          "median, all": { colour: "first", dash: [1, 0] },
          "p90, all": { colour: "second", dash: [10, 3] },
          "median, processed": { colour: "first", dash: [2, 2] },
          "p90, processed": { colour: "second", dash: [5, 4] },
        }),
        tooltip: [
          column("label", "Created"),
          column("series", "Measure"),
          column("shown", "Hours"),
        ],
      },
    }),
  },
  survival: {
    height: 250,
    spec: (colours) => ({
      encoding: {
        x: {
          field: "hours",
          type: "quantitative",
          scale: { type: "log", nice: false },
          axis: TIME_AXIS,
        },
      },
      layer: [
        {
          transform: [{ filter: "datum.low !== null" }],
          mark: { type: "area", interpolate: "step-after", color: colours.first, opacity: 0.2 },
          encoding: { y: { field: "low", type: "quantitative" }, y2: { field: "high" } },
        },
        {
          mark: { type: "line", interpolate: "step-after", strokeWidth: 2 },
          encoding: {
            y: {
              field: "share",
              type: "quantitative",
              scale: { domain: [0, 1] },
              axis: { title: null, format: "%", tickCount: 5 },
            },
            ...bySeries(colours, {
              "all orders (Kaplan-Meier, 95 % band)": { colour: "first", dash: [1, 0] },
              "processed orders only": { colour: "second", dash: [5, 4] },
              "all orders, the period before": { colour: "soft", dash: [2, 2] },
            }),
            tooltip: [
              column("after", "After"),
              column("series", "Orders"),
              column("shown", "Still waiting"),
            ],
          },
        },
      ],
    }),
  },
  histogram: {
    height: 230,
    spec: (colours) => ({
      mark: { type: "bar", color: colours.bar, stroke: colours.card, strokeWidth: 0.5 },
      encoding: {
        x: {
          field: "from",
          type: "quantitative",
          scale: { type: "log", nice: false },
          axis: TIME_AXIS,
        },
        x2: { field: "to" },
        y: { field: "count", type: "quantitative", axis: { title: null, tickCount: 4 } },
        y2: { datum: 0 },
        tooltip: [column("label", "Took"), column("shown", "Orders")],
      },
    }),
  },
  flow: {
    height: 230,
    spec: (colours) => ({
      mark: { type: "line", strokeWidth: 2 },
      encoding: {
        x: { field: "begin", type: "temporal", scale: { type: "utc" }, axis: DAY_AXIS },
        y: { field: "count", type: "quantitative", axis: { title: null, tickCount: 5 } },
        ...bySeries(colours, {
          "arrived so far": { colour: "first", dash: [1, 0] },
          "processed so far": { colour: "third", dash: [5, 4] },
          open: { colour: "second", dash: [2, 2] },
        }),
        tooltip: [
          column("label", "By the end of"),
          column("series", "Orders"),
          column("shown", "Count"),
        ],
      },
    }),
  },
  backlog: { height: 190, spec: (colours) => bars(colours.second, "count", "Open orders") },
  targets: { height: 190, spec: (colours) => bars(colours.bar, "share", "Within", [0, 1]) },
};

/** Horizontal bars with their values written at the end.
 * @param {string} colour
 * @param {string} field
 * @param {string} title
 * @param {number[]} [domain] */
function bars(colour, field, title, domain) {
  return {
    encoding: {
      y: {
        field: "label",
        type: "ordinal",
        sort: null,
        axis: { title: null, domain: false, ticks: false },
      },
      x: { field, type: "quantitative", axis: null, scale: domain ? { domain } : {} },
      tooltip: [column("label", ""), column("shown", title)],
    },
    layer: [
      { mark: { type: "bar", color: colour } },
      {
        mark: { type: "text", align: "left", dx: 4 },
        encoding: { text: { field: "shown", type: "nominal" } },
      },
    ],
  };
}

const SPEC = "https://vega.github.io/schema/vega-lite/v6.json";

/** The whole specification of a chart.
 * @param {Chart} chart
 * @param {string} title
 * @param {number} width
 * @param {Record<string, string>} colours
 * @param {object[]} rows */
function specOf(chart, title, width, colours, rows) {
  const axis = {
    labelColor: colours.soft,
    labelFontSize: 12,
    gridColor: colours.grid,
    domainColor: colours.soft,
    tickColor: colours.soft,
  };
  return {
    $schema: SPEC,
    description: title,
    width,
    height: chart.height,
    autosize: { type: "fit", contains: "padding", resize: true },
    background: null,
    data: { name: "rows", values: rows },
    ...chart.spec(colours),
    config: {
      font: "system-ui, sans-serif",
      view: { stroke: null },
      axis,
      legend: { labelColor: colours.soft, labelFontSize: 12, symbolStrokeWidth: 2.5 },
      text: { color: colours.ink, fontSize: 12 },
    },
  };
}
