"""First loads from servers that cannot serve many requests at a time: `make bench` writes this.

What this project finds out by itself, beside the best fixed number of requests at a time.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from bench.backfill import a_space
from bench.contenders import PROJECT, Contender, always, environment
from bench.launch import launch
from bench.page import write_block
from bench.served import served
from sources.simulator import SimulatedSpace

LATENCY_MS = 50
FIXED = (4, 8, 12)
HEAD = """\
| the server | seconds by itself | at best fixed number | ratio | requests answered 429 |
|---|---|---|---|---|"""


def row(name: str, space: SimulatedSpace) -> str:
    """The line of the table for one server."""
    with served(space) as api:

        def load(contender: Contender) -> tuple[float, int]:
            with tempfile.TemporaryDirectory() as name:
                folder = Path(name)
                before = api.usage()
                variables = environment(space, api.url, folder, contender)
                seconds = launch(contender.command, variables, folder).seconds
                return seconds, api.usage().since(before).requests

        fixed = {number: load(always(number)) for number in FIXED}
        best = min(fixed, key=lambda number: fixed[number][0])
        seconds, requests = load(PROJECT)
    least = min(count for _, count in fixed.values())
    refused = (requests - least) / requests
    return (
        f"| {name} | {seconds:.1f} | {fixed[best][0]:.1f} ({best}) | {seconds / fixed[best][0]:.2f}"
        f" | {refused:.1%} |"
    )


def main() -> None:
    """Writes the table."""
    servers = {
        "refuses more than 8 at a time": a_space(20, LATENCY_MS, most_at_once=8),
        "slows down beyond 8 at a time": a_space(20, LATENCY_MS, slows_beyond=8),
    }
    write_block("crowded", "\n".join([HEAD, *(row(*each) for each in servers.items())]))


if __name__ == "__main__":
    main()
