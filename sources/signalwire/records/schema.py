"""The tables this source fills: columns, types and descriptions, for Arrow and for dlt alike.

Fields and their meaning are from the vendor's reference, "Campaign Registry"; every field but `id`
is optional there. All timestamps are UTC. The Arrow schema and dlt's hints are made from the same
rows below, because data whose Arrow schema disagrees with the hints is loaded with neither checked.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import pyarrow as pa

Kind = Literal["text", "timestamp", "bool", "bigint", "double", "json"]

ARROW: dict[Kind, pa.DataType] = {
    "text": pa.string(),
    "timestamp": pa.timestamp("us", tz="UTC"),
    "bool": pa.bool_(),
    "bigint": pa.int64(),
    "double": pa.float64(),
    # JSON stays text: every destination takes it, and a field that changes its shape breaks nothing
    "json": pa.string(),
}
TIMESTAMP = ARROW["timestamp"]


class Column(NamedTuple):
    """One column; `sensitive` ones are loaded only when asked for."""

    name: str
    kind: Kind
    description: str
    sensitive: bool = False


@dataclass(frozen=True)
class Table:
    """A table merged on its key.

    `parents` are ids taken from the list a record was read in, which the API may also send;
    `own` are columns of this source alone; `fields` are the API's.
    """

    name: str
    description: str
    fields: tuple[Column, ...]
    parents: tuple[Column, ...] = ()
    own: tuple[Column, ...] = ()
    # the column that tells which of two versions of one id is newer
    newest_by: str | None = None
    key: str = "id"
    key_description: str = "The API's id (a UUID)."

    def columns(self, include_sensitive: bool = False) -> tuple[Column, ...]:
        """All columns in table order, the key first."""
        fields = (c for c in self.fields if include_sensitive or not c.sensitive)
        return (Column(self.key, "text", self.key_description), *self.parents, *fields, *self.own)

    def arrow_schema(self, include_sensitive: bool = False) -> pa.Schema:
        """The Arrow schema of a batch that holds no field unknown to this table."""
        return pa.schema(
            pa.field(c.name, ARROW[c.kind], nullable=c.name != self.key)
            for c in self.columns(include_sensitive)
        )

    def hints(self, include_sensitive: bool = False) -> dict[str, Any]:
        """The same columns as dlt's hints: type, description, key and order of versions."""
        hints: dict[str, Any] = {}
        for column in self.columns(include_sensitive):
            kind = "text" if column.kind == "json" else column.kind
            hint: dict[str, Any] = {
                "name": column.name,
                "data_type": kind,
                "description": column.description,
                "nullable": column.name != self.key,
            }
            if column.kind == "timestamp":
                hint |= {"timezone": True, "precision": 6}
            if column.name == self.newest_by:
                hint["dedup_sort"] = "desc"
            hints[column.name] = hint
        return hints


_CREATED = Column("created_at", "timestamp", "When the API says it was created (UTC).")
_UPDATED = Column("updated_at", "timestamp", "When the API says it last changed (UTC).")
_CALLBACK = Column("status_callback_url", "text", "URL the API calls when the state changes.")
_BRAND_ID = Column("brand_id", "text", "The brand it belongs to (brands.id).")
_CAMPAIGN_ID = Column("campaign_id", "text", "The campaign it belongs to (campaigns.id).")
_READ = Column("read_at", "timestamp", "When this version was read, by the server's clock (UTC).")
_DELETED = Column(
    "deleted_at", "timestamp", "When it was found deleted from the API (UTC), or null."
)


def _texts(*names: str) -> tuple[Column, ...]:
    return tuple(Column(n, "text", f"The campaign's {n.replace('_', ' ')}.") for n in names)


BRANDS = Table(
    name="brands",
    description="One row per brand: a business registered for 10DLC messaging.",
    newest_by="updated_at",
    own=(_READ, _DELETED),
    fields=(
        Column("state", "text", "pending, unverified, completed, or one the API adds later."),
        Column("name", "text", "Name given to the brand."),
        Column("company_name", "text", "Legal name of the company."),
        Column("contact_email", "text", "E-mail address of the contact.", sensitive=True),
        Column("contact_phone", "text", "Telephone number of the contact.", sensitive=True),
        Column("ein_issuing_country", "text", "Country that issued the tax id."),
        Column("legal_entity_type", "text", "Legal form of the company."),
        Column("ein", "text", "Tax id.", sensitive=True),
        Column("company_address", "text", "Postal address of the company.", sensitive=True),
        Column("company_vertical", "text", "Line of business."),
        Column("company_website", "text", "Web site of the company."),
        Column("csp_brand_reference", "text", "Brand id at the campaign service provider."),
        Column("csp_self_registered", "bool", "Registered with the registry by the provider."),
        _CALLBACK,
        _CREATED,
        _UPDATED,
    ),
)

CAMPAIGNS = Table(
    name="campaigns",
    description="One row per campaign: a use case for which a brand sends messages.",
    newest_by="updated_at",
    own=(_READ, _DELETED),
    parents=(_BRAND_ID,),
    fields=(
        Column("name", "text", "Name given to the campaign."),
        Column("state", "text", "pending, active, inactive, or one the API adds later."),
        Column("sms_use_case", "text", "Registered use case, such as 2FA or MARKETING."),
        Column("sub_use_cases", "json", "Further use cases, a JSON list."),
        Column("campaign_verify_token", "text", "Token of Campaign Verify.", sensitive=True),
        Column("description", "text", "What the campaign is for."),
        *_texts("sample1", "sample2", "sample3", "sample4", "sample5"),
        *_texts("dynamic_templates", "message_flow"),
        *_texts("opt_in_message", "opt_out_message", "help_message"),
        *_texts("opt_in_keywords", "opt_out_keywords", "help_keywords"),
        Column("number_pooling_required", "bool", "Whether more than 49 numbers are needed."),
        *_texts("number_pooling_per_campaign"),
        Column("direct_lending", "bool", "Whether messages are about direct lending."),
        Column("embedded_link", "bool", "Whether messages contain links."),
        Column("embedded_phone", "bool", "Whether messages contain telephone numbers."),
        Column("age_gated_content", "bool", "Whether content is restricted by age."),
        Column("lead_generation", "bool", "Whether the campaign gathers leads."),
        Column("csp_campaign_reference", "text", "Campaign id at the campaign service provider."),
        _CALLBACK,
        _CREATED,
        _UPDATED,
    ),
)

ORDERS = Table(
    name="orders",
    description="One row per number assignment order: a request to attach numbers to a campaign.",
    newest_by="read_at",
    own=(_READ, _DELETED),
    parents=(_CAMPAIGN_ID, _BRAND_ID),
    fields=(
        Column(
            "state",
            "text",
            "pending, processing, processed, failed, or one the API adds later; failed is not"
            " final: such an order can still become processed.",
        ),
        Column("processed_at", "timestamp", "When processing finished (UTC); null while open."),
        _CREATED,
        _UPDATED,
        _CALLBACK,
    ),
)

NUMBER_ASSIGNMENTS = Table(
    name="number_assignments",
    description="One row per telephone number attached, or being attached, to a campaign.",
    newest_by="updated_at",
    own=(
        _READ,
        Column(
            "missing_since",
            "timestamp",
            "When its campaign's whole list was read without it (UTC); deleted_at is set once the"
            " next reading lacks it too. Null while it is listed.",
        ),
        _DELETED,
    ),
    parents=(_CAMPAIGN_ID, _BRAND_ID),
    fields=(
        Column("state", "text", "pending, completed, failed, or one the API adds later."),
        Column("phone_number__id", "text", "Id of the telephone number."),
        Column("phone_number__name", "text", "Name given to the telephone number."),
        Column("phone_number__number", "text", "The telephone number in E.164 form."),
        Column("phone_number__status_callback_url", "text", "Callback URL of the number."),
        _CREATED,
        _UPDATED,
    ),
)


def _history(of: Table, description: str, *further: Column) -> Table:
    """The table that keeps another one's history, with further ones of its columns."""
    name = of.name.removesuffix("s")
    noun = name.replace("_", " ")
    return Table(
        name=f"{name}_changes",
        description=description,
        key_description=f"Digest of the {noun} and its new values, so that no change counts twice.",
        fields=(
            Column(f"{name}_id", "text", f"The {noun} ({of.name}.id)."),
            *of.parents,
            Column("state", "text", "The state it was in from updated_at on."),
            _CREATED,
            _UPDATED,
            *further,
            Column("deleted_at", "timestamp", "When it was found deleted (UTC), or null."),
            Column(
                "seen_at", "timestamp", "When this was first read, by the server's clock (UTC)."
            ),
            Column("run_id", "text", "The run that saw it first (runs.run_id)."),
        ),
    )


ORDER_CHANGES = _history(
    ORDERS,
    "One row per change seen of an order, because the API has only its present state. Consecutive"
    " changes between two runs are seen as one, and the return of one that was deleted is none.",
    Column("processed_at", "timestamp", "When processing finished (UTC); null while open."),
)
NUMBER_ASSIGNMENT_CHANGES = _history(
    NUMBER_ASSIGNMENTS,
    "One row per change seen of a number assignment. Consecutive changes between two runs are seen"
    " as one.",
)
CAMPAIGN_CHANGES = _history(
    CAMPAIGNS, "One row per state that a campaign was seen to enter, and its first one seen."
)
BRAND_CHANGES = _history(
    BRANDS, "One row per state that a brand was seen to enter, and its first one seen."
)

REJECTED = Table(
    name="rejected",
    description=(
        "One row per record that is not as documented: without a usable id (it is only here), or"
        " with an unreadable value (its row has null there)."
    ),
    key_description="Digest of the other columns, so that rereading a record adds no row.",
    fields=(
        Column("table_name", "text", "The table it was meant for."),
        Column("path", "text", "Path of the list that served it."),
        _BRAND_ID,
        _CAMPAIGN_ID,
        Column("record_id", "text", "The record's id, if usable."),
        Column("record", "json", "The record as served, as JSON, without sensitive fields."),
        Column("reason", "text", "What is wrong."),
        Column("run_id", "text", "The latest run that read it (runs.run_id)."),
    ),
)

CAMPAIGN_FAILURES = Table(
    name="campaign_failures",
    description="One row per list that a run could not read; its rows are from earlier runs.",
    key_description="Run and path.",
    fields=(
        Column("run_id", "text", "The run (runs.run_id)."),
        _BRAND_ID,
        Column("campaign_id", "text", "The campaign; null when a brand could not be read."),
        Column("path", "text", "Path of the list or record that failed."),
        Column("reason", "text", "What happened."),
        Column("failed_at", "timestamp", "When, by this machine's clock (UTC)."),
    ),
)

RUNS = Table(
    name="runs",
    description="One row per run, even with nothing to load. One that failed gets its row with the"
    " next run that loads; its counts are null unless what it had read was loaded later.",
    key="run_id",
    key_description="The run's id (a UUID).",
    fields=(
        Column("started_at", "timestamp", "When the run began, by this machine's clock (UTC)."),
        Column("finished_at", "timestamp", "When it had read everything, before the load (UTC)."),
        Column("read_at", "timestamp", "The same by the server's clock (UTC)."),
        Column(
            "mode",
            "text",
            "backfill: nothing had been read before; full: every campaign to its end, as requested;"
            " incremental otherwise.",
        ),
        Column(
            "complete",
            "bool",
            "Whether everything requested could be read; false where a run failed before that.",
        ),
        Column("narrowed_to", "json", "What the run was limited to, as JSON; null if unlimited."),
        Column("shard", "bigint", "Which part of the brands it read, from 1; null if all."),
        Column("shards", "bigint", "The number of parts; null if it read all."),
        Column("requests", "bigint", "HTTP requests sent, including retries."),
        Column("retries", "bigint", "Requests sent again after a failure."),
        Column("pages", "bigint", "Pages of lists read."),
        Column("brands", "bigint", "Brands found."),
        Column("brands_failed", "bigint", "Brands whose campaigns could not be listed."),
        Column("campaigns", "bigint", "Campaigns found."),
        Column("campaigns_walked", "bigint", "Campaigns whose orders were read."),
        Column("campaigns_failed", "bigint", "Campaigns that could not be read."),
        Column("orders_seen", "bigint", "Order records the API served."),
        Column("orders_loaded", "bigint", "Order records loaded: new or changed ones."),
        Column("orders_deleted", "bigint", "Orders found deleted."),
        Column("numbers_seen", "bigint", "Number assignment records the API served."),
        Column("numbers_loaded", "bigint", "Number assignments loaded: new or changed ones."),
        Column("numbers_deleted", "bigint", "Number assignments found deleted."),
        Column("full_walks", "bigint", "Campaigns read to their end."),
        Column("campaigns_idle", "bigint", "Campaigns not read: see recheck_idle_every."),
        Column("rejected", "bigint", "Records in the table rejected."),
        Column("seconds", "double", "Time from start to everything read, in seconds."),
        Column("version", "text", "Version of signalwire-orders."),
        Column(
            "failed_at",
            "timestamp",
            "When it failed, by this machine's clock (UTC); null if it did not, or was killed.",
        ),
        Column("error", "text", "Why it failed, in one sentence; null unless it did."),
    ),
)

# what a user can choose, in the order in which the API leads from one to the next
RESOURCES: dict[str, Table] = {t.name: t for t in (BRANDS, CAMPAIGNS, ORDERS, NUMBER_ASSIGNMENTS)}
# to each table the one that keeps its history
HISTORIES: dict[str, Table] = {
    ORDERS.name: ORDER_CHANGES,
    NUMBER_ASSIGNMENTS.name: NUMBER_ASSIGNMENT_CHANGES,
    CAMPAIGNS.name: CAMPAIGN_CHANGES,
    BRANDS.name: BRAND_CHANGES,
}
# what runs write beside what the API has
BOOKKEEPING: dict[str, Table] = {
    t.name: t for t in (*HISTORIES.values(), REJECTED, CAMPAIGN_FAILURES, RUNS)
}
TABLES: dict[str, Table] = RESOURCES | BOOKKEEPING
