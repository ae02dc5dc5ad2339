"""Singer: the tap beside this file, piped into `target-duckdb`.

`run.py threads` has the tap use a pool of threads; without that word it uses the SDK's parent and
child streams, which send one request at a time and make no use of BENCH_WORKERS.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

TAP = Path(__file__).with_name("tap.py")
TARGET = Path(sys.executable).with_name("target-duckdb")


def configuration(name: str, **settings: Any) -> str:
    """Write a program's settings to a file; returns its path."""
    path = Path.cwd() / f"{name}.json"
    path.write_text(json.dumps(settings))
    return str(path)


def main() -> None:
    """Run both until they end; what they tell goes to files, unless one of them fails."""
    threads = {"workers": int(os.environ["BENCH_WORKERS"])} if "threads" in sys.argv else {}
    tap_settings = configuration(
        "tap",
        space=os.environ["BENCH_SPACE"],
        project_id=os.environ["BENCH_PROJECT_ID"],
        api_token=os.environ["BENCH_API_TOKEN"],
        **threads,
    )
    target_settings = configuration(
        "target",
        path=os.environ["BENCH_DATABASE"],
        default_target_schema="main",
        temp_dir=str(Path.cwd()),
    )
    environment = {**os.environ, "HOME": str(Path.cwd()), "TAP_SIGNALWIRE_LOGLEVEL": "WARNING"}
    logs = [Path("tap.log"), Path("target.log")]
    with logs[0].open("w") as tap_log, logs[1].open("w") as target_log:
        tap = subprocess.Popen(
            [sys.executable, str(TAP), "--config", tap_settings],
            stdout=subprocess.PIPE,
            stderr=tap_log,
            env=environment,
        )
        target = subprocess.Popen(
            [str(TARGET), "--config", target_settings],
            stdin=tap.stdout,
            stdout=target_log,
            stderr=target_log,
            env=environment,
        )
        assert tap.stdout is not None
        # so that the tap notices when the target goes
        tap.stdout.close()
        codes = [tap.wait(), target.wait()]
    if any(codes):
        told = "\n".join(log.read_text() for log in logs)
        sys.exit(f"tap and target ended with {codes}\n{told}")


if __name__ == "__main__":
    main()
