"""Older DuckDBs, as programs for reports bring them: from PyPI, kept in `.cache`."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

from support.workspace import ROOT

CACHE = ROOT / ".cache"
# each with the newest Python that PyPI has it for; all have the older ones from 3.10 on
NEWEST_PYTHON = {
    "1.0.0": (3, 12),
    "1.1.3": (3, 13),
    "1.2.2": (3, 13),
    "1.3.2": (3, 13),
    "1.4.4": (3, 14),
}
VERSIONS = [
    version for version, newest in NEWEST_PYTHON.items() if sys.version_info[:2] <= newest
] or [max(NEWEST_PYTHON)]


def old_duckdb(version: str) -> Path:
    """A folder to import that version from; it is installed the first time."""
    folder = CACHE / f"duckdb-{version}-py{sys.version_info.major}.{sys.version_info.minor}"
    if not folder.exists():
        CACHE.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(dir=CACHE) as new:
            subprocess.run(
                [
                    sys.executable, "-m", "pip", "install", "--quiet", "--no-deps",
                    "--disable-pip-version-check", "--only-binary", ":all:",
                    "--target", f"{new}/duckdb", f"duckdb=={version}",
                ],
                check=True,
            )  # fmt: skip
            with suppress(OSError):  # another process of the tests was quicker
                Path(new, "duckdb").rename(folder)
    return folder


def ask_old_duckdb(
    version: str, database: Path, queries: list[str]
) -> tuple[str, list[list[tuple[str | None, ...]]]]:
    """That version's own name for itself, and the rows of texts it returns for each query."""
    program = (
        "import json, sys; sys.path.insert(0, sys.argv[1]); import duckdb\n"
        "with duckdb.connect(sys.argv[2], read_only=True) as connection:\n"
        "    connection.execute(\"SET TimeZone = 'UTC'\")\n"
        "    rows = [connection.execute(query).fetchall() for query in sys.argv[3:]]\n"
        "print(json.dumps([duckdb.__version__, rows]))"
    )
    arguments = [str(old_duckdb(version)), str(database), *queries]
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    name, answers = json.loads(done.stdout)
    return name, [[tuple(row) for row in rows] for rows in answers]
