"""The simulated space as a program: `python -m sources.simulator`."""

from __future__ import annotations

import argparse
import gc
import json
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import TYPE_CHECKING, TypeVar

from sources.simulator.loopback import require_loopback

if TYPE_CHECKING:
    from sources.simulator.space import SimulatedSpace

N = TypeVar("N", int, float)

# A million orders take over half a gigabyte.
MOST_ORDERS = 10_000_000
DESCRIPTION = """\
Serve a made-up SignalWire space on loopback: the read side of the 10DLC campaign registry.
Prints one line of JSON (url, project_id, api_token) once it accepts connections."""


def main(argv: list[str] | None = None, prog: str = "python -m sources.simulator") -> int:
    """Serve until SIGINT or SIGTERM. Returns the exit status: 0, or 1 if it cannot listen."""
    options = _parse(argv, prog)
    with _until_told_to_stop():
        space = _build(options)
        try:
            space.start()
        except OSError as error:
            reason = os.strerror(error.errno) if error.errno else str(error)
            place = f"{options.host}:{options.port}"
            sys.stderr.write(f"{prog}: cannot listen on {place}: {reason}\n")
            return 1
        try:
            _announce(space)
            while True:
                time.sleep(3600)
        finally:
            space.stop()
    return 0


def _parse(argv: list[str] | None, prog: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog=prog, description=DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--host", type=_loopback, default="127.0.0.1", help="loopback address to listen on")
    add("--port", type=_number(int, 0, 65_535), default=0, help="0 takes a free one (default)")
    add("--brands", type=_number(int, 0, 100_000), default=5, help="default 5")
    add("--campaigns", type=_number(int, 0, 1_000), default=4, help="per brand, default 4")
    add("--orders", type=_number(int, 0, 1_000_000), default=30, help="per campaign, default 30")
    add("--numbers", type=_number(int, 0, 10_000), default=3, help="per campaign, default 3")
    add(
        "--campaigns-per-month", type=_number(float, 0, 1_000), default=1.0,
        help="that each brand registers later, default 1",
    )  # fmt: skip
    slower = "campaigns whose orders take longer of late, default 0"
    add("--slower-campaigns", type=_number(int, 0, 1_000_000), default=0, help=slower)
    add("--latency-ms", type=_number(float, 0, 60_000), default=0.0, help="per API request")
    add("--seed", type=int, default=1, help="the same seed gives the same records, default 1")
    add(
        "--speed", type=_number(float, 0, 1_000_000), default=1.0,
        help="simulated seconds per real one; 0 stands still; default 1",
    )  # fmt: skip
    add(
        "--max-page-size", type=_number(int, 1, 100_000), default=1_000,
        help="cap for page_size, default 1000",
    )  # fmt: skip
    add("--warm", action="store_true", help="generate and render all records before serving")
    options = parser.parse_args(argv)
    orders = options.brands * options.campaigns * options.orders
    if orders > MOST_ORDERS:
        parser.error(f"{orders:,} orders in all are too many: the most is {MOST_ORDERS:,}")
    return options


def _loopback(text: str) -> str:
    try:
        return require_loopback(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _number(kind: type[N], low: N, high: N) -> Callable[[str], N]:
    """An argparse type: a number in a range."""

    def read(text: str) -> N:
        try:
            value = kind(text)
        except ValueError:
            raise argparse.ArgumentTypeError(f"{text!r} is not a number") from None
        if not low <= value <= high:
            raise argparse.ArgumentTypeError(f"{text} is not between {low} and {high}")
        return value

    return read


def _build(options: argparse.Namespace) -> SimulatedSpace:
    # Imported here: it takes longer than all the rest of `--help`.
    from sources.simulator.clock import Clock
    from sources.simulator.space import SimulatedSpace

    settings = dict(vars(options))
    warm, speed = settings.pop("warm"), settings.pop("speed")
    space = SimulatedSpace(clock=Clock(speed=speed), **settings)
    if warm:
        space.world.warm()
        # Generated records stay alive: keep the garbage collector from scanning them repeatedly.
        gc.collect()
        gc.freeze()
    return space


def _announce(space: SimulatedSpace) -> None:
    line = {"url": space.url, "project_id": space.project_id, "api_token": space.api_token}
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


@contextmanager
def _until_told_to_stop() -> Iterator[None]:
    """Leave the block on SIGINT or SIGTERM; further signals are ignored."""
    signals = (signal.SIGINT, signal.SIGTERM)

    def stop(_number: int, _frame: FrameType | None) -> None:
        for each in signals:
            signal.signal(each, signal.SIG_IGN)
        raise KeyboardInterrupt

    before = {each: signal.signal(each, stop) for each in signals}
    try:
        with suppress(KeyboardInterrupt):
            yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


if __name__ == "__main__":
    sys.exit(main())
