"""What checks hold the data to: each limit, against orders of a known outcome."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from support import Workspace

from pipelines.destinations.resolve import find_target
from pipelines.reporting.health import judged, probe_destination
from pipelines.reporting.limits import Limits, configured_limits
from sources.signalwire.errors import ConfigurationError
from sources.simulator import SimulatedSpace

OpenSpace = Callable[..., SimulatedSpace]
HOUR = 3600.0


@pytest.fixture
def orders(open_space: OpenSpace, any_workspace: Workspace) -> dict[str, Any]:
    """Ten orders of two campaigns, loaded ten hours after they were created.

    In the first campaign four took 2 hours and one 9, in the second three took 5, one failed and
    one waits.
    """
    space = open_space(brands=2, campaigns=1, orders=0, arrivals_per_day=0)
    first, second = (campaign["id"] for _, campaign in space.world.truth_campaigns())
    begin = space.clock.now()
    took = {first: [2, 2, 2, 2, 9], second: [5, 5, 5, "failed", None]}
    for campaign, outcomes in took.items():
        for outcome in outcomes:
            order = space.world.add_order(campaign, state="pending")
            if outcome == "failed":
                space.world.update_order(order, state="failed")
            elif outcome is not None:
                done = (begin + timedelta(hours=float(outcome))).isoformat()
                space.world.update_order(order, state="processed", processed_at=done)
    space.clock.advance(10 * HOUR)
    any_workspace.environment["REPORTS__SLA"] = f'[{{"hours": 4, "campaign": "{first}"}}]'
    any_workspace.command("run", space=space)
    brands = {c["id"]: brand for brand, c in space.world.truth_campaigns()}
    return {"space": space, "first": first, "second": second, "brand": brands[second]}


def findings(**limits: Any) -> dict[str, bool]:
    found = judged(probe_destination(find_target(), [Limits(**limits)]), [Limits(**limits)])
    return {f.key or f.what: f.ok for f in found if f.what not in ("destination", "limits", "dlt")}


def test_each_limit_on_both_sides_of_it(orders: dict[str, Any], any_workspace: Workspace) -> None:
    first, second = orders["first"], orders["second"]
    # 4 of 5 within 4 hours; of the second's, promised 24, only the processed ones can be judged
    assert findings(min_within_target=0.8, campaign=first)[f"in time of campaign {first}"]
    assert not findings(min_within_target=0.81, campaign=first)[f"in time of campaign {first}"]
    assert findings(min_within_target=7 / 8)["in time"]
    assert not findings(min_within_target=0.88)["in time"]
    # nine of ten of the first took 9 hours; a fifth of the second waits, for 10 hours
    assert findings(max_p90=9 * HOUR, campaign=first)[f"p90 of campaign {first}"]
    assert not findings(max_p90=8.9 * HOUR, campaign=first)[f"p90 of campaign {first}"]
    assert not findings(max_p90=9 * HOUR, campaign=second)[f"p90 of campaign {second}"]
    assert findings(max_p90=11 * HOUR, campaign=second)[f"p90 of campaign {second}"]
    assert findings(max_failed=1)["failed"]
    assert not findings(max_failed=0)["failed"]
    brand = orders["brand"]
    assert not findings(max_failed=0, brand=brand)[f"failed of brand {brand}"]
    assert findings(max_failed=0, campaign=first)[f"failed of campaign {first}"]
    # all of it is younger than this
    assert findings(max_failed=0, over=9 * HOUR)["failed"]
    assert findings(max_p90=1.0, over=9 * HOUR)["p90"]
    assert findings(min_within_target=1.0, over=9 * HOUR)["in time"]
    assert findings(max_data_quality="error")["data quality"]
    any_workspace.execute(f"UPDATE {any_workspace.qualified('orders')} SET updated_at = NULL")
    assert findings(max_data_quality="error")["data quality"]
    assert not findings(max_data_quality="warning")["data quality"]
    assert not findings(max_data_quality="information")["data quality"]


def test_a_name_with_a_slash_makes_no_part_of_another(
    orders: dict[str, Any], any_workspace: Workspace
) -> None:
    """What is known of `A/B` would be resolved whenever all is well with `A`."""
    orders["space"].world.update_brand(orders["brand"], name="A/B")
    any_workspace.command("run", space=orders["space"])
    (key,) = [key for key in findings(max_failed=0, brand="A/B") if "A" in key]
    assert key == "failed of brand A%2FB"


def test_a_finding_says_what_how_many_which_and_what_shows_more(
    orders: dict[str, Any], any_workspace: Workspace
) -> None:
    space = orders["space"]
    done = any_workspace.command(
        "check", "--max-failed", "0", "--max-p90", "1h", "--min-within-target", "0.99",
        "--brand", orders["brand"], space=space,
    )  # fmt: skip
    assert done.returncode == 1
    out = done.stdout
    assert "FAIL  failed       1 orders created in the last 30 days have failed" in out
    (failed,) = [r["id"] for r in any_workspace.table("orders") if r["state"] == "failed"]
    assert f"      {failed} of " in out
    assert "more: signalwire-orders report order_processing --brand" in out
    assert "--status failed" in out
    assert "fewer than 90 % of the orders" in out
    assert "ok    in time      100.0% of 3 orders" in out
    (command,) = [line for line in out.splitlines() if "report order_processing" in line]
    arguments = command.split("signalwire-orders ")[1].split()
    shown = any_workspace.command(*arguments, "--format", "csv", space=space)
    assert failed in shown.stdout
    assert len(shown.stdout.splitlines()) == 2


@pytest.mark.proof
def test_settings_judge_check_run_and_metrics_alike(
    orders: dict[str, Any], any_workspace: Workspace
) -> None:
    space = orders["space"]
    settings = f"""
        [checks]
        max_failed = 1
        over = "2d"
        [[checks.of]]
        brand = "{orders["brand"]}"
        max_failed = 0
        max_p90 = "24h"
    """
    (any_workspace.folder / ".dlt").mkdir(exist_ok=True)
    (any_workspace.folder / ".dlt" / "config.toml").write_text(settings)
    done = any_workspace.command("check", space=space)
    assert done.returncode == 1
    assert "ok    failed       1 orders created in the last 2 days" in done.stdout
    assert "FAIL  failed       1 orders created in the last 2 days" in done.stdout
    assert "ok    p90 " in done.stdout
    run = any_workspace.command("run", "--metrics-file", "m.prom", space=space)
    assert run.returncode == 0
    assert f"check failed: failed of brand {orders['brand']}: 1 orders" in run.stderr
    metrics = (any_workspace.folder / "m.prom").read_text()
    assert "signalwire_orders_checks_failed 1.0" in metrics
    # of all orders, and the brand's failures and p90
    assert "signalwire_orders_checks 3.0" in metrics
    # the options go before the settings, and leave those of brands as they are
    done = any_workspace.command("check", "--max-failed", "0", space=space)
    assert done.stdout.count("FAIL  failed") == 2


@pytest.mark.parametrize(
    ("variable", "value", "words"),
    [
        ("CHECKS__MAX_P90", "soon", r"checks: max_p90 \(soon\) has to be a duration"),
        ("CHECKS__OVER", "99999d", "100 years"),
        ("CHECKS__MIN_WITHIN_TARGET", "90", "a share from 0 to 1"),
        ("CHECKS__MIN_WITHIN_TARGET", "nan", "a share from 0 to 1"),
        ("CHECKS__MAX_FAILED", "-1", "a whole number, 0 or more"),
        ("CHECKS__MAX_STUCK", "1.5", "a whole number, 0 or more"),
        ("CHECKS__MAX_DATA_QUALITY", "bad", "has to be one of error, warning, information"),
        ("CHECKS__OF", "x", "has to be a list of tables"),
        ("CHECKS__OF", '[{"max_failed": 1}]', "number 1: it needs either a brand or a campaign"),
        ("CHECKS__OF", '[{"brand": "b", "max_age": "1h"}]', "max_age is of all that is loaded"),
        ("CHECKS__OF", '[{"brand": "b", "most": 1}]', "most is not known; known are max_age"),
        ("CHECKS__OF", '[{"brand": 7}]', r"brand \(7\) has to be an id or a name"),
    ],
)
def test_what_cannot_be_meant_is_refused(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, variable: str, value: str, words: str
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(ConfigurationError, match=words):
        configured_limits()


def test_a_run_refuses_it_before_it_reads(space: SimulatedSpace, workspace: Workspace) -> None:
    for setting in ({"CHECKS__MAX_P90": "soon"}, {"REPORTS__SLA": '[{"hours": 0}]'}):
        done = workspace.command("run", space=space, **setting)
        assert done.returncode == 2, done.stderr
        assert len(done.stderr.splitlines()) == 1
    assert space.journal.requests == 0


def test_a_brand_that_is_not_loaded_fails_the_check(
    orders: dict[str, Any], any_workspace: Workspace
) -> None:
    done = any_workspace.command(
        "check", "--max-failed", "9", "--brand", "Unknown", space=orders["space"]
    )
    assert done.returncode == 1
    assert "no brand Unknown is loaded" in done.stdout
