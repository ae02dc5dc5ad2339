"""The command line: the table of commands, and what an exit code means.

Exit codes: 0 done, 1 failed, 2 wrong usage or configuration, 3 done but something could not be
read, 4 another run is loading into the same place, 130 and 143 interrupted.
"""

from __future__ import annotations

import argparse
import gc
import sys
from collections.abc import Callable, Sequence
from importlib.metadata import version

from pipelines.cli import (
    bi,
    check,
    dashboard,
    demo,
    notify,
    output,
    publish,
    query,
    reports,
    run,
    simulate,
)
from pipelines.errors import FAILED

DESCRIPTION = "Loads SignalWire's 10DLC number assignment orders into DuckDB or a warehouse."
EPILOG = """\
Credentials and settings come from .dlt/secrets.toml, .dlt/config.toml or the environment
(SOURCES__SIGNALWIRE__SPACE, …__PROJECT_ID, …__API_TOKEN). Try it without an account:
signalwire-orders demo
"""


Options = Callable[[argparse.ArgumentParser], None]
Main = Callable[[argparse.Namespace], int]
# what adds the options, what does the work and returns the exit code, and the help
COMMANDS: dict[str, tuple[Options, Main, str]] = {
    "run": (run.add_options, run.main, "load what is new or changed (the main job)"),
    "check": (check.add_options, check.main, "check credentials, destination and age of the data"),
    "report": (reports.add_report_options, reports.main, "print a report (short for reports show)"),
    "reports": (reports.add_options, reports.main, "print reports, their SQL, write dbt models"),
    "dashboard": (dashboard.add_options, dashboard.main, "write a page to explore, one HTML file"),
    "publish": (
        publish.add_options,
        publish.main,
        "write a copy that other programs may hold open",
    ),
    "bi": (
        bi.add_options,
        bi.main,
        "write a file that Superset imports: datasets, charts, filters",
    ),
    "query": (query.add_options, query.main, "query the loaded data in SQL"),
    "notify": (notify.add_options, notify.main, "show or try where messages of trouble go"),
    "demo": (demo.add_options, demo.main, "see it all work against a simulated space"),
}


def build_parser() -> argparse.ArgumentParser:
    """The parser of all commands but `simulate`, which parses its own options."""
    parser = argparse.ArgumentParser(
        prog="signalwire-orders",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=version("signalwire-orders"))
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, (add_options, _, words) in COMMANDS.items():
        add_options(commands.add_parser(name, help=words))
    # a separate program, which parses its own options
    commands.add_parser("simulate", help="start a simulated space on this machine", add_help=False)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit code."""
    arguments = sys.argv[1:] if argv is None else list(argv)
    # Python looks for cycles after 700 new objects. Imports make as many again and again, a page of
    # records a thousand, and none are in cycles.
    gc.set_threshold(100_000)
    output.prepare()
    try:
        try:
            code = _run(arguments)
        except SystemExit as end:  # argparse has printed what there is to say
            code = end.code if isinstance(end.code, int) else 0
        error = output.flush()
        return _not_written(error, code or FAILED) if error else code
    except BrokenPipeError:
        # the reader of our output is gone; print nothing more, not even at exit
        output.silence(sys.stdout)
        return FAILED
    finally:
        output.flush_errors()


def _run(arguments: list[str]) -> int:
    try:
        if arguments[:1] == ["simulate"]:
            return simulate.start(arguments[1:])
        parsed = build_parser().parse_args(arguments)
        return COMMANDS[parsed.command][1](parsed)
    except BrokenPipeError:
        raise
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - nothing above prints it
        if output.is_of_output(error):
            return _not_written(error, FAILED)
        from pipelines.cli.logs import report

        return report(error)


def _not_written(error: BaseException, code: int) -> int:
    from pipelines.cli.logs import show

    output.silence(sys.stdout)
    reason = getattr(error, "strerror", None) or error
    show(f"signalwire-orders: standard output cannot be written to ({reason})")
    return code
