"""What people were told, in a JSON file beside dlt's working folder, whose removal it survives."""

from __future__ import annotations

import json
import logging
import secrets
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from pipelines.destinations.base import Destination
from pipelines.destinations.lock import FileLock
from pipelines.loading.notify.alerts import Known

logger = logging.getLogger(__name__)

# longer than a delivery may take
WAIT_SECONDS = 60.0
RETRY_SECONDS = 0.1


def state_file(target: Destination) -> Path:
    """The file for a destination and dataset; each shard has its own."""
    return target.pipelines_dir / f"{target.pipeline_name}.alerts.json"


def read_state(path: Path) -> dict[str, Known]:
    """What is known to be bad, by key; nothing where the file is missing or damaged."""
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))
        return {key: _known(entry) for key, entry in entries.items()}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        logger.warning(
            "%s cannot be read (%s): what is bad is notified again", path, type(error).__name__
        )
        return {}


def write_state(path: Path, state: Mapping[str, Known]) -> None:
    """Replaces the file as a whole.

    Raises:
        OSError: it cannot be written.
    """
    entries = {
        key: {"since": known.since.isoformat(), "title": known.title, "told": known.told}
        for key, known in state.items()
    }
    beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        beside.write_text(json.dumps(entries, indent=1) + "\n", encoding="utf-8")
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)  # there only if something failed


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Keeps other processes from reading the state, telling of it and writing it meanwhile.

    Raises:
        TimeoutError: another process has it for too long.
        ConfigurationError: the lock file cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(path.with_suffix(".lock"))
    deadline = time.monotonic() + WAIT_SECONDS
    try:
        while not lock.take():
            if time.monotonic() >= deadline:
                raise TimeoutError(f"{path} is in use")
            time.sleep(RETRY_SECONDS)
        yield
    finally:
        lock.release()


def _known(entry: Mapping[str, object]) -> Known:
    since = datetime.fromisoformat(str(entry["since"]))
    if since.tzinfo is None:
        raise ValueError("a time without a zone")
    return Known(since, str(entry["title"]), told=bool(entry["told"]))
