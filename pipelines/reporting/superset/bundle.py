"""The bundle that Superset imports: a ZIP of YAML files, as its own exports are.

It has no `type` in its metadata, so that both the import of dashboards and the one of assets take
it. Ids are made from the database's address and the dataset, so that an import of a newer bundle
replaces, and two databases lie beside each other.
"""

from __future__ import annotations

import io
import json
import uuid
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml  # type: ignore[import-untyped]

from pipelines.destinations.naming import reports_dataset
from pipelines.reporting.catalog import Report
from pipelines.reporting.superset.charts import (
    COUNT,
    METRICS,
    NO_FILTER,
    ORDER_COLUMNS,
    ORDERS,
    PERIOD,
    Chart,
    Metric,
    charts,
    target_metrics,
)
from pipelines.reporting.superset.database import Database

NAMESPACE = uuid.UUID("5b0f6a0e-7d0c-4c52-9a35-0d7f2f1c9be4")
VERSION = "1.0.0"
FOLDER = "signalwire_orders"
FIRST_FILE = f"{FOLDER}/metadata.yaml"
# the same bundle from the same reports; ZIP knows no earlier time
WRITTEN = (1980, 1, 1, 0, 0, 0)
TWELFTHS = 12
# by which a dataset is filtered in time, where it has one of these
TIME_COLUMNS = ("created_day", "day")
FILTERS = (("Use case", "use_case"), ("Brand", "brand_name"), ("Campaign", "campaign_name"))


def is_bundle(head: str) -> bool:
    """Whether a file that begins like this is a bundle that was written here."""
    return head.startswith("PK") and FIRST_FILE in head


@dataclass(frozen=True)
class Bundle:
    """A dashboard, its charts and their datasets, over the reports of one dataset.

    `types` are the reports' column types by report and column; `targets` are in hours.
    """

    database: Database
    dataset: str
    reports: Mapping[str, Report]
    types: Mapping[str, Mapping[str, str]]
    targets: Sequence[float]

    def packed(self) -> bytes:
        """The ZIP file."""
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in self.files().items():
                text = yaml.safe_dump(content, sort_keys=False, allow_unicode=True)
                info = zipfile.ZipInfo(f"{FOLDER}/{name}", WRITTEN)
                archive.writestr(info, text, zipfile.ZIP_DEFLATED)
        return packed.getvalue()

    def files(self) -> dict[str, Any]:
        """The content of each file by its path."""
        shown = charts(self.targets)
        database = {
            "database_name": self.database.name,
            "sqlalchemy_uri": self.database.uri,
            "expose_in_sqllab": True,
            "extra": {},
            "uuid": self._database_id(),
            "version": VERSION,
        }
        return {
            "metadata.yaml": {"version": VERSION},
            "databases/signalwire_orders.yaml": database,
            **{
                f"datasets/signalwire_orders/{name}.yaml": self._dataset(name)
                for name in sorted({chart.dataset for chart in shown})
            },
            **{f"charts/{n:02}.yaml": self._chart(chart) for n, chart in enumerate(shown, 1)},
            "dashboards/signalwire_orders.yaml": self._dashboard(shown),
        }

    def _database_id(self) -> str:
        return str(uuid.uuid5(NAMESPACE, self.database.uri))

    def _id(self, kind: str, name: str = "") -> str:
        return str(uuid.uuid5(uuid.UUID(self._database_id()), f"{self.dataset} {kind} {name}"))

    def _dataset(self, name: str) -> dict[str, Any]:
        report = self.reports[name]
        columns = [
            _column(column, kind, report.columns.get(column))
            for column, kind in self.types[name].items()
        ]
        metrics = {name if name == "stuck_orders" else "rows": Metric("COUNT(*)", "Rows.", COUNT)}
        if name == ORDERS:
            metrics = METRICS | target_metrics(self.targets)
            columns += [_column(*column) for column in ORDER_COLUMNS]
        return {
            "table_name": name,
            "schema": reports_dataset(self.dataset),
            "main_dttm_col": self._time_of(name),
            "description": report.grain,
            "uuid": self._id("dataset", name),
            "database_uuid": self._database_id(),
            "columns": columns,
            "metrics": [
                {
                    "metric_name": metric,
                    "verbose_name": metric.replace("_", " "),
                    "expression": made.sql,
                    "description": made.description,
                    "d3format": made.format,
                }
                for metric, made in metrics.items()
            ],
            "version": VERSION,
        }

    def _time_of(self, dataset: str) -> str | None:
        return next((name for name in TIME_COLUMNS if name in self.types[dataset]), None)

    def _chart(self, chart: Chart) -> dict[str, Any]:
        params = {"viz_type": chart.shape, **self._settings(chart), **chart.options}
        context = {
            "datasource": {"id": 1, "type": "table"},  # replaced when it is imported
            "force": False,
            "queries": [self._query(chart)],
            "form_data": params,
            "result_format": "json",
            "result_type": "full",
        }
        return {
            "slice_name": chart.title,
            "description": chart.description,
            "viz_type": chart.shape,
            "params": params,
            "query_context": json.dumps(context),
            "uuid": self._id("chart", chart.title),
            "dataset_uuid": self._id("dataset", chart.dataset),
            "version": VERSION,
        }

    def _settings(self, chart: Chart) -> dict[str, Any]:
        """What a chart shows, in the words of its form."""
        filters = []
        if time := self._time_of(chart.dataset):
            ranged = {"operator": "TEMPORAL_RANGE", "comparator": _range(chart)}
            filters.append(
                {"expressionType": "SIMPLE", "clause": "WHERE", "subject": time} | ranged
            )
        if chart.where:
            filters.append(
                {"expressionType": "SQL", "clause": "WHERE", "sqlExpression": chart.where}
            )
        metrics = [*chart.metrics]
        settings: dict[str, Any] = {"adhoc_filters": filters}
        if chart.shape in ("big_number_total", "heatmap_v2"):
            settings["metric"] = metrics[0]
        elif metrics:
            settings["metrics"] = metrics
        if chart.columns:
            settings["all_columns"] = [*chart.columns]
        if chart.x:
            settings |= {"x_axis": chart.x, "time_grain_sqla": "P1D"}
        if chart.groups:
            settings["groupby"] = (
                chart.groups[0] if chart.shape == "heatmap_v2" else [*chart.groups]
            )
        return settings

    def _query(self, chart: Chart) -> dict[str, Any]:
        """The same as a query, for exports and alerts, which no browser works out."""
        time, options = self._time_of(chart.dataset), chart.options
        ranged = [{"col": time, "op": "TEMPORAL_RANGE", "val": _range(chart)}] if time else []
        metrics = [*chart.metrics]
        columns: list[Any] = [*chart.groups, *chart.columns]
        if chart.x:
            axis = {"columnType": "BASE_AXIS", "expressionType": "SQL", "label": chart.x}
            grain = {"timeGrain": "P1D"} if chart.x in TIME_COLUMNS else {}
            columns.insert(0, axis | grain | {"sqlExpression": chart.x})
        query: dict[str, Any] = {
            "columns": columns,
            "filters": ranged,
            "extras": {"where": f"({chart.where})"} if chart.where else {},
            "row_limit": options.get("row_limit", 1),
            "time_offsets": options.get("time_compare", []),
            "orderby": [[metrics[0], False]] if chart.groups and metrics else [],
        }
        if metrics:
            return query | {"metrics": metrics}
        return query | {"orderby": [json.loads(by) for by in options.get("order_by_cols", ())]}

    def _dashboard(self, shown: Sequence[Chart]) -> dict[str, Any]:
        return {
            "dashboard_title": "SignalWire orders",
            "description": "How long 10DLC number assignment orders take, and which ones hang",
            "uuid": self._id("dashboard"),
            "position": self._layout(shown),
            "metadata": {
                "native_filter_configuration": self._filters(shown),
                "filter_bar_orientation": "HORIZONTAL",
                "cross_filters_enabled": True,
                "color_scheme": "supersetColors",
            },
            "published": True,
            "version": VERSION,
        }

    def _filters(self, shown: Sequence[Chart]) -> list[dict[str, Any]]:
        target = {"datasetUuid": self._id("dataset", ORDERS)}
        created = _filter("Created", "filter_time", {})
        chosen = {"extraFormData": {"time_range": PERIOD}, "filterState": {"value": PERIOD}}
        created["defaultDataMask"] = chosen
        of_now = [number for number, chart in enumerate(shown, 1) if chart.of == "now"]
        created["scope"]["excluded"] = of_now
        use_case, brand, campaign = (
            _filter(name, "filter_select", target | {"column": {"name": column}})
            for name, column in FILTERS
        )
        campaign["cascadeParentIds"] = [brand["id"]]  # offers the campaigns of the chosen brands
        grain = _filter("Time grain", "filter_timegrain", target)
        return [created, use_case, brand, campaign, grain]

    def _layout(self, shown: Sequence[Chart]) -> dict[str, Any]:
        """Two tabs of rows: what follows the filters, and what is of all orders."""
        tabs = {
            "TAB-orders": ("Orders", [chart for chart in shown if chart.of != "all"]),
            "TAB-all": ("All orders, whatever the filters", [c for c in shown if c.of == "all"]),
        }
        position: dict[str, Any] = {
            "DASHBOARD_VERSION_KEY": "v2",
            **_part("ROOT", "ROOT_ID", ["TABS"], []),
            **_part("GRID", "GRID_ID", []),
            **_part("HEADER", "HEADER_ID", [], text="SignalWire orders"),
            **_part("TABS", "TABS", [*tabs], ["ROOT_ID"]),
        }
        numbers = {chart.title: number for number, chart in enumerate(shown, 1)}
        for tab, (title, charts_of_tab) in tabs.items():
            names = []
            for row in _rows(charts_of_tab):
                names.append(name := f"ROW-{numbers[row[0].title]}")
                position |= _part(
                    "ROW", name, [f"CHART-{numbers[chart.title]}" for chart in row],
                    ["ROOT_ID", "TABS", tab], background="BACKGROUND_TRANSPARENT",
                )  # fmt: skip
                for chart in row:
                    position |= _part(
                        "CHART", f"CHART-{numbers[chart.title]}", [],
                        ["ROOT_ID", "TABS", tab, name],
                        chartId=numbers[chart.title], uuid=self._id("chart", chart.title),
                        sliceName=chart.title, width=chart.width, height=chart.height,
                    )  # fmt: skip
            position |= _part("TAB", tab, names, ["ROOT_ID", "TABS"], text=title)
        return position


def _column(
    name: str, kind: str, description: str | None, sql: str | None = None
) -> dict[str, Any]:
    return {
        "column_name": name,
        "verbose_name": name.replace("_", " "),
        "type": kind,
        "is_dttm": kind.startswith(("TIMESTAMP", "DATE")),
        "description": description,
        "expression": sql,
        "groupby": True,
        "filterable": True,
        "is_active": True,
    }


def _range(chart: Chart) -> str:
    return PERIOD if "time_compare" in chart.options else NO_FILTER


def _filter(name: str, kind: str, target: Mapping[str, Any]) -> dict[str, Any]:
    """A filter above the charts, which reaches those of the first tab."""
    return {
        "id": f"NATIVE_FILTER-{name.lower().replace(' ', '_')}",
        "type": "NATIVE_FILTER",
        "name": name,
        "filterType": kind,
        "targets": [dict(target)],
        "controlValues": {"multiSelect": kind == "filter_select", "searchAllOptions": True},
        "defaultDataMask": {"extraFormData": {}, "filterState": {}},
        "cascadeParentIds": [],
        "scope": {"rootPath": ["TAB-orders"], "excluded": []},
    }


def _rows(shown: Iterable[Chart]) -> list[list[Chart]]:
    """Charts in rows of twelve twelfths."""
    rows: list[list[Chart]] = []
    for chart in shown:
        if not rows or sum(c.width for c in rows[-1]) + chart.width > TWELFTHS:
            rows.append([])
        rows[-1].append(chart)
    return rows


def _part(
    kind: str, name: str, children: list[str], parents: list[str] | None = None, **meta: Any
) -> dict[str, Any]:
    """A part of the layout by its name, with its way from the root where it is drawn."""
    part = {"type": kind, "id": name, "children": children, "meta": meta}
    return {name: part if parents is None else part | {"parents": parents}}
