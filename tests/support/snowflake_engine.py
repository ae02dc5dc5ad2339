"""fakesnow as a server, with what it lacks for dlt: started by `support.snowflake_server`.

It runs Snowflake's SQL on DuckDB, so it proves our statements and no semantics of Snowflake's.
"""

from __future__ import annotations

import re
import sys
import threading
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import fakesnow
import pyarrow as pa
import pyarrow.compute as pc
from fakesnow import arrow, server
from fakesnow.cursor import FakeSnowflakeCursor
from fakesnow.instance import FakeSnow
from fakesnow.transforms.stage import LOCAL_BUCKET_PATH
from snowflake.connector.errors import ProgrammingError
from sqlglot.dialects.snowflake import Snowflake
from sqlglot.tokens import TokenType

# a stage of a table, as dlt writes it
STAGE = re.compile(r"""'@"(\w+)"\."(%\w+)"/"([\w.]+)"(/[^']*)?'""")
execute = FakeSnowflakeCursor.execute
as_struct = arrow.timestamp_to_sf_struct
describe = FakeSnowflakeCursor._describe_last_sql


def statements(sql: str) -> list[str]:
    """The statements of a text; dlt sends several at a time."""
    ends = [
        token.start
        for token in Snowflake.Tokenizer().tokenize(sql)
        if token.token_type == TokenType.SEMICOLON
    ]
    bounds = [0, *ends, len(sql)]
    parts = [sql[begin:end].strip(" ;\n") for begin, end in pairwise(bounds)]
    return [part for part in parts if part]


def one_by_one(self: Any, command: str, *args: Any, **kwargs: Any) -> Any:
    """Executes all statements; one waits for a row that another changes, as in Snowflake."""
    for statement in map(unquoted_stage, statements(command)):
        if statement.startswith(("COPY INTO", "REMOVE")):
            of_stage(self, statement)
            continue
        for _ in range(200):
            try:
                execute(self, statement, *args, **kwargs)
            except ProgrammingError as error:
                if "onflict" not in str(error):
                    raise
                time.sleep(0.05)
            else:
                break
        else:
            raise TimeoutError(statement)
    return self


def unquoted_stage(statement: str) -> str:
    """The statement with the name of a stage as fakesnow reads it."""
    return STAGE.sub(lambda found: f"@{found[1]}.{found[2]}/{found[3]}{found[4] or ''}", statement)


def of_stage(self: Any, statement: str) -> None:
    """Copies a file of a stage into a table, by its columns' names, or removes it."""
    name = re.search(r"@\S+/([^/\s]+)", statement)[1]
    (file,) = Path(LOCAL_BUCKET_PATH).rglob(name)
    if statement.startswith("REMOVE"):
        file.unlink()
    else:
        table = re.search(r"COPY INTO (\S+)", statement)[1]
        rows = f"read_{'json' if '.jsonl' in name else 'parquet'}('{file}')"
        self._duck_conn.execute(f"INSERT INTO {table} BY NAME SELECT * FROM {rows}")
    execute(self, "SELECT 1")


def description(self: Any) -> Any:
    """The columns of a result; of a statement that returns none, none."""
    try:
        return describe(self)
    except ProgrammingError:
        return []


def times(column: Any) -> Any:
    """A column of times as Snowflake sends it; fakesnow makes 1970 of a null."""
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
    found = as_struct(pc.fill_null(column, pa.scalar(0, pa.int64()).cast(column.type)))
    return pa.StructArray.from_arrays(
        found.flatten(), fields=list(found.type), mask=pc.is_null(column)
    )


class Account:
    """One database at a time: with each that was there before, statements take longer."""

    def __init__(self) -> None:
        self._database: str | None = None

    def connect(self, database: str, *args: Any, **kwargs: Any) -> Any:
        if database != self._database:
            server.sessions.clear()
            self._database, self._only = database, FakeSnow(create_schema_on_connect=False)
        return self._only.connect(database, *args, **kwargs)


def main(port: int) -> None:
    FakeSnowflakeCursor.execute = one_by_one
    FakeSnowflakeCursor._describe_last_sql = description
    arrow.timestamp_to_sf_struct = times
    server.shared_fs = Account()
    with fakesnow.server(port=port):
        threading.Event().wait()


if __name__ == "__main__":
    main(int(sys.argv[1]))
