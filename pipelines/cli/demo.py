"""`signalwire-orders demo`: the real commands against a simulated space."""

from __future__ import annotations

import argparse
import json
import os
import shlex
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

from pipelines.cli.options import file
from pipelines.errors import DemoFailed
from sources.printable import printable

SIZE = ("--brands", "8", "--campaigns", "4", "--orders", "250", "--latency-ms", "20")
LATER_SECONDS = 6 * 3600
HOW_LONG = """\
SELECT c.name AS campaign, count(*) AS orders,
       count(*) FILTER (WHERE o.processed_at IS NULL) AS still_open,
       median(epoch(o.processed_at - o.created_at)) / 3600 AS median_hours,
       quantile_cont(epoch(o.processed_at - o.created_at), 0.9) / 3600 AS p90_hours
FROM orders o JOIN campaigns c ON c.id = o.campaign_id
GROUP BY ALL ORDER BY median_hours DESC LIMIT 8"""

# what a demo writes; it is removed or replaced only where an earlier demo left its mark
DATABASE = "signalwire_orders.duckdb"
MADE = (DATABASE, f"{DATABASE}.wal", f"{DATABASE}.lock", "signalwire_orders.html", "dlt")
OWN = ("SOURCES__", "DESTINATION__", "PIPELINES__", "REPORTS__", "CHECKS__", "NOTIFY__")
PROGRAM = "signalwire-orders"
MARK = ".signalwire-orders-demo"
MARK_TEXT = "What is in this folder was made by signalwire-orders demo, which may replace it.\n"
BY_STATE = "SELECT state, count(*) FROM orders GROUP BY ALL"


def add_options(parser: argparse.ArgumentParser) -> None:
    """Adds where the demo writes."""
    folder = "signalwire_orders_demo"
    words = f"where to write its DuckDB file, replaced each time ({folder})"
    parser.add_argument("--folder", type=file, metavar="DIR", default=folder, help=words)


def main(arguments: argparse.Namespace) -> int:
    """Runs the demo and leaves its database behind."""
    import requests

    from pipelines.cli.logs import set_up_logging

    set_up_logging()  # for errors of the demo itself; each command has its own
    _require_simulator()
    folder: Path = arguments.folder
    _clear(folder)
    with _simulated_space() as space:
        environment = _environment(space, folder)
        _say(f"A simulated SignalWire space answers at {space['url']}: no account needed.")
        _say("\n1. The first run reads everything there is, over HTTP, page by page.")
        _command(folder, environment, "run")
        moved = requests.post(
            f"{space['url']}/_control/clock", json={"advance": LATER_SECONDS}, timeout=10
        )
        moved.raise_for_status()
        _say("\n2. Six hours later: orders have arrived and moved on. The next run loads those.")
        _command(folder, environment, "run")
        _say("\n3. How long do orders take, by campaign?")
        _command(folder, environment, "query", HOW_LONG)
    _say("\n4. All of it on one page, which opens in any browser and needs no network.")
    _command(folder, environment, "dashboard")
    program = shlex.quote(_program(folder))
    _say(f"\nThe page is {folder}/signalwire_orders.html.")
    _say(f"The data is in {folder}/signalwire_orders.duckdb. Ask it something yourself:")
    _say(f"  cd {folder}")
    _say(f"  {program} query '{BY_STATE}'")
    _say("With your own account: set the credentials as README.md says, then signalwire-orders run")
    return 0


def _require_simulator() -> None:
    from sources.signalwire.errors import ConfigurationError

    try:
        import_module("aiohttp")
    except ModuleNotFoundError as error:
        raise ConfigurationError(
            f"demo: {error.name} is not installed;"
            " install it with: pip install 'signalwire-orders[simulator]'"
        ) from error


@contextmanager
def _simulated_space() -> Iterator[dict[str, Any]]:
    command = [sys.executable, "-m", "pipelines", "simulate", *SIZE]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603
        try:
            line = process.stdout.readline() if process.stdout else ""
            if not line:
                raise DemoFailed("the simulated space did not start")
            yield json.loads(line)
        finally:
            process.terminate()


def _environment(space: Mapping[str, Any], folder: Path) -> dict[str, str]:
    """The variables a user would set, and a working folder apart from the user's."""
    # the user's own settings could lead to the user's own databases and copies
    others = {name: value for name, value in os.environ.items() if not name.startswith(OWN)}
    return others | {
        "PIPELINES__SIGNALWIRE_ORDERS__DESTINATION_TYPE": "duckdb",
        "PIPELINES__SIGNALWIRE_ORDERS__DATASET_NAME": "signalwire",
        "REPORTS__PUBLISH": "",
        "NOTIFY__URLS": "",
        # so that the page shows when numbers can send, too
        "SOURCES__SIGNALWIRE__NUMBER_ASSIGNMENTS": "auto",
        "SOURCES__SIGNALWIRE__SPACE": space["url"],
        "SOURCES__SIGNALWIRE__PROJECT_ID": space["project_id"],
        "SOURCES__SIGNALWIRE__API_TOKEN": space["api_token"],
        "DESTINATION__DUCKDB__CREDENTIALS": str(folder.absolute() / DATABASE),
        "DLT_DATA_DIR": str(folder.absolute() / "dlt"),
        # not the folder itself: a `.dlt` in it is the user's
        "DLT_PROJECT_DIR": str(folder.absolute() / "dlt"),
    }


def _command(folder: Path, environment: Mapping[str, str], *arguments: str) -> None:
    shown = " ".join(f'"{a}"' if " " in a else a for a in arguments)
    _say(f"\n$ signalwire-orders {shown}")
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-m", "pipelines", *arguments],
        cwd=folder,
        env=dict(environment),
        # log lines of a run would only get between the steps; its errors are shown below
        stderr=None if sys.stderr.isatty() else subprocess.PIPE,
        text=True,
        check=False,
    )
    _leave_mark(folder)
    if done.returncode:
        said = [line for line in (done.stderr or "").splitlines() if line.startswith(PROGRAM)]
        raise DemoFailed(
            f"demo: the step {arguments[0]} failed with exit code {done.returncode}"
            + "".join(f" ({line.removeprefix(f'{PROGRAM}: ')})" for line in said[:1])
        )


def _clear(folder: Path) -> None:
    """Removes what an earlier demo left, and nothing else.

    Raises:
        ConfigurationError: files of these names are there that no demo wrote; nothing is removed.
    """
    from sources.signalwire.errors import ConfigurationError

    there = [folder / name for name in MADE if os.path.lexists(folder / name)]
    if there and not _is_of_demo(folder):
        raise ConfigurationError(
            f"demo: {there[0]} is there, and was not made by a demo or has changed since; name"
            " another folder with --folder, or move it away"
        )
    folder.mkdir(parents=True, exist_ok=True)
    for name in MADE[:2]:
        (folder / name).unlink(missing_ok=True)
    _leave_mark(folder)


def _leave_mark(folder: Path) -> None:
    (folder / MARK).write_text(MARK_TEXT + _version_of(folder), encoding="utf-8")


def _is_of_demo(folder: Path) -> bool:
    """Whether a demo left its mark and the database has not changed since."""
    try:
        text = (folder / MARK).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return False
    return text == MARK_TEXT + _version_of(folder)


def _version_of(folder: Path) -> str:
    """When the files of the database were last written, and their sizes; empty without any."""
    found = [path.stat() for path in (folder / name for name in MADE[:2]) if path.exists()]
    return "".join(f"{file.st_mtime_ns} {file.st_size}\n" for file in found)


def _program(folder: Path) -> str:
    """How to call this program again from the demo's folder."""
    beside = Path(sys.executable).with_name("signalwire-orders")
    if not beside.exists():
        return f"{sys.executable} -m pipelines"
    return min(str(beside), os.path.relpath(beside, folder), key=len)


def _say(text: str) -> None:
    # the commands write to the same stream: flush before they start
    sys.stdout.write(printable(text, lines=True) + "\n")
    sys.stdout.flush()
