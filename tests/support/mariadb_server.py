"""A MariaDB server of the tests' own: in a temporary folder, on loopback, stopped at the end."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pymysql

from support.postgres_server import SERVICE_USER, free_port

OWN = {"mysql", "information_schema", "performance_schema", "sys"}
# nothing here outlives the tests, so nothing has to be on the disk
QUICK = ("--innodb-flush-log-at-trx-commit=0", "--skip-log-bin", "--innodb-buffer-pool-size=64M")


class MariaDBServer:
    """A running server; every test finds it empty."""

    def __init__(self, folder: Path, *options: str) -> None:
        folder.chmod(0o755)
        shutil.chown(folder, SERVICE_USER)
        data = folder / "data"
        # one that starts removes what others have left in a shared folder, or still use
        temporary = folder / "temporary"
        temporary.mkdir()
        shutil.chown(temporary, SERVICE_USER)
        subprocess.run(
            [
                "mariadb-install-db", "--no-defaults", f"--datadir={data}", "--skip-test-db",
                f"--tmpdir={temporary}",
                "--auth-root-authentication-method=normal", f"--user={SERVICE_USER}",
            ],
            check=True,
            capture_output=True,
        )  # fmt: skip
        self.port = free_port()
        with (folder / "log").open("w") as log:
            self._process = subprocess.Popen(
                [
                    "mariadbd", "--no-defaults", f"--datadir={data}", f"--user={SERVICE_USER}",
                    f"--port={self.port}", "--bind-address=127.0.0.1",
                    f"--socket={folder / 'socket'}", f"--pid-file={folder / 'pid'}",
                    f"--tmpdir={temporary}", *QUICK, *options,
                ],
                stdout=log,
                stderr=log,
            )  # fmt: skip
        self._wait(folder / "log")

    def connect(self, **options: Any) -> Any:
        return pymysql.connect(host="127.0.0.1", port=self.port, user="root", **options)

    def fresh_url(self) -> str:
        """The URL of a database that is empty, on a server without any other than its own."""
        with closing(self.connect()) as connection, connection.cursor() as cursor:
            cursor.execute("SHOW DATABASES")
            for (name,) in cursor.fetchall():
                if name not in OWN:
                    cursor.execute(f"DROP DATABASE `{name}`")
            cursor.execute("CREATE DATABASE orders")
        return f"mariadb+pymysql://root@127.0.0.1:{self.port}/orders"

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(30)

    def _wait(self, log: Path) -> None:
        while True:
            try:
                self.connect().close()
            except pymysql.err.OperationalError:
                if self._process.poll() is not None:
                    raise RuntimeError(f"MariaDB did not start: {log.read_text()}") from None
                time.sleep(0.05)
            else:
                return


@contextmanager
def running_mariadb(*options: str) -> Iterator[MariaDBServer]:
    """A server with its data in a temporary folder, both gone at the end."""
    with tempfile.TemporaryDirectory(prefix="mariadb-") as folder:
        server = MariaDBServer(Path(folder), *options)
        try:
            yield server
        finally:
            server.stop()
