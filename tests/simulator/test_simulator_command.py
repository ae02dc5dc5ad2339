"""`python -m sources.simulator`, run as the process it is."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests

ROOT = Path(__file__).parents[2]

Process = subprocess.Popen[str]


@pytest.fixture
def run() -> Iterator[Callable[..., Process]]:
    """Start simulators that are stopped after the test."""
    processes: list[Process] = []

    def start(*arguments: str) -> Process:
        process = subprocess.Popen(
            [sys.executable, "-m", "sources.simulator", *arguments],
            cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        processes.append(process)
        return process

    yield start
    for process in processes:
        process.kill()
        process.communicate()


def announced(process: Process) -> dict[str, str]:
    assert process.stdout is not None
    line = json.loads(process.stdout.readline())
    assert isinstance(line, dict)
    return line


@pytest.mark.parametrize("signal_number", [signal.SIGTERM, signal.SIGINT])
def test_it_announces_itself_serves_and_stops_quietly(
    run: Callable[..., Process], signal_number: signal.Signals
) -> None:
    process = run("--brands=1", "--campaigns=2", "--orders=3", "--seed=7", "--speed=0", "--warm")
    line = announced(process)
    assert list(line) == ["url", "project_id", "api_token"]
    answer = requests.get(
        line["url"] + "/api/relay/rest/registry/beta/brands",
        auth=(line["project_id"], line["api_token"]),
        timeout=10,
    )
    assert len(answer.json()["data"]) == 1
    stats = requests.get(line["url"] + "/_control/stats", timeout=10).json()
    assert stats["records"] == {"brands": 1, "campaigns": 2, "orders": 6, "numbers": 6}
    process.send_signal(signal_number)
    assert process.communicate(timeout=20) == ("", "")
    assert process.returncode == 0


def test_a_port_in_use_is_one_sentence(run: Callable[..., Process]) -> None:
    port = announced(run())["url"].rpartition(":")[2]
    second = run(f"--port={port}")
    out, err = second.communicate(timeout=20)
    sentence = (
        f"python -m sources.simulator: cannot listen on 127.0.0.1:{port}: Address already in use\n"
    )
    assert (second.returncode, out, err) == (1, "", sentence)


@pytest.mark.parametrize(
    ("argument", "sentence"),
    [
        ("--port=70000", "argument --port: 70000 is not between 0 and 65535"),
        ("--orders=-1", "argument --orders: -1 is not between 0 and 1000000"),
        ("--orders=many", "argument --orders: 'many' is not a number"),
        ("--speed=nan", "argument --speed: nan is not between 0 and 1000000"),
        ("--host=0.0.0.0", "argument --host: 0.0.0.0 is not a loopback address"),
        ("--max-page-size=0", "argument --max-page-size: 0 is not between 1 and 100000"),
        ("--seed=x", "argument --seed: invalid int value: 'x'"),
        ("--brands=100000 --orders=1000", "400,000,000 orders in all are too many"),
    ],
)
def test_bad_arguments_are_refused(
    argument: str, sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    from sources.simulator.__main__ import main

    with pytest.raises(SystemExit) as exit_info:
        main(argument.split(), prog="orders simulate")
    assert exit_info.value.code == 2
    printed = capsys.readouterr().err
    assert sentence in printed
    assert printed.startswith("usage: orders simulate")


def test_help_does_not_wait_for_the_server_to_be_imported() -> None:
    program = (
        "import sys, sources.simulator.__main__ as command\n"
        "try: command.main(['--help'])\n"
        "except SystemExit: print('aiohttp' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("usage: python -m sources.simulator")
    assert done.stdout.endswith("False\n")
