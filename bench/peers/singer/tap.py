"""A Singer tap of the registry, in two forms.

By default brands, campaigns and orders are parent and child streams, the SDK's own way to walk
such an API. The SDK syncs one parent's children after another, so one request is under way at a
time, whatever the machine could do. With the setting `workers` the orders are one stream without
a parent, whose `get_records` asks for many lists at once with a pool of threads.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, ClassVar
from urllib.parse import parse_qsl

import requests
from requests.adapters import HTTPAdapter
from singer_sdk import RESTStream, Stream, Tap
from singer_sdk import typing as th
from singer_sdk.authenticators import BasicAuthenticator
from singer_sdk.contrib.msgspec import MsgSpecWriter
from singer_sdk.helpers.types import Context, Record
from singer_sdk.pagination import BaseHATEOASPaginator
from singer_sdk.singerlib import Message, SchemaMessage
from singer_sdk.streams.core import TypeConformanceLevel


class NextLink(BaseHATEOASPaginator):
    """Follows `links.next`."""

    def get_next_url(self, response: requests.Response) -> str | None:
        return response.json()["links"].get("next")

    def continue_if_empty(self, response: requests.Response) -> bool:  # noqa: ARG002
        # a page without records can still have a link
        return True


class RegistryStream(RESTStream[Any]):
    """What the three lists have in common."""

    primary_keys: ClassVar[tuple[str, ...]] = ("id",)
    # parents are read for their children's sake
    selected_by_default = False
    schema: ClassVar[dict[str, Any]] = th.PropertiesList(
        th.Property("id", th.StringType, required=True)
    ).to_dict()
    # no bookmark for each of thousands of parents
    state_partitioning_keys: ClassVar[list[str]] = []
    # the records are flat, and JSON has all the types that the schema names
    TYPE_CONFORMANCE_LEVEL = TypeConformanceLevel.NONE

    @property
    def url_base(self) -> str:
        return f"{self.config['space']}/api/relay/rest/registry/beta"

    @property
    def authenticator(self) -> BasicAuthenticator:
        return BasicAuthenticator(
            username=self.config["project_id"], password=self.config["api_token"]
        )

    def get_new_paginator(self) -> NextLink:
        return NextLink()

    def get_url_params(
        self,
        context: Context | None,  # noqa: ARG002
        next_page_token: Any,
    ) -> dict[str, Any]:
        # a link differs from the list's own URL in its query alone
        if next_page_token:
            return dict(parse_qsl(next_page_token.query))
        return {"page_size": 1000}

    def parse_response(self, response: requests.Response) -> Iterable[dict[str, Any]]:
        yield from response.json()["data"]


class Brands(RegistryStream):
    """All brands of the space."""

    name = "brands"
    path = "/brands"

    def get_child_context(
        self,
        record: Record,
        context: Context | None,  # noqa: ARG002
    ) -> Context:
        return {"brand_id": record["id"]}


class Campaigns(RegistryStream):
    """The campaigns of a brand."""

    name = "campaigns"
    path = "/brands/{brand_id}/campaigns"
    parent_stream_type = Brands

    def get_child_context(
        self,
        record: Record,
        context: Context | None,  # noqa: ARG002
    ) -> Context:
        return {"campaign_id": record["id"]}


class Orders(RegistryStream):
    """The orders of a campaign."""

    name = "orders"
    path = "/campaigns/{campaign_id}/orders"
    parent_stream_type = Campaigns
    selected_by_default = True
    schema: ClassVar[dict[str, Any]] = th.PropertiesList(
        th.Property("id", th.StringType, required=True),
        th.Property("campaign_id", th.StringType),
        th.Property("state", th.StringType),
        th.Property("processed_at", th.DateTimeType),
        th.Property("created_at", th.DateTimeType),
        th.Property("updated_at", th.DateTimeType),
        th.Property("status_callback_url", th.StringType),
    ).to_dict()

    def post_process(self, row: Record, context: Context | None = None) -> Record:
        """Add the campaign, and take the Z off the timestamps.

        The target's columns have no time zone. Where they meet a Z, its latest release (0.8.0)
        takes the first order of each file that it loads for the columns' names, and so loses it.
        """
        for name in ("processed_at", "created_at", "updated_at"):
            if row.get(name):
                row[name] = row[name].removesuffix("Z")
        return {**row, **(context or {})}


class OrdersAtOnce(Orders):
    """The orders of all campaigns, many lists at a time."""

    parent_stream_type = None

    def __init__(self, tap: Tap) -> None:
        super().__init__(tap)
        self.brands, self.campaigns = Brands(tap), Campaigns(tap)
        for stream in (self.campaigns, self):
            adapter = HTTPAdapter(pool_maxsize=self.config["workers"])
            stream.requests_session.mount(self.config["space"], adapter)

    def get_records(self, context: Context | None) -> Iterator[Record]:
        def campaigns_of(brand: Record) -> list[Record]:
            return list(self.campaigns.request_records({"brand_id": brand["id"]}))

        def orders_of(campaign: Record) -> list[Record]:
            its = {"campaign_id": campaign["id"]}
            return [{**record, **its} for record in self.request_records(its)]

        with ThreadPoolExecutor(self.config["workers"]) as pool:
            found = pool.map(campaigns_of, self.brands.request_records(context))
            campaigns = [campaign for of_one in found for campaign in of_one]
            for orders in pool.map(orders_of, campaigns):
                yield from orders


class EachSchemaOnce(MsgSpecWriter):
    """The SDK's fast writer, but silent where a schema is told again.

    The SDK tells the schema of a child stream for each parent, and the target loads what it has
    whenever it hears one: once per campaign instead of once per `batch_size_rows`.
    """

    def __init__(self) -> None:
        super().__init__()
        self.told: dict[str, Any] = {}

    def write_message(self, message: Message) -> None:
        if isinstance(message, SchemaMessage):
            if self.told.get(message.stream) == message.schema:
                return
            self.told[message.stream] = message.schema
        super().write_message(message)


class TapSignalWire(Tap):
    """The orders of a space."""

    name = "tap-signalwire"
    message_writer_class = EachSchemaOnce
    config_jsonschema: ClassVar[dict[str, Any]] = th.PropertiesList(
        th.Property("space", th.StringType, required=True),
        th.Property("project_id", th.StringType, required=True),
        th.Property("api_token", th.StringType, required=True, secret=True),
        th.Property("workers", th.IntegerType, description="requests at once"),
    ).to_dict()

    def discover_streams(self) -> list[Stream]:
        if "workers" in self.config:
            return [OrdersAtOnce(self)]
        return [Brands(self), Campaigns(self), Orders(self)]


if __name__ == "__main__":
    TapSignalWire.cli()
