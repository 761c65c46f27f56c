"""The contracts between steps: table schemas, shards, atomic writes, seals, errors.

Steps exchange only Parquet tables with an explicit schema (ids are text), JSON and NPY shards.
Whatever is written appears whole under its name or not at all (temporary file, fsync, rename),
and is held to a sha256 before it is used: its own, or that of a table or record beside it.
"""

from lssat.tables.atomic import (
    atomic,
    check_writable,
    close_folder,
    confidential,
    refusing,
    sha256,
    together,
    whole_folder,
    write_text,
    write_whole,
)
from lssat.tables.contracts import Metrics, Record, Times, read_as, read_metrics, read_record
from lssat.tables.disjoint import UNUSED, check_groups
from lssat.tables.errors import DataError, refused
from lssat.tables.metric_tables import Row, RunMetrics
from lssat.tables.npy import from_npy, open_shard, shard_of, write_shard
from lssat.tables.parquet import metadata, read_table, write_table
from lssat.tables.rejects import check_rejects, reasons, reject
from lssat.tables.schemas import (
    FACES,
    FORMATS,
    MANIFEST,
    PREDICTIONS,
    REASONS,
    REJECTS,
    SPLITS,
    TEXTURE,
)
from lssat.tables.seal import vouched
from lssat.tables.texts import dotted, json_text, read_json, write_csv, write_json

__all__ = [
    "FACES",
    "FORMATS",
    "MANIFEST",
    "PREDICTIONS",
    "REASONS",
    "REJECTS",
    "SPLITS",
    "TEXTURE",
    "UNUSED",
    "DataError",
    "Metrics",
    "Record",
    "Row",
    "RunMetrics",
    "Times",
    "atomic",
    "check_groups",
    "check_rejects",
    "check_writable",
    "close_folder",
    "confidential",
    "dotted",
    "from_npy",
    "json_text",
    "metadata",
    "open_shard",
    "read_as",
    "read_json",
    "read_metrics",
    "read_record",
    "read_table",
    "reasons",
    "refused",
    "refusing",
    "reject",
    "sha256",
    "shard_of",
    "together",
    "vouched",
    "whole_folder",
    "write_csv",
    "write_json",
    "write_shard",
    "write_table",
    "write_text",
    "write_whole",
]
