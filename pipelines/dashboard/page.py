"""The page: one HTML document that needs no server and may make no network requests."""

from __future__ import annotations

import gzip
import hashlib
import json
from base64 import b64encode
from functools import cache
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from pipelines.dashboard import formats
from pipelines.dashboard.data import Dashboard, Row
from pipelines.dashboard.packing import BACKLOG_HOURS, STATUSES, bar_hours

TITLE = "10DLC number assignment orders"
# marks pages that may be replaced; those of earlier versions are recognised by their title
GENERATOR = '<meta name="generator" content="signalwire-orders">'
FOLDER = Path(__file__).parent
# in this order, as one script: each uses what those before it define
SCRIPTS = ("words", "unpack", "filters", "measure", "charts", "texts", "tables", "page")
# longer names are cut, so that a page stays small however long they are; ids never are
MOST_CHARACTERS = 200
CUT = ("campaign_name", "brand_name", "state", "phone_number", "name", "path", "reason")
TEMPLATES = Environment(
    loader=FileSystemLoader(FOLDER / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    keep_trailing_newline=True,
)
SHOWN_BY = (formats.hours, formats.number, formats.percent, formats.moment, formats.cut)
TEMPLATES.filters |= {shown.__name__: shown for shown in SHOWN_BY}
TEMPLATES.globals |= {"counted": formats.counted, "SHOWN": formats.SHOWN}


def render(board: Dashboard) -> str:
    """The whole document; one without orders has no scripts."""
    style, drawing = _text("templates/dashboard.css"), yaml.safe_load(_text("charts.yaml"))
    summary = board.rows["summary"][0]
    script, library, carried = "", "", {}
    if summary["orders"]:
        script = "\n".join(['"use strict";', *(_text(f"scripts/{name}.js") for name in SCRIPTS)])
        library = _library()
        context = json.dumps(_context(board, drawing), default=formats.stamp).encode()
        content = {"context": context, "orders": board.orders.content, "library": library.encode()}
        carried = {n: b64encode(gzip.compress(c, 6, mtime=0)).decode() for n, c in content.items()}
    return TEMPLATES.get_template("page.html").render(
        board=board,
        summary=summary,
        statuses=STATUSES,
        title=TITLE,
        drawing=drawing,
        style=style,
        script=script,
        policy=_policy(style, script, library),
        carried=carried,
    )


def is_page(head: str) -> bool:
    """Whether a file that begins like this is a page that was made here."""
    beginning = head.lower().partition("<style>")[0]
    titled = f"<title>{TITLE}, ".lower() in beginning
    return beginning.startswith("<!doctype html>") and (GENERATOR in beginning or titled)


def _context(board: Dashboard, drawing: dict[str, Any]) -> Row:
    """What the scripts need beside the orders; its type is in types.d.ts."""
    return {
        **board.orders._asdict(),
        "content": None,
        # those of campaigns are worked out again
        **{name: _cut(rows) for name, rows in board.rows.items() if name != "campaigns"},
        "today": board.rows["freshness"][0]["today"] or 0,
        "statuses": STATUSES,
        "backlog_hours": BACKLOG_HOURS,
        "bar_hours": bar_hours(),
        "columns": board.columns,
        "drawing": drawing,
    }


def _cut(rows: list[Row]) -> list[Row]:
    return [
        row | {name: formats.cut(row[name], MOST_CHARACTERS) for name in CUT if name in row}
        for row in rows
    ]


@cache
def _library() -> str:
    """Vega-Lite, which draws the charts, from the package that brings it."""
    import vl_convert  # only to write a page

    return str(vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;"))


def _text(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")


def _policy(style: str, *scripts: str) -> str:
    """A Content-Security-Policy: no network, and no style or script but these."""
    digests = (hashlib.sha256(text.encode()).digest() for text in (style, *scripts) if text)
    styled, *run = (f"'sha256-{b64encode(digest).decode()}'" for digest in digests)
    allowed = " ".join(run) or "'none'"
    return (
        f"default-src 'none'; style-src {styled}; script-src {allowed};"
        " base-uri 'none'; form-action 'none'"
    )
