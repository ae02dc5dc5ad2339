"""What is used of dlt: all of it by name, so that an upgrade knows where to look.

An import that is in neither list fails, and so does one of dlt's internals that is gone or takes
other arguments.
"""

from __future__ import annotations

import ast
import inspect
import pkgutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from support import ROOT

# what dlt documents, or exports where users import from
DOCUMENTED = {
    "dlt.common.configuration:configspec",
    "dlt.common.configuration:with_config",
    "dlt.common.configuration.exceptions:ConfigFieldMissingException",
    "dlt.common.configuration.exceptions:ConfigValueCannotBeCoercedException",
    "dlt.common.configuration.exceptions:ConfigurationException",
    "dlt.common.configuration.exceptions:FieldLookupTraces",
    "dlt.common.configuration.exceptions:InvalidNativeValue",
    "dlt.common.configuration.exceptions:LookupTrace",
    "dlt.common.configuration.exceptions:LookupTraces",
    "dlt.common.configuration.providers:CustomLoaderDocProvider",
    "dlt.common.configuration.specs.exceptions:InvalidConnectionString",
    "dlt.common.destination:DestinationCapabilitiesContext",
    "dlt.common.destination.exceptions:DestinationUndefinedEntity",
    "dlt.common.destination.exceptions:SqlClientNotAvailable",
    "dlt.common.destination.exceptions:UnknownDestinationModule",
    "dlt.common.exceptions:MissingDependencyException",
    "dlt.common.normalizers.naming.snake_case:NamingConvention",
    "dlt.common.pipeline:get_dlt_pipelines_dir",
    "dlt.common.schema:Schema",
    "dlt.common.typing:TSecretStrValue",
    "dlt.destinations.exceptions:DatabaseException",
    "dlt.destinations.exceptions:DatabaseTransientException",
    "dlt.destinations.exceptions:DestinationConnectionError",
    "dlt.extract:DltResource",
    "dlt.sources:DltSource",
    "dlt.sources.helpers:requests",
}
# what it does not: to each import, what is called or overridden of it with its arguments
INTERNAL: dict[str, dict[str, list[str]]] = {
    "dlt.common.configuration:known_sections": {},
    "dlt.common.configuration.container:Container": {"__getitem__": ["self", "spec"]},
    "dlt.common.configuration.providers.toml:TomlProviderReadException": {},
    "dlt.common.configuration.specs.pluggable_run_context:PluggableRunContext": {},
    "dlt.common.destination:PreparedTableSchema": {},
    "dlt.common.destination.client:FollowupJobRequest": {},
    "dlt.common.destination.client:LoadJob": {},
    "dlt.common.destination.client:WithStateSync": {"get_stored_schema": ["self", "schema_name"]},
    "dlt.common.exceptions:SignalReceivedException": {"__init__": ["self", "signal_code"]},
    "dlt.common.runtime.collector_base:Collector": {
        "update": ["self", "name", "inc", "total", "inc_total", "message", "label"],
        "_start": ["self", "step"],
        "_stop": ["self"],
    },
    "dlt.common.runtime.run_context:active": {},
    "dlt.common.runtime.telemetry:stop_telemetry": {},
    "dlt.common.storages.load_package:LoadJobInfo": {},
    "dlt.common.storages.load_package:LoadPackageStateInjectableContext": {},
    "dlt.destinations.impl.duckdb.configuration:DuckDbClientConfiguration": {},
    "dlt.destinations.impl.duckdb.configuration:DuckDbConnectionPool": {
        "__init__": ["self", "credentials", "always_open_connection"],
        "borrow_conn": ["self", "global_config", "local_config", "pragmas"],
        "return_conn": ["self", "borrowed_conn"],
    },
    "dlt.destinations.impl.duckdb.configuration:DuckDbCredentials": {"__str__": ["self"]},
    "dlt.destinations.impl.duckdb.duck:DuckDbClient": {
        "__init__": ["self", "schema", "config", "capabilities"],
        "create_load_job": ["self", "table", "file_path", "load_id", "restore"],
        "create_table_chain_completed_followup_jobs": [
            "self", "table_chain", "completed_table_chain_jobs",
        ],
        "complete_load": ["self", "load_id"],
    },
    "dlt.destinations.impl.duckdb.duck:DuckDbCopyJob": {
        "__init__": ["self", "file_path"],
        "run": ["self"],
    },
    "dlt.destinations.impl.duckdb.sql_client:DuckDbSqlClient": {
        "__init__": [
            "self", "dataset_name", "staging_dataset_name", "credentials", "capabilities",
        ],
        "catalog_name": ["self", "quote", "casefold"],
        "warn_if_catalog_equals_dataset_name": ["self"],
    },
    "dlt.destinations.impl.ducklake.configuration:DuckLakeClientConfiguration": {},
    "dlt.destinations.impl.ducklake.configuration:DuckLakeCredentials": {"on_resolved": ["self"]},
    "dlt.destinations.impl.ducklake.ducklake:DuckLakeClient": {
        "__init__": ["self", "schema", "config", "capabilities"],
    },
    "dlt.destinations.impl.ducklake.sql_client:DuckLakeSqlClient": {
        "__init__": [
            "self", "dataset_name", "staging_dataset_name", "credentials", "capabilities",
            "override_data_path", "automatic_migration",
        ],
        "attach_statement": [],
        "close_connection": ["self"],
    },
    "dlt.destinations.impl.filesystem.filesystem:DeltaLoadFilesystemJob": {"run": ["self"]},
    "dlt.destinations.impl.filesystem.filesystem:FilesystemClient": {
        "initialize_storage": ["self", "truncate_tables"],
        "complete_load": ["self", "load_id"],
        "get_open_table_location": ["self", "table_format", "table_name", "schema_name"],
        "get_reference_followup_job_class": ["table"],
        "get_storage_tables": ["self", "table_names"],
        "get_table_dirs": ["self", "table_names", "remote"],
        "list_table_files": ["self", "table_name", "schema_name"],
        "sql_client": [],
        "sql_client_class": [],
    },
    "dlt.destinations.impl.filesystem.sql_client:FilesystemSqlClient": {
        "execute_query": ["self", "query", "args", "kwargs"],
        "open_connection": ["self"],
    },
    "dlt.destinations.impl.postgres.configuration:PostgresClientConfiguration": {
        "data_location": ["self"],
    },
    "dlt.destinations.impl.postgres.configuration:PostgresCredentials": {
        "get_query": ["self"],
        "on_resolved": ["self"],
        "parse_native_representation": ["self", "native_value"],
        "to_native_representation": ["self"],
    },
    "dlt.destinations.impl.postgres.postgres:PostgresClient": {
        "__init__": ["self", "schema", "config", "capabilities"],
        "create_load_job": ["self", "table", "file_path", "load_id", "restore"],
    },
    "dlt.destinations.impl.postgres.postgres:PostgresParquetCopyJob": {
        "run": ["self"],
        "_connect": ["self"],
    },
    "dlt.destinations.impl.postgres.sql_client:Psycopg2SqlClient": {
        "__init__": [
            "self", "dataset_name", "staging_dataset_name", "credentials", "capabilities",
        ],
        "open_connection": ["self"],
        "close_connection": ["self"],
        "_reset_connection": ["self"],
        "fully_qualified_dataset_name": ["self", "quote", "staging", "casefold"],
    },
    "dlt.destinations.job_client_impl:SqlJobClientBase": {
        "get_storage_table": ["self", "table_name"],
        "get_storage_tables": ["self", "table_names"],
    },
    "dlt.destinations.job_client_impl:SqlLoadJob": {
        "is_sql_job": ["file_path"],
        "run": ["self"],
    },
    "dlt.destinations.sql_jobs:SqlFollowupJob": {
        "from_table_chain": ["table_chain", "sql_client"],
        "generate_sql": ["table_chain", "sql_client"],
    },
    "dlt.pipeline.state_sync:load_pipeline_state_from_destination": {
        "": ["pipeline_name", "client"],
    },
    # not imported, but called or overridden through what dlt hands out
    "dlt.common.configuration.specs:AwsCredentials": {"to_object_store_rs_credentials": ["self"]},
    "dlt.common.destination:Destination": {"destination_type": [], "client_class": []},
    "dlt.common.storages.load_package:PackageStorage": {
        "list_all_jobs_with_states": ["self", "load_id"],
        "get_job_file_path": ["self", "load_id", "state", "file_name"],
    },
}  # fmt: skip
NOT_IMPORTED = {
    "dlt.common.configuration.specs:AwsCredentials",
    "dlt.common.destination:Destination",
    "dlt.common.storages.load_package:PackageStorage",
}


def imports(folder: Path) -> Iterator[str]:
    """Everything that is imported from dlt's modules, as `module:name`."""
    for path in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "dlt":
                yield from (f"{node.module}:{alias.name}" for alias in node.names)
            elif isinstance(node, ast.Import):
                deep = (a.name for a in node.names if a.name.startswith("dlt."))
                yield from (f"{name}:" for name in deep)


def test_nothing_else_of_dlt_is_imported() -> None:
    used = {*imports(ROOT / "pipelines"), *imports(ROOT / "sources")}
    assert used <= DOCUMENTED | INTERNAL.keys()
    assert INTERNAL.keys() - NOT_IMPORTED <= used


@pytest.mark.parametrize("name", sorted(INTERNAL))
def test_an_internal_is_as_it_was(name: str) -> None:
    found = pkgutil.resolve_name(name)
    for attribute, arguments in INTERNAL[name].items():
        member = getattr(found, attribute) if attribute else found
        if not isinstance(member, property):
            assert list(inspect.signature(member).parameters) == arguments, attribute
