"""What the README says is true."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

from sources.simulator import SimulatedSpace
from sources.simulator.control import control_app

README = Path(__file__).parents[2] / "sources" / "simulator" / "README.md"


def test_its_example_runs(tmp_path: Path) -> None:
    (example,) = re.findall(r"```python\n(.*?)```", README.read_text("utf-8"), re.DOTALL)
    program = tmp_path / "example.py"
    program.write_text(example, "utf-8")
    runpy.run_path(str(program))


def test_its_table_names_every_control_endpoint(space: SimulatedSpace) -> None:
    named = set(re.findall(r"^\| `([A-Z]+) (/_control/\S+)`", README.read_text("utf-8"), re.M))
    served = {
        (route.method, f"/_control{route.resource.canonical}")
        for route in control_app(space._service).router.routes()
        if route.resource is not None and route.method != "HEAD"
    }
    assert named == served
