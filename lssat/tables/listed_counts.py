"""What the lists of a data set name, there or not: counts that travel in the manifest's header.

A manifest has a row for each sample that is there. How many there should be is known to the
reader alone; coverage is a share of that.
"""

import json
from collections import Counter
from collections.abc import Iterable
from typing import Any

from lssat.tables import DataError
from lssat.tables.rows import RejectRow, SampleRow

Key = tuple[str, str, str]  # split of the lists, subset, class; "" where there is none


def key(row: SampleRow | RejectRow) -> Key:
    """Return what a sample is counted under; samples of several labels have no class."""
    labels = row["labels"]
    return row["split"], row["subset"], str(labels[0]) if len(labels) == 1 else ""


def count(rows: Iterable[SampleRow], rejects: Iterable[RejectRow]) -> Counter[Key]:
    """Count what the lists name: the samples, and the rejects that are losses of one.

    Those of the readers say their split. Others name no sample more: one that stands twice, or
    one of a class that is excluded on request.
    """
    return Counter([*map(key, rows), *(key(row) for row in rejects if "split" in row)])


def header(counts: Counter[Key]) -> dict[str, str]:
    """Return what `read` reads back, for the header of a table."""
    return {"listed": json.dumps([[*cell, n] for cell, n in sorted(counts.items())])}


def read(header: dict[str, str], file: Any) -> Counter[Key]:
    """Read the counts from the header (`tables.metadata`) of a manifest.

    Raises:
        DataError: the table `file` says nothing of them: an older version wrote it.
    """
    try:
        rows = json.loads(header["listed"])
        return Counter({(split, subset, name): int(n) for split, subset, name, n in rows})
    except (KeyError, TypeError, ValueError):
        raise DataError(file, "does not say what is listed", "Run its step again") from None
