"""Histories of a space and of the runs that follow it, drawn at random and played for real.

A history is a list of steps: the space changes, time goes by, a run is made. Runs meet faults,
changes between two of their requests, and death between two of their steps; they lose their
working directory or happen on another machine. After it, quiet runs, and whole rows are compared.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from unittest import mock

from sources.signalwire.crawl import crawler, stretches
from sources.simulator import SimulatedSpace
from support.at_call import at_call
from support.history_steps import DEATHS, Change, Run, Step, Wait
from support.workspace import Workspace, true_numbers, true_orders

SETTLED_AFTER = timedelta(days=30)
A_MINUTE = timedelta(minutes=1)
NUMBER_STATES = ("pending", "completed", "failed")


class Killed(BaseException):
    """Stands for the end of the process: nothing of ours may catch it."""


def _die() -> None:
    raise Killed


@contextlib.contextmanager
def cutting(cuts: bool = True) -> Iterator[None]:
    """Has runs in this process load whatever they have as often as they can, if it `cuts`."""
    if not cuts:
        yield
        return
    with (
        mock.patch.object(stretches, "MOST_ROWS", 0),
        mock.patch.object(crawler, "SECONDS_BETWEEN_LOOKS", 0.001),
    ):
        yield


class Player:
    """Plays a history: the space, the runs, and what was promised of them."""

    def __init__(self, space: SimulatedSpace, workspace: Workspace) -> None:
        self.space = space
        self.workspace = workspace
        self._absent: set[str] = set()
        self._ever_absent: set[str] = set()
        self._campaigns_gone: list[str] = []
        self._numbers_gone: list[str] = []
        # to campaigns in the lists of several brands those that list them besides their own
        self._shared: dict[str, set[str]] = {}
        # a list that lost an order while it was being read may have let another one be passed over
        self._shrunk_while_read: set[str] = set()
        self._reading = False

    def play(self, steps: list[Step]) -> None:
        """Plays all steps, holding ordinary runs to their promise."""
        for step in steps:
            match step:
                case Change():
                    self.change(step)
                case Wait(seconds):
                    self.space.clock.advance(seconds)
                case Run():
                    self.run(step)

    def settle(self) -> None:
        """One ordinary run held to its promise, then a full one after which all must agree."""
        self.space.clock.advance(1)
        self.run(Run(numbers=True))
        self.space.clock.advance(1)
        assert self.run(Run(full=True, numbers=True)), "a quiet run has to complete"
        assert self.workspace.orders() == self._truth()
        assert self.workspace.alive("number_assignments") == self._placed(true_numbers(self.space))
        self._check_parents()
        self._check_history()

    def play_with(self, steps: list[Step], contender: Callable[[], None]) -> None:
        """Plays the space's side alone, with somebody else's runs, which nothing disturbs."""
        for step in steps:
            match step:
                case Change():
                    self.change(step)
                case Wait(seconds):
                    self.space.clock.advance(seconds)
                case Run(during=during):
                    self.space.on_request = self._changes_during(Run(during=during))
                    with contextlib.suppress(Exception):  # a campaign that goes stops all of theirs
                        contender()
                    self.space.on_request = None
        self.space.clock.advance(1)
        with contextlib.suppress(Exception):
            contender()

    def change(self, change: Change) -> None:
        """Makes one change in the space; nothing where there is nothing to change."""
        self.space.clock.advance(change.after)
        getattr(self, f"_{change.what}")(change)

    def run(self, run: Run) -> bool:
        """Makes a run and says whether it was complete; what stopped it is part of the history."""
        before = {row["id"]: row for row in self._destination_rows()} if run.quiet else {}
        complete = False
        with self._meeting(run), contextlib.suppress(*(() if run.quiet else (Exception, Killed))):
            result = self.workspace.run(
                self.space,
                full=run.full,
                number_assignments=run.numbers,
                page_size=run.page_size,
                workers=run.workers,
            )
            complete = result.stats.complete
        if run.quiet and complete:
            self._check_promise(before)
        return complete

    @contextlib.contextmanager
    def _meeting(self, run: Run) -> Iterator[None]:
        """Has everything in store that the run meets, and clears it away after it."""
        for fault in run.faults:
            self.space.faults.add(fault)
        self.space.on_request = self._changes_during(run)
        self.space.max_page_size = run.page_cap
        self._reading = True
        try:
            with self._on_machine(run), self._dying(run.dies_at), cutting(run.cuts):
                yield
        finally:
            self._reading = False
            self.space.on_request = None
            self.space.faults.clear()

    def _check_promise(self, before: dict[str, Any]) -> None:
        """What the README promises of every run: new and unsettled orders are exact."""
        truth = {row["id"]: row for row in self._truth()}
        after = {row["id"]: row for row in self.workspace.orders()}
        campaigns = {record["id"] for _, record in self.space.world.truth_campaigns()}
        for order_id, row in truth.items():
            known = before.get(order_id)
            if order_id in self._ever_absent or (known and self._is_settled(known)):
                continue
            if row["campaign_id"] in self._shrunk_while_read:
                continue
            assert after.get(order_id) == row, "an order that was new or unsettled is stale"
        for order_id, row in before.items():
            if order_id in truth or row["deleted_at"] or self._is_settled(row):
                continue
            if row["campaign_id"] in campaigns:
                assert order_id not in after, "an unsettled order vanished and is still there"

    def _truth(self) -> list[dict[str, Any]]:
        """The orders as they are to be stored: without NUL, under the first of their brands."""
        rows = self._placed(true_orders(self.space))
        for row in rows:
            row["status_callback_url"] = (row["status_callback_url"] or "").replace(
                "\0", ""
            ) or None
        return rows

    def _placed(self, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Rows under the first of the brands that list their campaign."""
        for row in rows:
            brands = self._shared.get(row["campaign_id"], set())
            row["brand_id"] = min([row["brand_id"], *brands])
        return rows

    def _check_parents(self) -> None:
        """Brands and campaigns that are there, and their states, which histories end with."""
        world = self.space.world
        truth = {
            "brands": {brand["id"]: brand["state"] for brand in world.truth_brands()},
            "campaigns": {record["id"]: record["state"] for _, record in world.truth_campaigns()},
        }
        for table, states in truth.items():
            alive = {row["id"]: row["state"] for row in self.workspace.alive(table)}
            assert alive == states
            name = table.removesuffix("s")
            changes = self.workspace.table(f"{name}_changes")
            seen = [row for row in changes if row["deleted_at"] is None]
            seen.sort(key=lambda row: (row["seen_at"], row["updated_at"]))
            last = {row[f"{name}_id"]: row["state"] for row in seen}
            assert last == {row["id"]: row["state"] for row in self.workspace.table(table)}
            gone = {row[f"{name}_id"] for row in changes} - alive.keys()
            deleted = {row[f"{name}_id"] for row in changes if row["deleted_at"]}
            assert gone <= deleted

    def _is_settled(self, row: dict[str, Any]) -> bool:
        untouched = self.space.clock.now() - row["updated_at"]
        return bool(
            row["state"] == "processed"
            or (row["state"] == "failed" and untouched >= SETTLED_AFTER - timedelta(minutes=1))
        )

    def _check_history(self) -> None:
        """Every order's present state has been seen as a change, and no change is there twice."""
        for name in ("order", "number_assignment"):
            changes = self.workspace.table(f"{name}_changes")
            seen = {(row[f"{name}_id"], row["state"], row["updated_at"]) for row in changes}
            alive = self.workspace.alive(f"{name}s")
            assert {(row["id"], row["state"], row["updated_at"]) for row in alive} <= seen
            assert len(changes) == len({row["id"] for row in changes})

    def _destination_rows(self) -> list[dict[str, Any]]:
        try:
            return self.workspace.table("orders")
        except Exception:  # noqa: BLE001 - there is no table yet
            return []

    def _changes_during(self, run: Run) -> Callable[[str], None]:
        count = 0

        def hook(_path: str) -> None:
            nonlocal count
            count += 1
            for number, change in run.during:
                if number == count:
                    self.change(change)

        return hook

    @contextlib.contextmanager
    def _on_machine(self, run: Run) -> Iterator[None]:
        data = self.workspace.folder / f"machine {run.machine}"
        if run.forgets:
            shutil.rmtree(data, ignore_errors=True)
        with mock.patch.dict(os.environ, {"DLT_DATA_DIR": str(data)}):
            yield

    @contextlib.contextmanager
    def _dying(self, dies_at: tuple[str, int] | None) -> Iterator[None]:
        if dies_at is None:
            yield
            return
        place, time = dies_at
        with at_call(DEATHS[place], time, _die):
            yield

    # What can happen in a space.

    def _orders(self) -> list[Any]:
        return sorted(self.space.world.truth_orders(), key=lambda o: str(o[2]["id"]))

    def _move(self, change: Change) -> None:
        if orders := self._orders():
            order = orders[change.which % len(orders)][2]
            self.space.world.update_order(order["id"], state=change.state)

    def _spoil(self, change: Change) -> None:
        """An order gets a text with a character that cannot be stored."""
        if orders := self._orders():
            order = orders[change.which % len(orders)][2]
            self.space.world.update_order(
                order["id"], state=change.state, status_callback_url=f"https://a\0b/{change.which}"
            )

    def _add(self, change: Change) -> None:
        campaigns = self.space.world.truth_campaigns()
        if campaigns:
            campaign = campaigns[change.which % len(campaigns)][1]
            self.space.world.add_order(campaign["id"], state=change.state)

    def _vanish(self, change: Change) -> None:
        if orders := self._orders():
            _, campaign_id, order = orders[change.which % len(orders)]
            order_id = order["id"]
            self.space.world.remove_order(order_id)
            if self._reading:
                self._shrunk_while_read.add(campaign_id)
            self._absent.add(order_id)
            self._ever_absent.add(order_id)

    def _return(self, change: Change) -> None:
        if self._absent:
            order_id = sorted(self._absent)[change.which % len(self._absent)]
            with contextlib.suppress(LookupError):  # its campaign may be gone
                self.space.world.restore_order(order_id)
                self._absent.discard(order_id)

    def _campaign(self, change: Change) -> None:
        brands = self.space.world.truth_brands()
        self.space.world.add_campaign(brands[change.which % len(brands)]["id"])

    def _brand(self, change: Change) -> None:
        self.space.world.add_brand()

    def _numbers(self) -> list[Any]:
        return sorted(self.space.world.truth_numbers(), key=lambda n: str(n[2]["id"]))

    def _number(self, change: Change) -> None:
        if numbers := self._numbers():
            state = NUMBER_STATES[change.which % len(NUMBER_STATES)]
            number = numbers[change.which % len(numbers)][2]
            self.space.world.update_number(number["id"], state=state)

    def _number_new(self, change: Change) -> None:
        if campaigns := self.space.world.truth_campaigns():
            campaign = campaigns[change.which % len(campaigns)][1]
            self.space.world.add_number(campaign["id"], state="pending")

    def _number_gone(self, change: Change) -> None:
        if numbers := self._numbers():
            number_id = numbers[change.which % len(numbers)][2]["id"]
            self.space.world.remove_number(number_id)
            self._numbers_gone.append(number_id)

    def _number_back(self, change: Change) -> None:
        if self._numbers_gone:
            with contextlib.suppress(LookupError):  # its campaign may be gone
                self.space.world.restore_number(self._numbers_gone.pop())

    def _approve(self, change: Change) -> None:
        """A campaign's state changes, unless another brand goes on listing it as it was."""
        found = [c for _, c in self.space.world.truth_campaigns() if c["id"] not in self._shared]
        if found:
            state = ("pending", "active", "inactive")[change.which % 3]
            self.space.world.update_campaign(found[change.which % len(found)]["id"], state=state)

    def _share(self, change: Change) -> None:
        """Another brand lists a campaign too. While lists are read, either answer would be true."""
        campaigns = self.space.world.truth_campaigns()
        if self._reading or not campaigns:
            return
        brand_id, campaign = campaigns[change.which % len(campaigns)]
        listing = self._shared.setdefault(campaign["id"], set())
        others = {brand["id"] for brand in self.space.world.truth_brands()} - {brand_id, *listing}
        other = min(others) if others else self.space.world.add_brand()
        self.space.world.insert_raw_campaign(other, campaign)
        listing.add(other)

    def _gone(self, change: Change) -> None:
        found = self.space.world.truth_campaigns()
        # another brand would go on listing it, as no space does
        campaigns = [(b, c) for b, c in found if c["id"] not in self._shared]
        if campaigns:
            campaign_id = campaigns[change.which % len(campaigns)][1]["id"]
            ids = (r["id"] for _, c, r in self.space.world.truth_orders() if c == campaign_id)
            self._ever_absent.update(ids)
            self.space.world.remove_campaign(campaign_id)
            self._campaigns_gone.append(campaign_id)

    def _back(self, change: Change) -> None:
        if self._campaigns_gone:
            self.space.world.restore_campaign(self._campaigns_gone.pop())
