"""The charts of the Superset dashboard: what each shows, in Superset's own words.

Names of options are those of Superset's chart plugins, as its own exports have them. Metrics are
SQL that DuckDB and PostgreSQL both run.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from pipelines.reporting.catalog import age_groups

HOURS = ",.1f"
SHARE = ".1%"
WHOLE_SHARE = ".0%"
COUNT = ",d"
# what is compared with the period before it needs a beginning and an end
PERIOD = "Last 30 days"
NO_FILTER = "No filter"
ORDERS = "order_processing"
IN_TIME = "Share processed as promised, of orders old enough to tell."
STUCK = "Open for longer than usual in their campaign."

# waiting times rounded up, so that a group holds those until its name: a quarter of an hour on the
# first day, then an hour
WAITED = (
    "CASE WHEN observed_hours <= 24 THEN CEIL(observed_hours * 4) / 4 ELSE CEIL(observed_hours) END"
)


class Metric(NamedTuple):
    """A number that charts show: its SQL, what it means, and its format."""

    sql: str
    description: str
    format: str


@dataclass(frozen=True)
class Chart:
    """One chart, of `shape` (Superset's `viz_type`), with what it needs beside its metrics.

    `x` and `groups` are columns to group by, `columns` those of a table without groups; `width`
    is in twelfths of the page. `where` is a condition in SQL. A chart `of` the filtered orders
    follows all filters, one of those open now all but the time, and one of all orders none.
    """

    title: str
    description: str
    shape: str
    dataset: str = ORDERS
    metrics: tuple[Any, ...] = ()
    x: str | None = None
    groups: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    width: int = 6
    height: int = 46
    where: str | None = None
    of: Literal["filtered", "now", "all"] = "filtered"
    options: Mapping[str, Any] = field(default_factory=dict)


def _count(status: str, description: str) -> Metric:
    return Metric(f"COUNT(CASE WHEN status = '{status}' THEN 1 END)", description, COUNT)


def _quantile(share: float, description: str) -> Metric:
    sql = f"PERCENTILE_CONT({share}) WITHIN GROUP (ORDER BY processing_hours)"
    return Metric(sql, description, HOURS)


def _share(met: str, missed: str) -> str:
    return f"AVG(CAST(CASE WHEN {met} THEN 1 WHEN {missed} THEN 0 END AS DOUBLE PRECISION))"


METRICS = {
    "orders": Metric("COUNT(*)", "Orders created.", COUNT),
    "open_orders": _count("open", "Orders neither processed nor failed nor deleted."),
    "failed_orders": _count("failed", "Failed orders, which may still become processed."),
    "median_hours": _quantile(0.5, "Median processing time in hours of processed orders."),
    "p90_hours": _quantile(0.9, "90 % of processed orders took no longer, in hours."),
    "share_within_target": Metric(_share("within_target", "NOT within_target"), IN_TIME, SHARE),
}


def target_metrics(targets: Iterable[float]) -> dict[str, Metric]:
    """A metric of single orders for each target in hours: the share processed within it."""
    return {
        f"share_within_{hours:g}h": Metric(
            _share(f"processing_hours <= {hours!r}", f"observed_hours > {hours!r}"),
            f"Share processed within {hours:g} h, of orders old enough to tell.",
            SHARE,
        )
        for hours in sorted({*targets})
    }


def _age_group() -> str:
    """The backlog's group of an open order, numbered so that texts sort like ages."""
    groups = [
        f"WHEN age_hours < {most:.0f} THEN '{number}: {name}'"
        for number, (name, _, most) in enumerate(age_groups(), 1)
    ]
    return f"CASE WHEN status <> 'open' THEN NULL {' '.join(groups)} END"


# columns of single orders that Superset works out: name, type, description, SQL
ORDER_COLUMNS = (
    ("waited_hours", "DOUBLE PRECISION", "observed_hours rounded up, for curves.", WAITED),
    ("age_group", "VARCHAR", "The age of an open order, as in the backlog.", _age_group()),
)


def _adhoc(label: str, sql: str) -> dict[str, Any]:
    """A metric of one chart only."""
    return {"expressionType": "SQL", "sqlExpression": sql, "label": label, "hasCustomLabel": True}


def _points(*columns: str) -> tuple[dict[str, Any], ...]:
    """Columns of a report that has one row for each point of a chart."""
    # not the columns' own names: Superset gives one colour to a name on the whole dashboard
    return tuple(_adhoc(f"{c} (all)".replace("_", " "), f"MAX({c})") for c in columns)


# among orders old enough to tell, as in target_attainment: processed by then, or still waiting
_ENDED = "SUM(SUM(CASE WHEN status {} 'processed' THEN 1 ELSE 0 END)) OVER (ORDER BY {})"
STILL_WAITING = _adhoc(
    "share still waiting",
    f"1 - CAST({_ENDED.format('=', WAITED)} AS DOUBLE PRECISION)"
    f" / NULLIF(SUM(COUNT(*)) OVER () - {_ENDED.format('<>', WAITED)}, 0)",
)


def _tile(title: str, metric: str, description: str, form: str, **more: Any) -> Chart:
    options = {"y_axis_format": form, "header_font_size": 0.4}
    return Chart(
        title, description, "big_number_total", metrics=(metric,), width=2, height=20,
        options=options, **more,
    )  # fmt: skip


def _lines(form: str, **options: Any) -> dict[str, Any]:
    shown = {"rich_tooltip": True, "show_legend": True, "legendType": "scroll"}
    bounds = {"truncateYAxis": True, "y_axis_bounds": [0, 1]} if form == WHOLE_SHARE else {}
    return {"y_axis_format": form, "row_limit": 10000, **shown, **bounds, **options}


def _table(**options: Any) -> dict[str, Any]:
    shown = {"page_length": 10, "include_search": True, "show_cell_bars": False}
    return {"table_timestamp_format": "%Y-%m-%d %H:%M", **shown, **options}


def _rows_of(
    title: str,
    description: str,
    report: str,
    columns: tuple[str, ...],
    *,
    order: str,
    shares: tuple[str, ...] = (),
    hours: tuple[str, ...] = (),
    height: int = 50,
    of: Literal["now", "all"] = "all",
) -> Chart:
    """A table of a report's own rows; the most of `order` first."""
    formats = dict.fromkeys(shares, SHARE) | dict.fromkeys(hours, HOURS)
    return Chart(
        title, description, "table", report, columns=columns, width=12, height=height, of=of,
        options=_table(
            query_mode="raw", row_limit=1000, order_by_cols=[f'["{order}", false]'],
            column_config={name: {"d3NumberFormat": form} for name, form in formats.items()},
        ),
    )  # fmt: skip


def charts(targets: Sequence[float]) -> list[Chart]:
    """All charts in the order of the dashboard."""
    by_hours = {
        "x_axis_sort_asc": True, "truncateXAxis": True, "xAxisBounds": [0, 72],
        "seriesType": "end", "x_axis_title": "hours", "x_axis_title_margin": 30,
    }  # fmt: skip
    return [
        _tile("Orders", "orders", "Orders created.", COUNT),
        _tile("Median hours", "median_hours", "Of processed orders.", HOURS),
        _tile("p90 hours", "p90_hours", METRICS["p90_hours"].description, HOURS),
        _tile("Within target", "share_within_target", IN_TIME, SHARE),
        _tile("Open now", "open_orders", METRICS["open_orders"].description, COUNT, of="now"),
        _tile("Stuck now", "stuck_orders", STUCK, COUNT, of="now", dataset="stuck_orders"),
        Chart(
            "By use case, beside the period before",
            "#: the period before; triangle and %: the difference.", "table",
            metrics=("orders", "median_hours", "p90_hours", "share_within_target"),
            groups=("use_case",), width=12, height=42,
            options=_table(
                query_mode="aggregate", row_limit=1000, include_search=False, page_length=0,
                time_compare=["inherit"], comparison_type="values",
            ),
        ),
        Chart(
            "Processing time", "Of processed orders, by creation.",
            "echarts_timeseries_line", metrics=("median_hours", "p90_hours"), x="created_day",
            options=_lines(HOURS),
        ),
        Chart(
            "Still waiting after so many hours",
            "Of the orders old enough to tell. Failed and deleted ones count as still waiting.",
            "echarts_timeseries_line", metrics=(STILL_WAITING,), x="waited_hours",
            where="observed_hours IS NOT NULL", options=_lines(WHOLE_SHARE, **by_hours),
        ),
        Chart(
            "Orders by status", "By creation.", "echarts_timeseries_bar", metrics=("orders",),
            x="created_day", groups=("status",), options=_lines(COUNT, stack="Stack"),
        ),
        Chart(
            "Within each target", "Of orders old enough to tell, by creation.",
            "echarts_timeseries_line", metrics=tuple(target_metrics(targets)), x="created_day",
            options=_lines(WHOLE_SHARE),
        ),
        Chart(
            "Open now, by age", "How long open orders have been waiting.",
            "echarts_timeseries_bar", metrics=("orders",), x="age_group",
            where="status = 'open' AND age_hours IS NOT NULL", of="now",
            options=_lines(COUNT, x_axis_sort_asc=True, xAxisForceCategorical=True,
                           show_value=True, show_legend=False),
        ),
        Chart(
            "Median hours by weekday and hour of creation (UTC)", "Monday is 1.", "heatmap_v2",
            metrics=("median_hours",), x="created_hour", groups=("created_weekday",),
            options={
                "row_limit": 1000, "normalize_across": "heatmap", "sort_x_axis": "alpha_asc",
                "sort_y_axis": "alpha_desc", "linear_color_scheme": "superset_seq_1",
                "y_axis_format": HOURS, "value_bounds": [None, None], "legend_type": "continuous",
                "bottom_margin": 40,
            },
        ),
        Chart(
            "Campaigns", "A click on a name filters by it.", "table",
            metrics=("orders", "open_orders", "median_hours", "p90_hours", "share_within_target"),
            groups=("brand_name", "campaign_name", "use_case"), width=12, height=64,
            options=_table(query_mode="aggregate", row_limit=10000),
        ),
        _rows_of(
            "Stuck orders", f"{STUCK} Oldest first.", "stuck_orders",
            ("order_id", "brand_name", "campaign_name", "use_case", "state", "created_at",
             "age_hours", "limit_hours", "limit_is"),
            order="age_hours", hours=("age_hours", "limit_hours"), height=64, of="now",
        ),
        Chart(
            "Still waiting, with its 95 % band", "Kaplan and Meier's estimate over all orders.",
            "echarts_timeseries_line", "processing_time_curve", x="hours",
            metrics=_points("share_waiting", "lower", "upper"), of="all",
            options=_lines(WHOLE_SHARE, **by_hours),
        ),
        Chart(
            "Orders arrived, processed and open by day", "Over all orders.",
            "echarts_timeseries_line", "backlog_by_day", x="day",
            metrics=_points("arrived", "processed", "open_at_end"), of="all",
            options=_lines(COUNT),
        ),
        _rows_of(
            "Promises, by month of creation", "Of orders old enough to tell.", "sla_attainment",
            ("created_month", "promise", "promised_hours", "share_within", "share_within_before",
             "orders", "missed"),
            order="created_month", shares=("share_within", "share_within_before"),
        ),
        _rows_of(
            "Slower than before", "Campaigns whose median or p90 rose beyond chance in 28 days.",
            "slower_than_before",
            ("campaign_name", "brand_name", "measure", "hours_before", "hours_now", "worse_since",
             "orders_now", "chance"),
            order="orders_now", hours=("hours_before", "hours_now"),
        ),
        _rows_of(
            "Numbers by campaign", "Those that can send, and how many more fit.",
            "numbers_by_campaign",
            ("campaign_name", "brand_name", "numbers", "completed", "waiting", "failed",
             "share_usable"),
            order="waiting", shares=("share_usable",),
        ),
        Chart(
            "What these numbers are of", "The moment, and whether the last run was complete.",
            "table", "data_as_of", columns=("as_of", "last_run_at", "last_run_complete"),
            width=12, height=22, of="all",
            options=_table(query_mode="raw", row_limit=10, include_search=False, page_length=0),
        ),
    ]  # fmt: skip
