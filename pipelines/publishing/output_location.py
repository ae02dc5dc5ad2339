"""Where copies for other programs are published: what may be there, and how a new one comes in.

A copy is written to a temporary folder beside the place, and swapped in whole. Programs that
have the old one open keep reading it; none ever sees a part of a copy.
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from pipelines.destinations.base import Destination
from pipelines.destinations.naming import ALWAYS_THERE, catalog_of, is_ambiguous, reports_dataset
from pipelines.publishing.output import keep_permissions
from pipelines.publishing.snapshot import export_parquet, is_copy
from sources.signalwire.errors import ConfigurationError

DATABASE_SUFFIXES = frozenset({".duckdb", ".db"})
# DuckDB's errors for a file that is open for writing, here or in another program
HELD = ("Could not set lock on file", "different configuration")


class OutputLocation(ABC):
    """Somewhere a copy can be published; `path` is what readers open."""

    path: Path

    def verify(self) -> None:
        """ConfigurationError if something is there that is not an earlier copy."""
        if not self._is_free():
            raise ConfigurationError(
                f"publish: {self.path} is there already and is no copy that signalwire-orders"
                " published; name another place, or move it away"
            )

    @abstractmethod
    def _is_free(self) -> bool:
        """Whether nothing is there, or an earlier copy."""

    @abstractmethod
    def put(self, database: Path) -> None:
        """Makes the DuckDB file `database`, from a folder beside `path`, what readers find."""


@contextmanager
def working_folder(place: OutputLocation, target: Destination) -> Iterator[Path]:
    """A new folder beside `place`, removed at the end.

    Its name is the same each time, so that the next publish removes what a killed one left. The
    target's own name is in it: its lock protects this folder.
    """
    if not place.path.parent.is_dir():
        raise FileNotFoundError(f"there is no folder {place.path.parent}; make it first")
    folder = place.path.with_name(f".{place.path.name}.{target.pipelines_dir.name}.part")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class DatabaseFile(OutputLocation):
    """A DuckDB file. Readers that have the old one open keep it, though its name is gone."""

    def __init__(self, path: Path, dataset: str) -> None:
        # through links, so that the file they lead to is replaced and not the link
        self.path = path.resolve()
        self._dataset = dataset

    def verify(self) -> None:
        """ConfigurationError also if the file's name makes the names of its tables ambiguous."""
        schemas = (self._dataset, reports_dataset(self._dataset))
        for catalog in (catalog_of(self.path), *ALWAYS_THERE):
            if is_ambiguous(catalog, schemas):
                raise ConfigurationError(
                    f"publish: readers of {self.path} could not write {self._dataset}.orders,"
                    f" because DuckDB calls a database {catalog} too; publish to a file of another"
                    " name, or load into another --dataset"
                )
        super().verify()

    def _is_free(self) -> bool:
        return not self.path.exists() or (self.path.is_file() and _is_copy(self.path))

    def put(self, database: Path) -> None:
        """Puts the file in the place of the old one, with its owner and permissions."""
        keep_permissions(self.path, database)
        _to_disk(database)
        # left by a program that wrote to the old copy; DuckDB would apply it to the new one
        self.path.with_name(f"{self.path.name}.wal").unlink(missing_ok=True)
        database.replace(self.path)
        _to_disk(self.path.parent)


class ParquetFolder(OutputLocation):
    """A folder of Parquet files: a link to one of several versions of it.

    A folder that is not empty cannot be replaced in one step, but a link can. So each version is a
    folder `.NAME-…` beside it, and `NAME` is a link that leads to the newest. A reader who is in
    the middle of the version before finds that still there; older ones are removed.
    """

    def __init__(self, path: Path) -> None:
        # not through the last link, which is the one to replace
        self.path = path.parent.resolve() / path.name
        while self.path.is_symlink() and not self._leads_to_version():
            linked = self.path.parent / self.path.readlink()
            self.path = linked.parent.resolve() / linked.name

    def _is_free(self) -> bool:
        if self.path.is_symlink():
            return self._leads_to_version()
        empty = self.path.is_dir() and not any(self.path.iterdir())
        return empty or not self.path.exists()

    def put(self, database: Path) -> None:
        """Writes the tables as Parquet files, and makes the link lead to them."""
        files = database.with_name("files")
        export_parquet(database, files)
        for path in (*files.rglob("*"), files):
            _to_disk(path)
        before = self.path.readlink().name if self.path.is_symlink() else ""
        version = self.path.with_name(f".{self.path.name}-{secrets.token_hex(6)}")
        for path in (files, *files.rglob("*")):
            keep_permissions(self.path / path.relative_to(files), path)
        files.rename(version)
        link = database.with_name("link")
        link.symlink_to(version.name)
        if self.path.is_dir() and not self.path.is_symlink():
            self.path.rmdir()
        link.replace(self.path)
        _to_disk(self.path.parent)
        self._remove_all_but(version.name, before)

    @property
    def _version(self) -> re.Pattern[str]:
        return re.compile(re.escape(f".{self.path.name}-") + "[0-9a-f]{12}")

    def _leads_to_version(self) -> bool:
        return self._version.fullmatch(str(self.path.readlink())) is not None

    def _remove_all_but(self, *kept: str) -> None:
        for entry in list(self.path.parent.iterdir()):
            if self._version.fullmatch(entry.name) and entry.name not in kept:
                shutil.rmtree(entry, ignore_errors=True)


def _is_copy(path: Path) -> bool:
    try:
        return is_copy(path)
    except duckdb.Error as error:
        if not any(words in str(error) for words in HELD):
            return False
    # a program that has the copy open for writing, like the duckdb shell, must not block the run
    with tempfile.TemporaryDirectory() as folder:
        try:
            return is_copy(Path(shutil.copy(path, folder)))
        except duckdb.Error:
            return False


def _to_disk(path: Path) -> None:
    """Waits until a file or the entries of a folder are on the disk, not only in memory."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
