"""docs/destinations.md, followed word by word: from an empty folder to a scheduled run."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import pytest
from support import (
    ROOT,
    DeltaWorkspace,
    MariaDBWorkspace,
    SnowflakeWorkspace,
    Workspace,
    true_orders,
)
from support.installing import copy_of_sources, pins_of
from support.mariadb_server import running_mariadb
from support.snowflake_server import running_snowflake

from sources.simulator import SimulatedSpace

PAGE = (ROOT / "docs" / "destinations.md").read_text(encoding="utf-8")
SCHEDULING = (ROOT / "docs" / "scheduling.md").read_text(encoding="utf-8")
HOUR = 3600
# what the page has a user replace
FOLDER = "/srv/signalwire"
CLONE = "/home/you/signalwire-orders"


class Place(NamedTuple):
    """A destination as a user has it, and how the page's section about it is headed."""

    section: str
    workspace: Workspace
    settings: dict[str, str]


@pytest.fixture(params=["Delta", "MariaDB", "Snowflake"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    folder = tmp_path / "srv" / "signalwire"
    folder.mkdir(parents=True)
    with ExitStack() as servers:
        if request.param == "Delta":
            workspace: Workspace = DeltaWorkspace(folder)
            settings = {"/data/lake": f"{folder}/lake"}
        elif request.param == "MariaDB":
            url = servers.enter_context(running_mariadb()).fresh_url()
            workspace = MariaDBWorkspace(folder, url)
            settings = {"mariadb+pymysql://loader:secret@db.example.com/orders": url}
        else:
            server = servers.enter_context(running_snowflake())
            workspace = SnowflakeWorkspace(folder, *server.new_database())
            url = workspace.environment["DESTINATION__SNOWFLAKE__CREDENTIALS"]
            settings = {
                "snowflake://loader:secret@ACCOUNT/ORDERS?warehouse=LOADING&role=LOADER": url
            }
        yield Place(request.param, workspace, settings)


def test_from_installation_to_a_schedule(
    place: Place, space: SimulatedSpace, tmp_path: Path
) -> None:
    steps = part_of(PAGE, "From an empty folder to a schedule")
    section = part_of(PAGE, place.section)
    (account,), (destination,) = blocks(steps, "toml"), blocks(section, "toml")
    extra = re.search(r"The extra is `(\w+)`", section)
    assert extra
    replaced = {
        FOLDER: str(place.workspace.folder),
        CLONE: str(copy_of_sources(tmp_path / "clone")),
        "EXTRA": extra[1],
        '"acme"': f'"{space.url}"',
        "PROJECT": space.project_id,
        "TOKEN": space.api_token,
        **place.settings,
    }
    installing, looking = (filled(block, replaced) for block in blocks(steps, "console"))
    shell(installing, tmp_path, **os.environ, PIP_CONSTRAINT=str(pins_of("extras.lock", tmp_path)))
    secrets = place.workspace.folder / ".dlt" / "secrets.toml"
    secrets.write_text(filled(destination + account, replaced), encoding="utf-8")

    if place.section == "MariaDB":  # as the page says
        looking = looking.removesuffix(looking.splitlines()[-1] + "\n")
    shown = shell(looking, tmp_path, **bare(tmp_path))
    assert f"{len(true_orders(space))} orders loaded" in shown
    assert place.workspace.orders() == true_orders(space)

    space.clock.advance(6 * HOUR)
    # the fields before it are the time
    line = re.search(r"^(?:\S+ ){5}(cd /srv/signalwire && .* run .*)$", SCHEDULING, re.MULTILINE)
    assert line
    assert shell(f"$ {filled(line[1], replaced)}\n", Path("/"), **bare(tmp_path)) == ""
    assert place.workspace.orders() == true_orders(space)
    last = looking.splitlines()[-1]
    shown = shell(f"$ cd {place.workspace.folder}\n{last}\n", tmp_path, **bare(tmp_path))
    count = r"^orders +(\d+)$" if "report" in last else r" (\d+)$"
    numbers = re.findall(count, shown, re.MULTILINE)
    assert sum(map(int, numbers)) == len(true_orders(space))


def part_of(page: str, heading: str) -> str:
    return page.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]


def blocks(text: str, language: str) -> list[str]:
    """The blocks in a language, without what they are indented by."""
    found = re.findall(rf"^( *)```{language}\n(.*?)^ *```$", text, re.MULTILINE | re.DOTALL)
    return [re.sub(f"^{indent}", "", block, flags=re.MULTILINE) for indent, block in found]


def filled(text: str, replaced: dict[str, str]) -> str:
    for placeholder, value in replaced.items():
        text = text.replace(placeholder, value)
    return text


def bare(home: Path) -> dict[str, str]:
    """The environment that cron gives."""
    return {"HOME": str(home), "LOGNAME": "loader", "SHELL": "/bin/sh", "PATH": "/usr/bin:/bin"}


def shell(block: str, folder: Path, **environment: str) -> str:
    """What the commands of a block print; all have to end well."""
    commands = "\n".join(line[2:] for line in block.splitlines() if line.startswith("$ "))
    done = subprocess.run(
        ["/bin/sh", "-ec", commands],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr
