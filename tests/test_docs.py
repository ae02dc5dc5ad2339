"""README and docs match the code: their commands are run here, and their output compared.

With UPDATE_DOCS=1 (`make docs`) the files are rewritten instead.
"""

from __future__ import annotations

import inspect
import json
import os
import re
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest
from support import ROOT, Workspace, true_orders

from pipelines.reporting.catalog import load_reports
from sources.signalwire import signalwire
from sources.signalwire.records.schema import TABLES
from sources.simulator import SimulatedSpace

OpenSpace = Callable[..., SimulatedSpace]
README = ROOT / "README.md"
COMMANDS_PAGE = ROOT / "docs" / "commands.md"
REPORTS_PAGE = ROOT / "docs" / "reports.md"
SETTINGS_PAGE = ROOT / "docs" / "settings.md"
TABLES_PAGE = ROOT / "docs" / "tables.md"
# everything below this line of a page comes from the code
GENERATED = re.compile(r"<!-- generated from [^>]+: make docs -->\n")
CONFIGURATION = ROOT / ".dlt" / "config.toml"
LINK = re.compile(r"\]\(([^)#]*)#?([^)]*)\)")
SOURCE_SECTION = "[sources.signalwire]"
SETTINGS_HEAD = "\n### `{}`\n\n| setting | default | |\n|---|---|---|\n"
CONSOLE = re.compile(r"```console\n(.*?)```", re.DOTALL)
PROGRAM = "../.venv/bin/signalwire-orders query '"
SOME_ID = "9f1c8a52-6d1e-4f0b-8a33-5c1f4e7b2d90"
# what differs from run to run, and is shown like this
VARYING = (
    (re.compile(r"duckdb:///\S*/"), "duckdb:///home/you/"),
    (re.compile(r"http://127\.0\.0\.1:\d+"), "http://127.0.0.1:40123"),
    (
        re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"),
        "9f1c8a52-6d1e-4f0b-8a33-5c1f4e7b2d90",
    ),
    (re.compile(r"read \d+ min ago"), "read 0 min ago"),
    # the space's clock stands still, but a run's goes on by as long as it takes
    (re.compile(r"(as_of +\S+ \d\d:\d\d):\d\dZ"), r"\1:00Z"),
)
# as README.md has them
PROMISES = [{"hours": 12}, {"hours": 4, "use_case": "2FA", "since": "2026-01-01"}]
DURATION = re.compile(r"in \d+\.\d s|\"seconds\":\d+\.\d+")


def compare_or_write(path: Path, expected: str) -> None:
    """The file has to hold this text; with UPDATE_DOCS it is written."""
    if os.environ.get("UPDATE_DOCS"):
        path.write_text(expected, encoding="utf-8")
    found = path.read_text(encoding="utf-8")
    assert DURATION.sub("", found) == DURATION.sub("", expected), "out of date: make docs"


def compare_or_write_generated(path: Path, expected: str) -> None:
    """The same for what follows the line `<!-- generated … -->` of a page."""
    text = path.read_text(encoding="utf-8")
    mark = GENERATED.search(text)
    assert mark, f"{path.name} has no line that says what is generated"
    compare_or_write(path, text[: mark.end()] + expected)


def settled(text: str) -> str:
    for pattern, fixed in VARYING:
        text = pattern.sub(fixed, text)
    return "\n".join(line.rstrip() for line in text.splitlines()).rstrip() + "\n"


@pytest.mark.parametrize("page", [README, COMMANDS_PAGE, REPORTS_PAGE], ids=lambda page: page.stem)
def test_output_of_commands(page: Path, open_space: OpenSpace, workspace: Workspace) -> None:
    space = open_space(brands=20, campaigns=10, orders=300, numbers=40, slower_campaigns=3)
    if page != COMMANDS_PAGE:
        # as the page says, before the questions that need them
        workspace.environment["SOURCES__SIGNALWIRE__NUMBER_ASSIGNMENTS"] = "auto"
        workspace.environment["REPORTS__SLA"] = json.dumps(PROMISES)

    def run_block(block: re.Match[str]) -> str:
        shown = ""
        for line in block.group(1).splitlines():
            if not line.startswith("$ "):
                continue
            if line == "$ make demo":
                return block.group(0)  # its own test, below
            program, *arguments = shlex.split(line[2:])
            assert program == "signalwire-orders"
            done = workspace.command(*arguments, space=space, COLUMNS="100")
            assert done.returncode == 0, done.stderr
            shown += f"{line}\n{settled(done.stdout)}"
            space.clock.advance(6 * 3600)
        return f"```console\n{shown}```"

    if page != COMMANDS_PAGE:  # they begin where orders are loaded
        assert workspace.command("run", space=space).returncode == 0
    text = page.read_text(encoding="utf-8")
    compare_or_write(page, CONSOLE.sub(run_block, text))


def test_python_example(
    space: SimulatedSpace,
    workspace: Workspace,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name, value in workspace.credentials(space).items():
        monkeypatch.setenv(name, value)
    text = COMMANDS_PAGE.read_text(encoding="utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    exec(compile(code, COMMANDS_PAGE.name, "exec"), {})  # noqa: S102 - it is our own
    pending = [row for row in true_orders(space) if row["state"] == "pending"]
    assert capsys.readouterr().out == f"{len(pending)} []\n"
    assert workspace.orders() == pending


@pytest.mark.proof
def test_the_demo_in_the_readme(workspace: Workspace) -> None:
    """Its clock is real, so the numbers differ by a few; everything else has to be the same."""
    done = workspace.command("demo")
    assert done.returncode == 0, done.stderr
    # the program is named by its place in the user's clone
    called = re.sub(r"\S+/signalwire-orders query '", PROGRAM, done.stdout)
    shown = settled(called)
    text = README.read_text(encoding="utf-8")
    block = next(b for b in CONSOLE.finditer(text) if b.group(1).startswith("$ make demo"))
    if os.environ.get("UPDATE_DOCS"):
        README.write_text(text.replace(block.group(0), f"```console\n$ make demo\n{shown}```"))
        return
    assert masked(block.group(1)) == masked(f"$ make demo\n{shown}")


def masked(text: str) -> list[str]:
    """The lines without numbers and without the order of the campaigns, which hang on the clock."""
    lines = [re.sub(r"\s*[\d.,]+", " N", line) for line in text.splitlines()]
    return sorted(line for line in lines if not re.search(r"( N){4}$", line))


def test_tables_page() -> None:
    text = ""
    for table in TABLES.values():
        text += f"\n## {table.name}\n\n{table.description}\n\n| column | type | |\n|---|---|---|\n"
        for column in table.columns(include_sensitive=True):
            mark = " *" if column.sensitive else ""
            text += f"| `{column.name}`{mark} | {column.kind} | {column.description} |\n"
    compare_or_write_generated(TABLES_PAGE, text)


def test_reports_page() -> None:
    text = ""
    for report in load_reports((1, 4, 24, 48), 24).values():
        text += f"\n## {report.name}\n\n{report.grain}\n\n| column | |\n|---|---|\n"
        for name, description in report.columns.items():
            text += f"| `{name}` | {description} |\n"
    compare_or_write_generated(REPORTS_PAGE, text)


def test_settings_page() -> None:
    text, reason = "", ""
    lines = CONFIGURATION.read_text(encoding="utf-8").partition(SOURCE_SECTION)[0].splitlines()
    for line in lines:
        if line.startswith("["):
            text += SETTINGS_HEAD.format(line)
        elif setting := re.match(r"(\w+) = (.*)", line):
            text += "| `{}` | `{}` |{} |\n".format(*setting.groups(), reason)
        reason = reason + line[1:] if line.startswith("# ") else ""
    text += SETTINGS_HEAD.format(SOURCE_SECTION)
    arguments = inspect.cleandoc(signalwire.__doc__ or "")
    for name, argument in inspect.signature(signalwire).parameters.items():
        if isinstance(argument.default, bool | int | float | str):
            (meaning,) = re.findall(rf"^    {name}: (.*(?:\n {{8}}.*)*)", arguments, re.MULTILINE)
            default = json.dumps(argument.default)
            text += f"| `{name}` | `{default}` | {' '.join(meaning.split())} |\n"
    compare_or_write_generated(SETTINGS_PAGE, text)


def test_every_page_says_whom_it_is_for() -> None:
    for page in (ROOT / "docs").glob("*.md"):
        title, empty, audience = page.read_text(encoding="utf-8").splitlines()[:3]
        assert title.startswith("# "), page.name
        assert empty == "", page.name
        assert audience.startswith("For "), page.name


def test_readme_fits_on_a_few_screens() -> None:
    assert len(README.read_text(encoding="utf-8").splitlines()) <= 150


def test_links_lead_somewhere() -> None:
    for page in (*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")):
        for target, anchor in LINK.findall(page.read_text(encoding="utf-8")):
            if target.startswith("http"):
                continue
            linked = page.parent / target if target else page
            assert linked.exists(), f"{page.name}: {target}"
            assert not anchor or anchor in anchors_of(linked), f"{page.name}: {target}#{anchor}"


def anchors_of(page: Path) -> set[str]:
    """The anchors that GitHub gives to a page's headings."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_make_targets_that_are_named_exist() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for page in (*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")):
        for target in re.findall(r"`make ([a-z-]+)", page.read_text(encoding="utf-8")):
            assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


def test_every_setting_is_explained() -> None:
    lines = CONFIGURATION.read_text(encoding="utf-8").splitlines()
    settings = [n for n, line in enumerate(lines) if re.match(r"\w+ = ", line)]
    assert len(settings) > 10
    unexplained = [
        lines[n] for n in settings if not (lines[n - 1].startswith("#") or n - 1 in settings)
    ]
    assert unexplained == []
