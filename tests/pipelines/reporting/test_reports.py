"""Every number of every report, compared with an independent computation on drawn tables."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from support import number_truth
from support.comparison import comparable, same
from support.measure_truth import Row
from support.report_tables import DuckTables, PostgresTables, Tables, World
from support.report_truth import MAIN_TARGET, TARGETS, quality, truth

from pipelines.reporting.catalog import load_reports
from pipelines.reporting.promises import parse_promises
from sources.signalwire.crawl.registry import LISTED_TWICE

# the last begins in the future, and one is for nothing
PROMISES: list[dict[str, Any]] = [
    {"name": "first days", "hours": 30, "since": date(2026, 3, 3)},
    {"name": "later", "hours": 2, "since": date(2026, 4, 2)},
    {"name": "codes", "hours": 4, "use_case": "2fa"},
    {"name": "b1's codes", "hours": 6, "use_case": "2FA", "brand": "b1",
     "since": date(2026, 3, 20)},
    {"name": "b2: it's 'FROM orders' {{ x }} 100%s", "hours": 1.5, "brand": "b2"},
    {"name": "of c1", "hours": 48, "campaign": "c1", "since": date(2026, 4, 5)},
    {"name": "of c1", "hours": 1, "campaign": "c1", "since": date(2026, 4, 9)},
    {"name": "for nothing", "hours": 1, "campaign": "c9", "since": date(2026, 5, 9)},
]  # fmt: skip
REPORTS = load_reports(TARGETS, MAIN_TARGET, parse_promises(PROMISES))
START = datetime(2026, 3, 1, tzinfo=timezone.utc)
NOW = START + timedelta(days=41, hours=7)


# times that cannot be, and some around the first and the last that can
_day_on = NOW + timedelta(hours=24)
_odd = st.one_of(
    *[st.none()] * 12,
    st.sampled_from(
        [
            *(datetime(y, 6, 1, 13, tzinfo=timezone.utc) for y in (1, 1970, 9999)),
            datetime(2019, 1, 1, tzinfo=timezone.utc),
            datetime(2018, 12, 31, 23, 59, 59, 999_999, tzinfo=timezone.utc),
            _day_on,
            _day_on + timedelta(microseconds=1),
        ]
    ),
)
# few values, so that ties are frequent; some lie in the future, some before the order itself
_minutes = st.sampled_from([0, 1, 59, 60, 240, 241, 1_440, 1_441, 2_880, 9_000, 50_000])
_created = st.one_of(
    st.none(),
    st.builds(
        lambda minutes, micro: NOW - timedelta(minutes=minutes, microseconds=micro),
        st.one_of(_minutes, st.integers(-90, 58_000)),
        st.sampled_from([0, 0, 1, 333_333]),
    ),
)
_later = st.one_of(st.none(), _minutes, _minutes, st.integers(-300, 4_000))


@st.composite
def an_order(draw: st.DrawFn, number: int) -> Row:
    created = draw(_odd) or draw(_created)
    base = created or START
    done, updated, gone = (draw(_later) for _ in range(3))
    state = draw(
        st.sampled_from(["processed"] * 4 + ["pending", "processing", "failed", "new", None])
    )
    return {
        "id": f"order {number}",
        "campaign_id": draw(st.sampled_from(["c1", "c1", "c2", "c3"])),
        "brand_id": draw(st.sampled_from(["b1", "b2"])),
        "state": state,
        "created_at": created,
        "updated_at": draw(_odd)
        or (None if updated is None else base + timedelta(minutes=updated)),
        "processed_at": draw(_odd) or (None if done is None else base + timedelta(minutes=done)),
        # an order that was looked for in vain had been read before
        "deleted_at": None
        if gone is None or draw(st.integers(0, 4))
        else min(base + timedelta(minutes=abs(gone)), NOW),
    }


PARENT_STATES = ["pending", "active", "completed", "inactive", None]
NUMBER_STATES = ["completed", "completed", "pending", "failed", "new", None]
# a brand's and a campaign's
registrations = st.fixed_dictionaries(
    {
        "state": st.sampled_from(PARENT_STATES),
        "created_at": st.one_of(_odd, _created),
        "number_pooling_required": st.sampled_from([True, False, None]),
        "deleted_at": st.sampled_from([None, None, None, NOW - timedelta(minutes=3)]),
    }
)


@st.composite
def histories_of(draw: st.DrawFn, kind: str, ids: list[str], states: list[str | None]) -> list[Row]:
    """Rows of a table of changes; no two of a record are alike."""
    rows = []
    for number in range(draw(st.integers(0, 10))):
        seen = NOW - timedelta(minutes=draw(_minutes), microseconds=number)
        rows.append(
            {
                "id": f"change {number}",
                f"{kind}_id": draw(st.sampled_from(ids)),
                "state": draw(st.sampled_from(states)),
                "updated_at": draw(_odd) or seen - timedelta(minutes=draw(_minutes)),
                "deleted_at": draw(st.sampled_from([None] * 5 + [seen])),
                "seen_at": seen,
            }
        )
    return rows


@st.composite
def numbers(draw: st.DrawFn) -> World:
    """Number assignments and their history."""
    ids = [f"number {n}" for n in range(draw(st.sampled_from([0, 1, 3, 8, 20, 50])))]
    rows = []
    for number in ids:
        created = draw(_odd) or draw(_created)
        rows.append(
            {
                "id": number,
                "campaign_id": draw(st.sampled_from(["c1", "c1", "c2", "c3"])),
                "brand_id": draw(st.sampled_from(["b1", "b2"])),
                "phone_number__number": f"+1555{number[7:]}",
                "state": draw(st.sampled_from(NUMBER_STATES)),
                "created_at": created,
                "updated_at": draw(st.one_of(_odd, _created)),
                "deleted_at": draw(st.sampled_from([None] * 5 + [NOW - timedelta(minutes=9)])),
            }
        )
    changes = draw(histories_of("number_assignment", ids, NUMBER_STATES)) if ids else []
    return {"number_assignments": rows, "number_assignment_changes": changes}


@st.composite
def worlds(draw: st.DrawFn) -> World:
    orders = [draw(an_order(n)) for n in range(draw(st.sampled_from([0, 1, 2, 5, 12, 40])))]
    changes = []
    for number in range(draw(st.integers(0, 12))):
        since = draw(_minutes)
        changes.append(
            {
                "id": f"change {number:02}",
                "order_id": f"order {draw(st.integers(0, 3))}",
                "campaign_id": "c1",
                "state": draw(st.sampled_from(["pending", "failed", "processed", None])),
                "updated_at": draw(_odd)
                or draw(st.sampled_from([NOW - timedelta(minutes=since), None])),
                "deleted_at": draw(st.sampled_from([None] * 5 + [NOW - timedelta(minutes=7)])),
                "seen_at": NOW - timedelta(minutes=draw(_minutes)),
            }
        )
    return {
        **draw(numbers()),
        "brands": [
            {"id": "b1", "name": "Acme", **draw(registrations)},
            {"id": "b2", "name": None, **draw(registrations)},
        ],
        "brand_changes": draw(histories_of("brand", ["b1", "b2"], PARENT_STATES)),
        "campaigns": [
            {"id": "c1", "brand_id": "b1", "name": "<script>", "sms_use_case": "2FA"}
            | draw(registrations),
            {"id": "c2", "brand_id": "b2", "name": "Offers", "sms_use_case": None}
            | draw(registrations),
        ],
        "campaign_changes": draw(histories_of("campaign", ["c1", "c2"], PARENT_STATES)),
        "orders": orders,
        "order_changes": changes,
        "runs": [
            {"run_id": "old", "complete": True, "read_at": START},
            {"run_id": "new", "complete": True, "read_at": NOW},
            {"run_id": "part", "complete": True, "read_at": NOW, "narrowed_to": "{}"},
        ],
        "campaign_failures": [
            {"id": str(n), "run_id": draw(st.sampled_from(["old", "new"]))}
            for n in range(draw(st.integers(0, 2)))
        ],
        "rejected": [
            {
                "id": str(n),
                "table_name": draw(st.sampled_from(["campaigns", "orders"])),
                "record_id": draw(st.sampled_from(["c1", "c2"])),
                "run_id": draw(st.sampled_from(["old", "new"])),
                "reason": draw(
                    st.sampled_from([f"{LISTED_TWICE}; and so on", "not a JSON object"])
                ),
            }
            for n in range(draw(st.integers(0, 4)))
        ],
    }


def check(tables: Tables, world: World) -> None:
    """All reports of these tables against the truth."""
    tables.fill(world)
    expected = truth(world, NOW, PROMISES) | number_truth.truth(world, NOW)
    for name, rows in expected.items():
        found = comparable(tables.rows(f"SELECT * FROM signalwire_reports.{name}"))
        wanted = comparable(rows)
        assert len(found) == len(wanted), name
        for got, want in zip(found, wanted, strict=True):
            wrong = {n: (got[n], want[n]) for n in want if not same(got[n], want[n])}
            assert got.keys() == want.keys(), name
            assert not wrong, (name, wrong, want)
    checks = tables.rows("SELECT check_name, count FROM signalwire_reports.data_quality")
    assert {row["check_name"]: row["count"] for row in checks} == quality(
        expected["order_processing"], world, NOW, useless=1
    )
    check_parity(tables)


def check_parity(tables: Tables) -> None:
    """Totals agree between reports."""

    def totals(report: str, where: str = "TRUE", **expressions: str) -> Row:
        columns = ", ".join(f"{sql} AS {name}" for name, sql in expressions.items())
        sql = f"SELECT {columns} FROM signalwire_reports.{report} WHERE {where}"
        return {name: n or 0 for name, n in tables.rows(sql)[0].items()}

    def total(expression: str, report: str, where: str = "TRUE") -> Any:
        return totals(report, where, n=expression)["n"]

    statuses = ("processed", "open", "failed", "deleted")
    of_all = totals("processing_time_summary", **{s: s for s in statuses})
    counted = {s: f"count(CASE WHEN status = '{s}' THEN 1 END)" for s in statuses}
    assert of_all == totals("order_processing", **counted)
    for group in ("campaign", "brand", "use_case", "day", "week", "month", "hour_of_week"):
        summed = totals(f"processing_time_by_{group}", **{s: f"sum({s})" for s in statuses})
        assert of_all == summed, group
    assert of_all["open"] == total("sum(orders)", "backlog")
    last_day = "day = (SELECT max(day) FROM signalwire_reports.backlog_by_day)"
    dated = total("sum(orders)", "backlog", "from_hours IS NOT NULL")
    assert total("open_at_end", "backlog_by_day", last_day) == dated if dated else True
    curve = total("sum(processed) + sum(censored)", "processing_time_survival")
    assert curve == total("count(observed_hours)", "order_processing")


EXAMPLES = settings(
    deadline=None,
    database=None,
    phases=[Phase.explicit, Phase.generate, Phase.shrink],
    suppress_health_check=list(HealthCheck),
)


@settings(EXAMPLES, max_examples=8)
@given(world=worlds())
def test_every_number_in_a_few_worlds(duck_tables: DuckTables, world: World) -> None:
    check(duck_tables, world)


@pytest.mark.proof
@settings(EXAMPLES, max_examples=60)
@given(world=worlds())
def test_every_number_on_duckdb(duck_tables: DuckTables, world: World) -> None:
    check(duck_tables, world)


@pytest.mark.proof
@settings(EXAMPLES, max_examples=25)
@given(world=worlds())
def test_every_number_on_postgres(postgres_tables: PostgresTables, world: World) -> None:
    check(postgres_tables, world)
