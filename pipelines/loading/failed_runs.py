"""Runs that failed, kept in files until a run that loads can write their rows of `runs`.

A run that fails can seldom write to the destination: that is what failed, or another run holds it.
So each run has a small file beside dlt's working folder, which recovery may drop. The file is there
from when the run holds the lock until it succeeds. A run that fails writes its error into it; where
a run that holds the lock finds one without an error, the process died.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timezone
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pyarrow as pa
from dlt.sources import DltSource

from pipelines.destinations.base import Destination
from pipelines.destinations.existing import ExistingData
from pipelines.errors.explain import explain
from sources.signalwire.errors import ConfigurationError
from sources.signalwire.records.decoding import clean
from sources.signalwire.records.schema import RUNS
from sources.signalwire.stats import RunStats

logger = logging.getLogger(__name__)

# of runs that fail every minute, those of most of a day
MOST = 1_000
KILLED = (
    "the process ended without a word: it was killed, ran out of memory or disk, or its machine"
    " stopped"
)
TIMES = ("started_at", "failed_at")


class RunNotes:
    """The file of this run, and those that earlier runs of the same pipeline left.

    What goes wrong with them is a warning: they must not make a run fail, nor hide why it did.
    """

    def __init__(self, target: Destination, stats: RunStats) -> None:
        self._target = target
        self._stats = stats
        self._started_at = datetime.now(timezone.utc)
        self._folder = target.pipelines_dir
        self._path = self._folder / f"{target.pipeline_name}.{stats.run_id}.run.json"
        self._added: dict[Path, bytes] = {}

    def begin(self) -> None:
        """Notes that this run is under way. The lock has to be held."""
        self._write({})

    def add_rows(self, source: DltSource, known: ExistingData) -> None:
        """Has the source hand over the rows of earlier runs with this run's own.

        Nothing of theirs may be pending any more: a row that is there keeps its values.
        """
        source.resources[RUNS.name].add_map(
            # this run's row comes last; where columns are missing, a table without rows before it
            lambda own: pa.concat_tables([self._earlier(known), own]) if len(own) else own
        )

    def rows_are_loaded(self) -> None:
        """Removes the files of those whose rows have been loaded."""
        for path, content in self._added.items():
            try:
                # a run that lost its lock may have written its error meanwhile
                if path.read_bytes() == content:
                    path.unlink()
            except OSError as error:
                # its row is written once more, as it is
                logger.warning("cannot remove the note of a failed run: %s", error)

    def failed(self, error: BaseException) -> None:
        """Notes why this run failed."""
        failed_at = datetime.now(timezone.utc).isoformat()
        # of a folder that cannot be written the error itself is enough
        quiet = isinstance(error, ConfigurationError)
        self._write({"failed_at": failed_at, "error": clean(explain(error)[0])}, quiet=quiet)
        self._drop_oldest()

    def succeeded(self) -> None:
        """Removes this run's file."""
        try:
            self._path.unlink(missing_ok=True)
        except OSError as error:
            logger.warning("cannot remove the note of this run, which did not fail: %s", error)

    def _paths(self) -> Iterator[Path]:
        return self._folder.glob(f"{self._target.pipeline_name}.*.run.json")

    def _write(self, outcome: dict[str, str], *, quiet: bool = False) -> None:
        shard = self._target.shard
        note = {
            "started_at": self._started_at.isoformat(),
            "mode": self._stats.mode or None,
            "narrowed_to": self._stats.narrowed_to,
            "shard": shard.part if shard else None,
            "shards": shard.of if shard else None,
            "version": version("signalwire-orders"),
            **outcome,
        }
        new = self._path.with_suffix(".tmp")
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            new.write_text(json.dumps(note) + "\n", "utf-8")
            new.replace(self._path)
        except OSError as error:
            level = logging.DEBUG if quiet else logging.WARNING
            logger.log(level, "this run will be missing in the table runs if it fails: %s", error)
            with suppress(OSError):
                new.unlink(missing_ok=True)

    def _earlier(self, known: ExistingData) -> pa.Table:
        """The rows of earlier runs, which keep the values that they have at the destination."""
        if rows := self._rows():
            logger.info("adding runs that failed to the table runs: %d", len(rows))
        for row in known.by_id(RUNS, [*rows]).to_pylist():
            errors = {name: rows[row["run_id"]][name] for name in ("failed_at", "error")}
            rows[row["run_id"]] = row | errors
        return pa.Table.from_pylist([*rows.values()], schema=RUNS.arrow_schema())

    def _rows(self) -> dict[str, dict[str, Any]]:
        """The rows of earlier runs by their ids."""
        rows = {}
        for path in self._paths():
            if path == self._path:
                continue
            try:
                content = path.read_bytes()
            except OSError as error:
                logger.warning("cannot read why an earlier run failed: %s", error)
                continue
            run_id = path.name.removesuffix(".run.json").rpartition(".")[2]
            rows[run_id] = _row(run_id, content)
            self._added[path] = content
        return rows

    def _drop_oldest(self) -> None:
        """Keeps the newest files only, where runs fail and none loads."""
        with suppress(OSError):  # another run may do the same
            paths = sorted(self._paths(), key=lambda path: path.stat().st_mtime_ns)
            for path in paths[:-MOST]:
                path.unlink()


def _row(run_id: str, content: bytes) -> dict[str, Any]:
    """The row of a run that failed; of a file that was cut off it only has the id."""
    fixed = {"run_id": run_id, "complete": False}
    try:
        note = {"error": KILLED} | json.loads(content) | fixed
        times = {name: datetime.fromisoformat(note[name]) for name in TIMES if note.get(name)}
        table = pa.Table.from_pylist([note | times], schema=RUNS.arrow_schema())
    except (ValueError, TypeError):
        table = pa.Table.from_pylist([{"error": KILLED} | fixed], schema=RUNS.arrow_schema())
    row: dict[str, Any] = table.to_pylist()[0]
    return row


@contextmanager
def failure_noted(target: Destination, stats: RunStats) -> Iterator[RunNotes]:
    """Notes why the run in this block fails, so that the next one that loads can write its row."""
    notes = RunNotes(target, stats)
    try:
        yield notes
    except BaseException as error:  # a signal or a timeout of a scheduler too
        notes.failed(error)
        raise
    notes.succeeded()
