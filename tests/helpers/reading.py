"""Reading a raw tree in tests: its manifest and rejects, or the error without the test's folder."""

from pathlib import Path

import pytest

from lssat.data import datasets
from lssat.tables import MANIFEST, REJECTS, DataError, read_table


def read(dataset: str, options, tmp_path: Path) -> tuple[dict[str, dict], list[dict]]:
    out, rejects = tmp_path / "manifest.parquet", tmp_path / "rejects.parquet"
    datasets.manifest(dataset, options, out, rejects)
    rows = read_table(out, MANIFEST).to_pylist()
    assert [row["id"] for row in rows] == sorted(row["id"] for row in rows)
    return {row["id"]: row for row in rows}, read_table(rejects, REJECTS).to_pylist()


def fails(dataset: str, options, tmp_path: Path) -> str:
    with pytest.raises(DataError) as caught:
        read(dataset, options, tmp_path)
    return str(caught.value).replace(f"{tmp_path}/", "")
