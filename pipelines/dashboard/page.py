"""The page: one HTML document that needs no server and may make no network requests."""

from __future__ import annotations

import base64
import hashlib
import math
from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from pipelines.dashboard import formats
from pipelines.dashboard.charts import bin_range, chart
from pipelines.dashboard.data import Campaign, Dashboard, Stuck

TITLE = "10DLC number assignment orders"
# marks pages that may be replaced; those of earlier versions are recognised by their title
GENERATOR = '<meta name="generator" content="signalwire-orders">'
TEMPLATES = Path(__file__).parent / "templates"
# for the rows of one table, so that a page stays below 2 MB however long names are
MOST_BYTES = 1_200_000
# about what the markup and the numbers of a row take
ROW_BYTES = 600

Row = TypeVar("Row", Campaign, Stuck)


def render(board: Dashboard) -> str:
    """The whole document."""
    style, script = (
        Markup((TEMPLATES / name).read_text(encoding="utf-8"))  # noqa: S704  # our own files
        for name in ("dashboard.css", "dashboard.js")
    )
    return (
        _environment()
        .get_template("page.html")
        .render(
            board=board,
            title=TITLE,
            style=style,
            script=script,
            policy=_policy(style, script),
            campaigns=_fitting(board.campaigns),
            stuck=_fitting(board.stuck),
        )
    )


def is_page(head: str) -> bool:
    """Whether a file that begins like this is a page that was made here."""
    beginning = head.lower().partition("<style>")[0]
    titled = f"<title>{TITLE}, ".lower() in beginning
    return beginning.startswith("<!doctype html>") and (GENERATOR in beginning or titled)


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    for shown in ("hours", "number", "percent", "moment", "stamp", "full_day", "cut"):
        environment.filters[shown] = getattr(formats, shown)
    environment.filters["bin_range"] = bin_range
    environment.globals |= {"counted": formats.counted, "chart": chart, "endless": math.inf}
    return environment


def _fitting(rows: Sequence[Row]) -> Sequence[Row]:
    """The first rows, as many as fit into the page."""
    size = 0
    for position, row in enumerate(rows):
        texts = (formats.cut(field) for field in row if isinstance(field, str))
        size += ROW_BYTES + sum(len(escape(text).encode()) for text in texts)
        if size > MOST_BYTES:
            return rows[:position]
    return rows


def _policy(style: str, script: str) -> str:
    """A Content-Security-Policy: no network, and no style or script but these two."""
    return (
        f"default-src 'none'; style-src '{_digest(style)}'; script-src '{_digest(script)}';"
        " base-uri 'none'; form-action 'none'"
    )


def _digest(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
