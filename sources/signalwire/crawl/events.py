"""What the walks find, as they tell it to the one who leads them (`traversal.py`)."""

from __future__ import annotations

from collections.abc import Generator
from datetime import datetime
from typing import Any, NamedTuple, TypeAlias, TypeVar

import pyarrow as pa

from sources.signalwire.http.pagination import Get
from sources.signalwire.http.responses import Answer
from sources.signalwire.incremental.cursor import Cursor
from sources.signalwire.records.convert import Origin

R = TypeVar("R")


class Rows(NamedTuple):
    """Rows for one table."""

    table: str
    rows: pa.Table


class Listed(NamedTuple):
    """Records of one page, for one table."""

    table: str
    records: list[Any]
    origin: Origin


class Failure(NamedTuple):
    """A list or record that could not be read; its `campaign_id` is None when it is a brand's."""

    origin: Origin
    reason: str
    failed_at: datetime


class BrandsFound(NamedTuple):
    """Brands whose campaigns are to be listed next."""

    brand_ids: list[str]


class CampaignsFound(NamedTuple):
    """Campaigns of one brand that are to be read next."""

    brand_id: str
    campaign_ids: list[str]


class RowsToCompare(NamedTuple):
    """Orders of a campaign that is being read to its end."""

    origin: Origin
    rows: pa.Table


class CampaignWalked(NamedTuple):
    """A campaign whose orders were read as far as meant, and its cursor from now on.

    `compared`: its rows, read to the end, are to be compared with the destination.
    """

    origin: Origin
    cursor: Cursor | None
    compared: bool


class OrdersGone(NamedTuple):
    """Orders that the API has no more, by its own word."""

    order_ids: list[str]


class CampaignGone(NamedTuple):
    """A campaign that is in no list and whose own URL answers 404."""

    origin: Origin


Finding = (
    Rows
    | Listed
    | Failure
    | BrandsFound
    | CampaignsFound
    | RowsToCompare
    | CampaignWalked
    | OrdersGone
    | CampaignGone
)
# yields what it finds, and requests, to each of which it is sent the answer
Walk: TypeAlias = Generator[Get | Finding, Answer, R]
