"""The page: one HTML document that needs no server and may make no network requests."""

from __future__ import annotations

import base64
import hashlib
import json
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from pipelines.dashboard import formats
from pipelines.dashboard.data import Dashboard, NumberTime, days_since_epoch
from pipelines.dashboard.packing import BACKLOG_HOURS, STATUSES, bar_hours, compressed

TITLE = "10DLC number assignment orders"
# marks pages that may be replaced; those of earlier versions are recognised by their title
GENERATOR = '<meta name="generator" content="signalwire-orders">'
TEMPLATES = Path(__file__).parent / "templates"
SCRIPTS = Path(__file__).parent / "scripts"
# in this order, as one script: each uses what those before it define
NAMES = ("unpack", "measure", "words", "filters", "rows", "charts", "tables", "page")
# longer texts are cut, so that a page stays small however long names are
MOST_CHARACTERS = 200


def render(board: Dashboard) -> str:
    """The whole document."""
    style = _markup((TEMPLATES / "dashboard.css").read_text(encoding="utf-8"))
    scripts = [_library(), _own_scripts()] if board.summary.orders else []
    return (
        _environment()
        .get_template("page.html")
        .render(
            board=board,
            title=TITLE,
            style=style,
            scripts=scripts,
            policy=_policy(style, scripts),
            context=_context(board),
            names={campaign.id: campaign for campaign in board.campaigns},
            unknown_time=NumberTime(),
        )
    )


def is_page(head: str) -> bool:
    """Whether a file that begins like this is a page that was made here."""
    beginning = head.lower().partition("<style>")[0]
    titled = f"<title>{TITLE}, ".lower() in beginning
    return beginning.startswith("<!doctype html>") and (GENERATOR in beginning or titled)


def _context(board: Dashboard) -> str:
    """What the scripts need beside the orders, packed like them; its type is in rows.js."""
    places = {campaign.id: place for place, campaign in enumerate(board.campaigns)}
    times = board.number_times
    context: dict[str, Any] = {
        "orders": board.orders.orders,
        "cells": board.orders.cells,
        "first_day": board.orders.first_day,
        "today": board.today,
        "is_whole": board.orders.since is None,
        "statuses": STATUSES,
        "campaigns": [
            {
                **campaign._asdict(),
                "name": formats.cut(campaign.name, MOST_CHARACTERS),
                "brand": formats.cut(campaign.brand, MOST_CHARACTERS),
            }
            for campaign in board.campaigns
        ],
        "targets": [{"hours": target.hours, "is_main": target.is_main} for target in board.targets],
        "promises": board.summary.promises,
        "backlog_hours": BACKLOG_HOURS,
        "bar_hours": bar_hours(),
        "stuck": [
            {
                "id": order.order_id,
                "campaign": places[order.campaign_id],
                "state": formats.cut(order.state, MOST_CHARACTERS),
                "created": formats.stamp(order.created_at),
                "created_day": days_since_epoch(order.created_at) if order.created_at else 0,
                "age": order.age,
                "limit": order.limit,
                "limit_is": order.limit_is,
            }
            for order in board.stuck
        ],
        "numbers": [
            {
                **found._asdict(),
                "campaign": places[found.campaign_id],
                **times.get(("campaign", found.campaign_id), NumberTime())._asdict(),
            }
            for found in board.numbers
        ],
        # those of campaigns stand beside their numbers
        "number_times": [
            {"kind": kind, "group": group, **found._asdict()}
            for (kind, group), found in times.items()
            if kind != "campaign"
        ],
        "failed_numbers": [
            {
                "number": formats.cut(found.phone_number, MOST_CHARACTERS),
                "campaign": places[found.campaign_id],
                "failed_at": formats.stamp(found.failed_at),
                "retries": found.retries,
            }
            for found in board.failed_numbers
        ],
    }
    return compressed(json.dumps(context).encode())


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    for shown in ("hours", "number", "percent", "moment", "stamp", "cut"):
        environment.filters[shown] = getattr(formats, shown)
    environment.globals |= {"counted": formats.counted}
    return environment


@cache
def _library() -> Markup:
    """Vega-Lite, which draws the charts, from the package that brings it."""
    import vl_convert  # only to write a page

    bundle = vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;")
    # the end of a script's element would end it wherever it stands
    return _markup(bundle.replace("</script", "<\\/script"))


def _own_scripts() -> Markup:
    parts = [(SCRIPTS / f"{name}.js").read_text(encoding="utf-8") for name in NAMES]
    return _markup("\n".join(['"use strict";', *parts]))


def _markup(text: str) -> Markup:
    return Markup(text)  # noqa: S704  # our own files, and a library's


def _policy(style: str, scripts: list[Markup]) -> str:
    """A Content-Security-Policy: no network, and no style or script but these."""
    allowed = " ".join(f"'{_digest(script)}'" for script in scripts) or "'none'"
    return (
        f"default-src 'none'; style-src '{_digest(style)}'; script-src {allowed};"
        " base-uri 'none'; form-action 'none'"
    )


def _digest(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
