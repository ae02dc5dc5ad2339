"""What test modules share: a user's folder, the truth to compare with, servers, histories.

Tests, and fixtures that only one folder of tests needs, do not belong here.
"""

from __future__ import annotations

from support.other_workspaces import (
    DeltaWorkspace,
    DuckLakeWorkspace,
    MariaDBWorkspace,
    SnowflakeWorkspace,
    SqliteWorkspace,
)
from support.workspace import (
    ROOT,
    START,
    UNPRIVILEGED,
    Workspace,
    as_json,
    instant,
    true_numbers,
    true_orders,
)

__all__ = [
    "ROOT",
    "START",
    "UNPRIVILEGED",
    "DeltaWorkspace",
    "DuckLakeWorkspace",
    "MariaDBWorkspace",
    "SnowflakeWorkspace",
    "SqliteWorkspace",
    "Workspace",
    "as_json",
    "instant",
    "true_numbers",
    "true_orders",
]
