"""The life of an order: its states and their times. Pure: the random generator is a parameter.

An order is created `pending`, becomes `processing` and ends `processed` or `failed`. Some
failed ones turn `processed` hours later, as the vendor says they may; a few are never finished.
"""

from __future__ import annotations

import math
import random
from typing import NamedTuple

PENDING, PROCESSING, PROCESSED, FAILED = "pending", "processing", "processed", "failed"

FASTEST_MEDIAN, SLOWEST_MEDIAN = 600.0, 86_400.0
LOWEST_FAILURE_RATE, HIGHEST_FAILURE_RATE = 0.01, 0.15
# The spread within a campaign: one order in twenty takes over three times the median.
SIGMA = 0.7
# The share of the time that an order waits as pending.
WAITING_SHARE = (0.02, 0.3)
STUCK_PENDING, STUCK_PROCESSING = 0.005, 0.01
RECOVERY_RATE = 0.4
MEDIAN_RECOVERY = 6 * 3600.0
# A number assignment takes up to a day; some fail and are tried again, a few for good.
COMPLETED = "completed"
MEDIAN_ASSIGNMENT, SIGMA_ASSIGNMENT = 2 * 3600.0, 0.9
ASSIGNMENT_FAILURE_RATE, RETRY_RATE = 0.08, 0.7
# Registering a campaign takes 3 to 5 business days.
ACTIVE = "active"
APPROVAL_DAYS = (2.0, 7.0)

Schedule = tuple[tuple[float, str], ...]
"""(seconds after the creation, state from then on), in order of time, the first at 0."""


class Temper(NamedTuple):
    """What a campaign's orders share: some campaigns are slow, some fail often."""

    median_seconds: float
    failure_rate: float


def draw_temper(rng: random.Random) -> Temper:
    """A campaign's temper: medians from 10 minutes to 24 hours, half of them below 2 h."""
    median = math.exp(rng.uniform(math.log(FASTEST_MEDIAN), math.log(SLOWEST_MEDIAN)))
    return Temper(median, rng.uniform(LOWEST_FAILURE_RATE, HIGHEST_FAILURE_RATE))


def draw_schedule(rng: random.Random, temper: Temper, digits: int = 3) -> Schedule:
    """One order's schedule. Offsets are rounded to `digits` decimals of a second, never equal."""
    chance = rng.random()
    if chance < STUCK_PENDING:
        return ((0.0, PENDING),)
    step = 10.0**-digits
    total = rng.lognormvariate(math.log(temper.median_seconds), SIGMA)
    taken_up = max(round(total * rng.uniform(*WAITING_SHARE), digits), step)
    if chance < STUCK_PENDING + STUCK_PROCESSING:
        return (0.0, PENDING), (taken_up, PROCESSING)
    finished = max(round(total, digits), taken_up + step)
    begun = (0.0, PENDING), (taken_up, PROCESSING)
    if rng.random() >= temper.failure_rate:
        return *begun, (finished, PROCESSED)
    if rng.random() >= RECOVERY_RATE:
        return *begun, (finished, FAILED)
    recovery = rng.lognormvariate(math.log(MEDIAN_RECOVERY), SIGMA)
    recovered = max(round(finished + recovery, digits), finished + step)
    return *begun, (finished, FAILED), (recovered, PROCESSED)


def draw_assignment(rng: random.Random) -> Schedule:
    """A number assignment's schedule: failed and pending again, until it is completed."""
    steps, moment = [(0.0, PENDING)], 0.0
    while True:
        moment += round(rng.lognormvariate(math.log(MEDIAN_ASSIGNMENT), SIGMA_ASSIGNMENT), 3) + 1
        if rng.random() >= ASSIGNMENT_FAILURE_RATE:
            return *steps, (moment, COMPLETED)
        steps.append((moment, FAILED))
        if rng.random() >= RETRY_RATE:
            return tuple(steps)
        moment += round(rng.uniform(600, 4 * 3600.0), 3)
        steps.append((moment, PENDING))


def state_at(schedule: Schedule, age_seconds: float) -> str:
    """The state of an order `age_seconds` after its creation; a step counts from its moment on."""
    state = schedule[0][1]
    for offset, reached in schedule:
        if offset > age_seconds:
            break
        state = reached
    return state
