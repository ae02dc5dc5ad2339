"""The page: one HTML document that holds all it needs and may not ask for anything else."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path

from pipelines.dashboard.board import Dashboard
from pipelines.dashboard.figures import figures
from pipelines.dashboard.header import banner, tiles
from pipelines.dashboard.tables import campaigns_table, stuck_table, told_if_cut
from pipelines.dashboard.words import counted, escaped, hours

FOLDER = Path(__file__).parent
TITLE = "10DLC number assignment orders"
# tells pages that may be replaced; those of earlier versions are told by their title
GENERATOR = '<meta name="generator" content="signalwire-orders">'


def render(board: Dashboard) -> str:
    """The whole document."""
    body = _contents(board) if board.summary.orders else _welcome()
    style = (FOLDER / "dashboard.css").read_text(encoding="utf-8")
    script = (FOLDER / "dashboard.js").read_text(encoding="utf-8")
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy(style, script)}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f"{GENERATOR}\n"
        f"<title>{escaped(f'{TITLE}, {board.dataset}')}</title>\n"
        f"<style>{style}</style>\n</head>\n<body>\n{banner(board, TITLE)}\n"
        f"<main>\n{body}\n</main>\n{_footer()}\n<script>{script}</script>\n</body>\n</html>\n"
    )


def is_page(head: str) -> bool:
    """Whether a file that begins like this is a page that was made here."""
    beginning = head.lower().partition("<style>")[0]
    titled = f"<title>{TITLE}, ".lower() in beginning
    return beginning.startswith("<!doctype html>") and (GENERATOR in beginning or titled)


def policy(style: str, script: str) -> str:
    """A Content-Security-Policy: no network, and no script or style but these two."""
    return (
        f"default-src 'none'; style-src '{_digest(style)}'; script-src '{_digest(script)}';"
        " base-uri 'none'; form-action 'none'"
    )


def _digest(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def _contents(board: Dashboard) -> str:
    return (
        f"{tiles(board)}\n"
        f'<section class="figures" aria-label="Charts">{figures(board)}</section>\n'
        f"{_campaigns(board)}\n{_stuck(board)}"
    )


def _campaigns(board: Dashboard) -> str:
    table = campaigns_table(board.campaigns, hours(board.main_target.hours))
    total = board.campaigns[0].total if board.campaigns else 0
    cut = told_if_cut(table.rows, total, "campaigns, the slowest,")
    return (
        '<section id="campaigns" aria-labelledby="campaigns-heading">'
        '<h2 id="campaigns-heading">Campaigns, the slowest first</h2>'
        f"<p>{counted(total, 'campaign')} with orders. {escaped(cut)} &#8220;All&#8221; includes"
        " orders still waiting, failed or gone; &#8220;not yet&#8221; means that too few are"
        " through to tell.</p>"
        '<p id="search-bar" hidden><label for="search">Search campaign, brand or use case</label>'
        '<input id="search" type="search" autocomplete="off" spellcheck="false">'
        '<span id="found" role="status"></span></p>'
        f"{table.html}{_printed(table.rows)}</section>"
    )


def _stuck(board: Dashboard) -> str:
    opening = (
        '<section id="stuck" aria-labelledby="stuck-heading">'
        '<h2 id="stuck-heading">Stuck orders, the oldest first</h2>'
    )
    if not board.stuck:
        return f"{opening}<p>None: no open order waits longer than is usual for it.</p></section>"
    table = stuck_table(board.stuck)
    total = board.stuck[0].total
    words = (
        f"{counted(total, 'open order waits', 'open orders wait')} longer than is usual: longer"
        " than 95 of 100 orders of the campaign took, or than the main target where the campaign"
        f" has too few. {told_if_cut(table.rows, total, 'stuck orders')}"
    )
    return f"{opening}<p>{escaped(words)}</p>{table.html}{_printed(table.rows)}</section>"


def _printed(rows: int) -> str:
    """Paper is for the worst of them; what it leaves out it says."""
    return '<p class="print-only">The first 40 are printed.</p>' if rows > 40 else ""


def _welcome() -> str:
    return (
        '<section class="welcome"><h2>No orders yet</h2>'
        "<p>The last run found no number assignment orders, so there is nothing to measure.</p>"
        "<p>When some have been placed, load them and make this page anew:</p>"
        "<pre><code>signalwire-orders run\nsignalwire-orders dashboard</code></pre></section>"
    )


def _footer() -> str:
    return (
        "<footer><p>All times are UTC, and all ages as of the moment above. The numbers are those"
        " of the reports in the database; this page is a copy of them that asks nobody for"
        " anything. Make it anew with <code>signalwire-orders dashboard</code>.</p></footer>"
    )
