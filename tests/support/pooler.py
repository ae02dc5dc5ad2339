"""A pgbouncer of the tests' own, before the tests' server."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg2

from support.postgres_server import SERVICE_USER, free_port

CONFIGURATION = """\
[databases]
* = host={host} port={server} user={role}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = {mode}
"""


@contextmanager
def pooler(url: str, mode: str, *settings: str) -> Iterator[str]:
    """The URL that leads through a pooler to the database of `url`, while the block runs."""
    binary = shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin")
    assert binary, "these tests need pgbouncer: apt-get install pgbouncer"
    parts = re.fullmatch(r"postgresql://(\w+):none@([\d.]+):(\d+)/\w+", url)
    assert parts
    role, host, server = parts.groups()
    port = free_port()
    text = CONFIGURATION.format(host=host, server=server, role=role, port=port, mode=mode)
    # like the server, it refuses to run as root
    user: dict[str, Any] = {}
    if os.geteuid() == 0:
        user = {"user": SERVICE_USER, "extra_groups": []}
    with (
        tempfile.TemporaryDirectory(prefix="pooler-") as place,
        tempfile.TemporaryFile("w+") as log,
    ):
        configuration = Path(place) / "pgbouncer.ini"
        configuration.write_text("\n".join((text, *settings, "")))
        Path(place).chmod(0o755)
        process = subprocess.Popen(
            [binary, configuration], stdout=log, stderr=log, cwd=place, **user
        )
        through = url.replace(f":{server}/", f":{port}/")
        try:
            _wait(process, through, log)
            yield through
        finally:
            process.terminate()
            process.wait()


def _wait(process: subprocess.Popen[bytes], url: str, log: Any) -> None:
    while True:
        try:
            psycopg2.connect(url).close()
        except psycopg2.OperationalError:
            if process.poll() is not None:
                log.seek(0)
                raise RuntimeError(f"pgbouncer did not start: {log.read()}") from None
        else:
            return
