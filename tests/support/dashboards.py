"""What the tests of the dashboard share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pipelines.dashboard.data import Dashboard, load
from pipelines.destinations.resolve import find_target
from sources.simulator import SimulatedSpace
from support import Workspace
from support.pages import Page

OpenPage = Callable[..., Page]
CAMPAIGN_NAMES = "#campaigns tbody th"


def loaded() -> Dashboard:
    return load(find_target())


def reports(workspace: Workspace, sql: str) -> list[dict[str, Any]]:
    return workspace.rows(sql.replace("@", "signalwire_reports."))


def campaign_ids(space: SimulatedSpace) -> list[str]:
    return list(dict.fromkeys(campaign for _, campaign, _ in space.world.truth_orders()))
