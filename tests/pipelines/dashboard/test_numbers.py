"""The dashboard's numbers: what is aggregated in SQL, and how values are written."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from datetime import timedelta
from math import floor, log10

import pytest
from support import Workspace
from support.dashboards import campaign_ids, loaded, reports

from pipelines.dashboard.data import Flow, thinned
from pipelines.dashboard.formats import NONE, hours, percent
from pipelines.dashboard.svg import count_ticks, hour_ticks
from sources.simulator import SimulatedSpace

OpenSpace = Callable[..., SimulatedSpace]


class TestNumbers:
    """What is put together in SQL for the pictures."""

    @pytest.fixture
    def filled(self, open_space: OpenSpace, any_workspace: Workspace) -> Workspace:
        space = open_space(brands=1, orders=400)
        campaign = campaign_ids(space)[0]
        now = space.clock.now().isoformat()
        # processed in no time, and in twenty seconds
        for at in (now, (space.clock.now() - timedelta(seconds=20)).isoformat()):
            space.world.add_order(campaign, state="processed", created_at=at, processed_at=now)
        any_workspace.run(space)
        return any_workspace

    def test_the_curve_is_thinned_but_true(self, filled: Workspace) -> None:
        curve = reports(filled, "SELECT * FROM @processing_time_survival ORDER BY hours")
        drawn = loaded().survival
        assert 100 < len(drawn) < 520 < len(curve)
        processed = sum(row["processed"] for row in curve)
        so_far = 0
        at = [step.hours for step in drawn]
        for row in curve:
            so_far += row["processed"]
            place = bisect_right(at, row["hours"]) - 1
            share, naive = (drawn[place].share, drawn[place].naive) if place >= 0 else (1, 1)
            assert naive is not None
            assert abs(share - row["share_waiting"]) <= 1 / 170 + 1e-9
            assert abs(naive - (1 - so_far / processed)) <= 1 / 170 + 1e-9
        last = drawn[-1]
        assert (last.hours, last.share, last.lower, last.upper) == pytest.approx(
            tuple(curve[-1][name] for name in ("hours", "share_waiting", "lower", "upper"))
        )

    def test_the_histogram_counts_every_processed_order(self, filled: Workspace) -> None:
        times = reports(
            filled,
            "SELECT processing_hours AS h FROM @order_processing WHERE processing_hours >= 0",
        )
        counts: dict[int, int] = {}
        for row in times:
            minutes = row["h"] * 60
            place = floor(log10(minutes) * 8) if minutes >= 1 else -1
            counts[place] = counts.get(place, 0) + 1
        assert counts[-1] == 2
        assert dict(loaded().histogram) == counts

    def test_the_flow_adds_up_day_by_day(self, filled: Workspace) -> None:
        arrived = processed = 0
        expected = []
        for row in reports(filled, "SELECT * FROM @backlog_by_day ORDER BY day"):
            arrived += row["arrived"]
            processed += row["processed"]
            expected.append(Flow(row["day"], arrived, processed, row["open_at_end"]))
        assert [*loaded().flow] == expected

    def test_a_short_history_is_shown_by_day(self, filled: Workspace) -> None:
        assert loaded().period == "week"
        filled.execute(
            "DELETE FROM signalwire.orders WHERE created_at < TIMESTAMPTZ '2026-02-01 00:00:00Z'"
        )
        board = loaded()
        days = reports(filled, "SELECT * FROM @processing_time_by_day ORDER BY created_day")
        assert board.period == "day"
        assert [(p.start, p.orders, p.median_all) for p in board.periods] == [
            (row["created_day"], row["orders"], row["median_hours_all"]) for row in days
        ]

    def test_many_days_are_thinned_to_the_newest(self, filled: Workspace) -> None:
        (newest,) = loaded().flow[-1:]
        flow = [
            newest._replace(day=newest.day - timedelta(days=ago)) for ago in range(1500, -1, -1)
        ]
        kept = thinned(flow)
        assert (kept[0], kept[-1]) == (flow[0], flow[-1])
        assert 300 < len(kept) <= 401


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, NONE), (0.0, "0 min"), (0.001, "under 1 min"), (0.7, "42 min"), (0.999, "1 h"),
        (3.42, "3.4 h"), (24.0, "24 h"), (48.0, "48 h"), (50.4, "2.1 d"), (48000.0, "2,000 d"),
    ],
)  # fmt: skip
def test_hours_are_readable(value: float | None, text: str) -> None:
    assert hours(value).replace("\N{NO-BREAK SPACE}", " ") == text


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (None, NONE), (0.0, "0 %"), (0.0004, "under 0.1 %"), (0.876, "87.6 %"),
        (0.9996, "over 99.9 %"), (1.0, "100 %"),
    ],
)  # fmt: skip
def test_a_share_is_never_rounded_to_none_or_all(share: float | None, text: str) -> None:
    assert percent(share).replace("\N{NO-BREAK SPACE}", " ") == text


def test_axes_end_on_round_values() -> None:
    assert [name for _, name in count_ticks(0)] == ["0", "1", "2", "3", "4", "5"]
    assert [name for _, name in count_ticks(1_048_000, 4)] == ["0", "500 k", "1 M", "1.5 M"]
    assert [name for _, name in hour_ticks(0.0)] == [
        "0", "0.2 min", "0.4 min", "0.6 min", "0.8 min", "1 min",
    ]  # fmt: skip
    assert [name for _, name in hour_ticks(0.5)] == ["0", "10 min", "20 min", "30 min"]
    assert [name for _, name in hour_ticks(41.0)] == ["0", "10 h", "20 h", "30 h", "40 h", "50 h"]
    assert [name for _, name in hour_ticks(200.0)] == ["0", "2 d", "4 d", "6 d", "8 d", "10 d"]
