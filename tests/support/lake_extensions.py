"""Puts DuckDB's extensions of the lake's environment where DuckDB looks for them: in HOME."""

from __future__ import annotations

import shutil
import sysconfig
from pathlib import Path

import duckdb


def main() -> None:
    """Copies what the packages bring to the folder of this DuckDB and platform."""
    ((platform,),) = duckdb.sql("PRAGMA platform").fetchall()
    folder = Path.home() / ".duckdb" / "extensions" / f"v{duckdb.__version__}" / platform
    folder.mkdir(parents=True, exist_ok=True)
    packages = Path(sysconfig.get_path("purelib"))
    for file in packages.glob("duckdb_extension_*/extensions/*/*.duckdb_extension"):
        shutil.copy(file, folder)


if __name__ == "__main__":
    main()
