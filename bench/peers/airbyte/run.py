"""PyAirbyte: the low-code source in `manifest.yaml`, read into PyAirbyte's DuckDB cache.

All three streams are loaded, not only the orders. So the campaigns of many brands are read at
once, and what the orders' stream needs of them is already in the source's cache of answers. With
the orders alone, the source reads the campaigns of one brand after another.
"""

from __future__ import annotations

import os
import sys
from contextlib import redirect_stderr
from pathlib import Path

FOLDER = str(Path.cwd())
SETTINGS = {
    "DO_NOT_TRACK": "1",
    # the public list of connectors is not asked either
    "AIRBYTE_OFFLINE_MODE": "1",
    "AIRBYTE_PROJECT_DIR": FOLDER,
    "AIRBYTE_LOGGING_ROOT": FOLDER,
    "AIRBYTE_TEMP_DIR": FOLDER,
    "HOME": FOLDER,
    "NO_LIVE_PROGRESS": "1",
    # the source keeps its parents' answers in a temporary SQLite file
    "TMPDIR": FOLDER,
}


def load() -> None:
    """Read the whole space into the database."""
    # these read the settings while they are imported
    import airbyte
    from airbyte.caches import DuckDBCache

    source = airbyte.get_source(
        "source-signalwire",
        source_manifest=Path(__file__).with_name("manifest.yaml"),
        config={
            "space": os.environ["BENCH_SPACE"],
            "project_id": os.environ["BENCH_PROJECT_ID"],
            "api_token": os.environ["BENCH_API_TOKEN"],
            "workers": int(os.environ["BENCH_WORKERS"]),
        },
        streams="*",
    )
    source.read(DuckDBCache(db_path=Path(os.environ["BENCH_DATABASE"])))


def main() -> None:
    """Load; what is told on the way goes to a file, and an exception to standard error."""
    os.environ.update(SETTINGS)
    with Path("output.log").open("w") as log:
        # the source's messages find standard output by its number
        os.dup2(log.fileno(), 1)
        try:
            with redirect_stderr(log):
                load()
        finally:
            # the source's own hook turns an exception into such a message
            sys.excepthook = sys.__excepthook__


if __name__ == "__main__":
    main()
