"""Texts and times that file formats tend to spoil arrive as they were served."""

from __future__ import annotations

import pytest
from support import Workspace, true_orders

from sources.simulator import SimulatedSpace

# an empty text is not a null
TEXTS = [
    "",
    " ",
    "NULL",
    "\\N",
    "\\.",
    "a\n\\.\nb",
    "a\r\nb",
    "a\tb\\",
    "\"a\" 'b', c",
    "ü\u2028😀",
]
TIMES = [
    "2026-01-02T03:04:05.123457Z",
    "2026-01-02T03:04:05Z",
    "2026-01-02T03:04:05.1+05:30",
    "1970-01-01T00:00:00Z",
    "0001-01-01T00:00:00Z",
    "9999-12-31T23:59:59.999999Z",
]


def test_texts(space: SimulatedSpace, workspace: Workspace) -> None:
    for (_, _, record), text in zip(space.world.truth_orders(), TEXTS, strict=False):
        space.world.patch_order(record["id"], status_callback_url=text)
    workspace.run(space)
    assert workspace.orders() == true_orders(space)
    assert {*TEXTS, None} <= {row["status_callback_url"] for row in workspace.orders()}


def test_times(space: SimulatedSpace, workspace: Workspace) -> None:
    for (_, _, record), time in zip(space.world.truth_orders(), TIMES, strict=False):
        space.world.patch_order(record["id"], processed_at=time)
    workspace.run(space)
    assert workspace.orders() == true_orders(space)


def test_a_field_that_came_later(space: SimulatedSpace, workspace: Workspace) -> None:
    workspace.run(space)
    campaign_id = space.world.truth_campaigns()[0][1]["id"]
    space.world.add_order(campaign_id, carrier_note="it's\nlate")
    for _ in range(2):
        workspace.run(space, full=True)
    notes = [row["carrier_note"] for row in workspace.table("orders")]
    assert [note for note in notes if note is not None] == ["it's\nlate"]
    assert len(notes) == 49


@pytest.mark.proof
def test_ids_that_a_collation_may_take_for_one(space: SimulatedSpace, workspace: Workspace) -> None:
    """They differ in case, in an accent, in spaces at the end, or after many characters."""
    ids = ["a-1", "A-1", "ä-1", "a-1 ", "ß", "ss", "x" * 700 + "1", "x" * 700 + "2"]
    campaign_id = space.world.truth_campaigns()[0][1]["id"]
    when = {"created_at": "2026-02-01T00:00:00Z", "updated_at": "2026-02-01T00:00:00Z"}
    for number in ids:
        space.world.insert_raw(campaign_id, {"id": number, "state": "pending", **when})
    workspace.run(space)
    later = {**when, "updated_at": "2026-03-01T00:00:00Z"}
    for number in ids[::2]:
        space.world.insert_raw(campaign_id, {"id": number, "state": "processed", **later})
    workspace.run(space, full=True)
    states = {row["id"]: row["state"] for row in workspace.table("orders")}
    assert [states[number] for number in ids] == ["processed", "pending"] * 4
    assert len(states) == 48 + len(ids)
