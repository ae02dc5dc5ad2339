"""How many requests are under way at a time: as many as the server answers as quickly as before.

No number suits a space in the next street and one across an ocean. So the limit starts low and
doubles with each round while answers come as quickly as before, from 32 on more gently; at the
first sign of strain it steps back, and from then on grows by one a round. A round is as many
answers as requests may be under way, all of them to requests sent since the limit was set.

Only decisions are made here; `throttle.py` waits.
"""

from __future__ import annotations

from statistics import median

START = 8
# what suits most servers; from there on the limit grows by half instead of doubling
MODEST, GENTLY = 32, 1.5
# A limit above that which this machine never comes near, because it is busy, costs memory for
# nothing. Answers come in bursts, so for moments fewer are under way than the limit allows.
NEAR = 0.9
# answers that take so many times as long as those of the quickest round: stepping back, growing
STRAIN, EASE = 1.5, 1.2
# what is left of the limit after a step back, and after requests were refused or failed
STEP_BACK, AFTER_REFUSALS, AFTER_FAILURES = 0.7, 0.85, 0.75
# a step back that makes answers this much quicker was right: requests had waited for each other
QUICKER = 0.9
# seconds for which a limit that the server refused is not tried again, doubled each time it is
HOLD, LONGEST_HOLD = 30.0, 600.0


class Concurrency:
    """Sets the limit by what became of requests; times are in seconds, by any steady clock.

    Not safe to use from several threads at once.
    """

    def __init__(self, most: int, *, adapt: bool = True) -> None:
        """The limit is at most `most`, and always that if it is not to `adapt`."""
        self._most = most
        self._adapt = adapt
        self.limit = min(START, most) if adapt else most
        self.round = 0
        self._answers = 0
        # the most that were under way in this round
        self._peak = 0
        self._seconds: list[float] = []
        self._doubles = True
        # since requests were refused, if ever
        self._grew = True
        self._quickest = float("inf")
        # limit, seconds and growth before the last step back, until its effect is known
        self._before: tuple[int, float, bool] | None = None
        # the least limit that the server refused, and until when it is not tried again
        self._refused_at: int | None = None
        self._hold = HOLD
        self._held_until = 0.0

    def answered(self, round_: int, seconds: float | None, now: float, *, under_way: int) -> None:
        """Takes an answer to a request of a round; without `seconds` it tells no time.

        `under_way` counts the requests that are, this one included.
        """
        if round_ != self.round or not self._adapt:
            return
        self._answers += 1
        self._peak = max(self._peak, under_way)
        if seconds is not None:
            self._seconds.append(seconds)
        # first answers over new connections tell no time; without any others they end no round
        if min(self._answers, 2 * len(self._seconds)) < self.limit:
            return
        if self._peak >= self.limit:
            self._judge(median(self._seconds), now)
        elif self.limit > MODEST and self._peak < NEAR * self.limit:
            self._doubles = False
            self._set(max(MODEST, self._peak))
        else:
            self._set(self.limit)

    def refused(self, round_: int, now: float) -> bool:
        """Takes note that the server answered 429; whether all requests had better pause, too.

        They had if fewer at a time were no help.
        """
        if not self._adapt:
            return True
        if round_ != self.round:
            return False
        was_known = now >= self._held_until and self.limit == self._refused_at
        self._hold = min(2 * self._hold, LONGEST_HOLD) if was_known else HOLD
        self._refused_at, self._held_until = self.limit, now + self._hold
        doubled, self._doubles = self._doubles, False
        grew, self._grew = self._grew, False
        self._set(self.limit / 2 if doubled else self.limit * AFTER_REFUSALS)
        return not grew

    def failed(self, round_: int) -> None:
        """Takes note of an error that passes, such as a 503 or no answer in time."""
        if self._adapt and round_ == self.round:
            self._doubles = False
            self._set(self.limit * AFTER_FAILURES)

    def _judge(self, took: float, now: float) -> None:
        before, self._before = self._before, None
        if before is not None and took > QUICKER * before[1]:
            # it is not the number of requests: the server is slower now, or other records take long
            limit, _, self._doubles = before
            self._quickest = took
            self._set(limit)
            return
        self._quickest = min(self._quickest, took)
        if took > STRAIN * self._quickest and self.limit > 1:
            self._before = self.limit, took, self._doubles
            self._doubles = False
            self._set(self.limit * STEP_BACK, keep=True)
        elif took <= EASE * self._quickest or self._doubles:
            faster = 2 if self.limit < MODEST else GENTLY
            self._grow(int(self.limit * faster) if self._doubles else self.limit + 1, now)
        else:
            self._set(self.limit)

    def _grow(self, limit: int, now: float) -> None:
        if self._refused_at is not None:
            if self.limit >= self._refused_at:
                self._refused_at = None  # a whole round of it passed
            elif now < self._held_until:
                limit = min(limit, self._refused_at - 1)
        self._grew |= limit > self.limit
        self._set(limit)

    def _set(self, limit: float, *, keep: bool = False) -> None:
        """Sets the limit and begins a round; unless to `keep` it, no step back is under trial."""
        self.limit = min(max(1, int(limit)), self._most)
        self.round += 1
        self._answers = self._peak = 0
        self._seconds.clear()
        if not keep:
            self._before = None
