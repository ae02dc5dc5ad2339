"""The command line: what can be typed, and what an exit code means.

Exit codes: 0 done, 1 failed, 2 wrong usage or configuration, 3 done but something could not be
read, 4 another run is loading into the same place, 130 and 143 interrupted.
"""

from __future__ import annotations

import argparse
import gc
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from importlib.metadata import version
from pathlib import Path

from pipelines.cli import streams
from pipelines.cli.arguments import count, filled, moment, seconds, wait, whole_or_text

DESCRIPTION = "Loads SignalWire's 10DLC number assignment orders into DuckDB or a warehouse."
EPILOG = """\
Credentials and settings come from .dlt/secrets.toml, .dlt/config.toml or the environment
(SOURCES__SIGNALWIRE__SPACE, …__PROJECT_ID, …__API_TOKEN). Try it without an account:
signalwire-orders demo
"""


FAILED = 1
INTERRUPTED = "interrupted; nothing is lost, the next run makes it good"


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit code."""
    arguments = sys.argv[1:] if argv is None else list(argv)
    streams.prepare()
    try:
        try:
            code = _run(arguments)
        except SystemExit as end:  # argparse has printed what there is to say
            code = end.code if isinstance(end.code, int) else 0
        return _written(code)
    except BrokenPipeError:
        # the reader of our output has had enough; say no more, not even at exit
        streams.silence(sys.stdout)
        return FAILED
    finally:
        streams.flush_errors()


def _run(arguments: list[str]) -> int:
    try:
        if arguments[:1] == ["simulate"]:
            # the simulated space is a program of its own, with options of its own
            return int(import_module("pipelines.cli.simulate").main(arguments[1:]))
        return _run_command(build_parser().parse_args(arguments))
    except KeyboardInterrupt as interruption:
        return _interrupted(interruption)
    except BrokenPipeError:
        raise
    except Exception as error:  # noqa: BLE001 - the last place where it can be told to a person
        if streams.is_of_output(error):
            return _not_written(error, FAILED)
        from pipelines.cli.messages import report
        from pipelines.errors import interruption_in

        signalled = interruption_in(error)
        return _interrupted(signalled) if signalled else report(error)


def _run_command(parsed: argparse.Namespace) -> int:
    command: Callable[[argparse.Namespace], int] = import_module(
        f"pipelines.cli.{parsed.command}"
    ).main
    # what is imported stays; Python would look through all of it for garbage, at exit too
    gc.freeze()
    return command(parsed)


def _written(code: int) -> int:
    """The exit code, after all output has gone out; that of a failure if it could not."""
    error = streams.flush()
    return _not_written(error, code or FAILED) if error else code


def _not_written(error: BaseException, code: int) -> int:
    from pipelines.cli.logs import tell

    streams.silence(sys.stdout)
    reason = getattr(error, "strerror", None) or error
    tell(f"signalwire-orders: standard output cannot be written to ({reason})")
    return code


def _interrupted(interruption: KeyboardInterrupt) -> int:
    import logging

    from pipelines.cli.logs import tell
    from pipelines.loading.signals import exit_code

    # with its traceback, which keeps it to the log file where `tell` prints the sentence
    logging.getLogger("pipelines").error("%s", INTERRUPTED, exc_info=interruption)
    tell(f"\nsignalwire-orders: {INTERRUPTED}")
    return exit_code(interruption)


def build_parser() -> argparse.ArgumentParser:
    """The parser of everything but `simulate`'s own options."""
    parser = argparse.ArgumentParser(
        prog="signalwire-orders",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=version("signalwire-orders"))
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _add_run(commands.add_parser("run", help="load what is new or changed (the main job)"))
    where = _where()
    check = commands.add_parser(
        "check", parents=[where], help="try credentials, scopes and destination, tell data's age"
    )
    _add_limits(check)
    _add_report(commands.add_parser("report", parents=[where], help="print a report"))
    _add_reports(
        commands.add_parser(
            "reports", parents=[where], help="list the reports, show their SQL, make their views"
        )
    )
    dashboard = commands.add_parser(
        "dashboard", parents=[where], help="write the reports as one HTML file"
    )
    dashboard.add_argument(
        "--out",
        type=filled,
        metavar="FILE",
        default="signalwire_orders.html",
        help="where to (%(default)s)",
    )
    publish = commands.add_parser(
        "publish", parents=[where], help="write a copy that other programs may hold open"
    )
    publish.add_argument(
        "path",
        type=filled,
        nargs="?",
        metavar="PATH",
        help="a DuckDB file if it ends in .duckdb or .db, else a folder of Parquet files"
        " (the setting reports.publish)",
    )
    _add_wait(publish)
    query = commands.add_parser("query", parents=[where], help="ask the loaded data, in SQL")
    query.add_argument(
        "sql", type=filled, metavar="SQL", help='such as "select state, count(*) from orders …"'
    )
    commands.add_parser("simulate", help="start a simulated space on this machine", add_help=False)
    demo = commands.add_parser("demo", help="see it all work against a simulated space")
    demo.add_argument(
        "--folder",
        type=filled,
        metavar="DIR",
        default="signalwire_orders_demo",
        help="where to write its DuckDB file, anew each time (%(default)s)",
    )
    return parser


def _add_run(parser: argparse.ArgumentParser) -> None:
    _add_where(parser)
    parser.add_argument(
        "--campaign",
        type=filled,
        action="append",
        metavar="ID",
        help="read this campaign only (repeatable)",
    )
    parser.add_argument(
        "--brand",
        type=filled,
        action="append",
        metavar="ID",
        help="read this brand only (repeatable)",
    )
    parser.add_argument(
        "--state", type=filled, help="read orders in this state only, such as pending"
    )
    parser.add_argument(
        "--resources",
        type=lambda text: [name.strip() for name in text.split(",") if name.strip()],
        metavar="A,B",
        help="tables to load: brands, campaigns, orders (these by default), number_assignments",
    )
    parser.add_argument(
        "--workers", type=whole_or_text, metavar="N", help="requests to make in parallel (10)"
    )
    _add_wait(parser)
    parser.add_argument(
        "--full",
        action="store_true",
        help="read every campaign to its end and compare all of it with the destination",
    )
    parser.add_argument(
        "--shard",
        type=filled,
        metavar="I/N",
        help="load the I-th of N parts only, beside the others, into a server such as PostgreSQL",
    )
    parser.add_argument(
        "--publish",
        type=filled,
        metavar="PATH",
        help="then write a copy that other programs may hold open: a DuckDB file if PATH ends in"
        " .duckdb or .db, else a folder of Parquet files",
    )
    parser.add_argument(
        "--metrics-file",
        type=lambda text: Path(filled(text)),
        metavar="FILE",
        help="write metrics for Prometheus' node exporter there (NAME.prom), also after a failure",
    )
    parser.add_argument(
        "--log-format",
        choices=("text", "json"),
        default="text",
        help="what messages look like on standard error (text)",
    )
    parser.add_argument("--json", action="store_true", help="print the result as one JSON object")
    parser.add_argument("--quiet", action="store_true", help="print nothing but errors")


def _add_wait(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--wait",
        type=wait,
        default=0.0,
        metavar="SECONDS",
        help="how long to wait for another run into the same place to end (0)",
    )


def _add_limits(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--max-age",
        type=seconds,
        metavar="AGE",
        help="fail if the newest complete run is older than this, such as 90m, 2h or 1d",
    )
    parser.add_argument(
        "--max-stuck", type=count, metavar="N", help="fail if more orders than this are stuck"
    )


def _add_report(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "view",
        type=filled,
        nargs="?",
        metavar="REPORT",
        help="which one (processing_time_summary by default)",
    )
    parser.add_argument(
        "--format", choices=("table", "csv", "json", "markdown"), default="table", help="(table)"
    )
    parser.add_argument("--campaign", type=filled, metavar="ID", help="of this campaign only")
    parser.add_argument(
        "--since", type=moment, metavar="DATE", help="of orders created since, such as 2026-03-01"
    )
    parser.add_argument("--limit", type=count, metavar="N", help="at most so many rows")


def _add_reports(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", choices=("list", "show", "apply"), help="what to do")
    parser.add_argument("view", type=filled, nargs="?", metavar="REPORT", help="show this one only")
    parser.add_argument(
        "--dialect", type=filled, metavar="NAME", help="show SQL for this database (duckdb)"
    )


def _where() -> argparse.ArgumentParser:
    parent = argparse.ArgumentParser(add_help=False)
    _add_where(parent)
    return parent


def _add_where(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--destination",
        type=filled,
        metavar="NAME",
        help="a destination dlt knows (duckdb by default)",
    )
    parser.add_argument(
        "--dataset",
        type=filled,
        metavar="NAME",
        help="the schema the tables are in (signalwire by default)",
    )
