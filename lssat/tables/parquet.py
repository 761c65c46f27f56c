"""Parquet tables: held to an explicit schema when they are written and when they are read."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from lssat.tables import seal
from lssat.tables.atomic import atomic
from lssat.tables.errors import DataError

# Rows that are written, and read, at a time. What Parquet holds beside those in hand is as large
# as they are: of the million that it takes by itself, 40 logits each, half a gigabyte.
_GROUP = 1 << 17


def write_table(
    path: str | Path,
    rows: Sequence[Mapping[str, Any]] | pa.Table,
    schema: pa.Schema,
    metadata: dict[str, str] | None = None,
) -> None:
    """Write rows (dicts, or a table) under `schema`, with `metadata` in the file's header; sealed.

    Raises:
        DataError: a row lacks a column, has one too many, or a value does not fit its type.
    """
    if not isinstance(rows, pa.Table):
        wanted = set(schema.names)
        for number, row in enumerate(rows):
            if set(row) != wanted:
                differ = ", ".join(sorted(wanted ^ set(row)))
                raise DataError(path, f"row {number} differs in column {differ}", "Report this")
        rows = pa.Table.from_pylist(list(rows), schema=schema)
    table = rows.cast(schema).replace_schema_metadata(metadata or None)
    with atomic(path, lambda: _bytes(table)) as out:
        _write(table, out)
        seal.seal(out)


def _write(table: pa.Table, out: IO[bytes] | pa.NativeFile) -> None:
    with pq.ParquetWriter(out, table.schema, use_dictionary=_repeated(table.schema)) as file:
        file.write_table(table, row_group_size=_GROUP)
        file.add_key_value_metadata({seal.KEY: seal.BLANK})


def _bytes(table: pa.Table) -> int:
    """Count the bytes of a table's file, which is written nowhere: the disk is full."""
    counted = pa.MockOutputStream()
    _write(table, counted)
    return counted.size()


def _repeated(schema: pa.Schema) -> list[str]:
    """Name the columns whose values repeat: a dictionary of floats is made only to be dropped."""
    types = {field.name: getattr(field.type, "value_type", field.type) for field in schema}
    return [name for name, kind in types.items() if not pa.types.is_floating(kind)]


def read_table(
    path: str | Path,
    schema: pa.Schema,
    remedy: str = seal.REMEDY,
    only: dict[str, Sequence[str]] | None = None,
) -> pa.Table:
    """Read a table and hold it to its seal and to `schema`.

    Args:
        only: column -> values: rows with other values are not kept. A task's predictions may be
            millions of rows, of which a reader wants one split, or two runs.

    Raises:
        DataError: missing, damaged, or with other columns than the schema's.
    """
    seal.check(path, remedy)
    try:
        # pq.read_table would import pandas: half a second in each of the many small processes.
        with pq.ParquetFile(path) as file:
            groups = range(file.num_row_groups)
            parts = [_kept(file.read_row_group(group), only or {}) for group in groups]
            table = pa.concat_tables(parts) if parts else file.read()
    except (pa.ArrowException, OSError) as error:
        first = str(error).splitlines()[0]
        raise DataError(path, f"is not a readable table ({first})", remedy) from error
    if table.schema.remove_metadata() != schema:
        differ = set(table.schema.names) ^ set(schema.names)
        what = f"columns {', '.join(sorted(differ))}" if differ else "column types"
        raise DataError(path, f"has other {what} than this version writes", remedy)
    return table


def _kept(rows: pa.Table, only: dict[str, Sequence[str]]) -> pa.Table:
    for column, values in only.items():
        rows = rows.filter(pc.is_in(rows[column], pa.array(values, rows[column].type)))
    return rows


def metadata(table: pa.Table) -> dict[str, str]:
    """Return the text that `write_table` put into the file's header."""
    items = (table.schema.metadata or {}).items()
    ours = (b"ARROW:schema", seal.KEY.encode())
    return {key.decode(): value.decode() for key, value in items if key not in ours}
