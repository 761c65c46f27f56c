"""Rows of results as marks: each mean with its interval, hollow where the row collapsed."""

from collections.abc import Mapping, Sequence
from typing import Any

from lssat.report.kit import words
from lssat.report.kit.svg import Trace


def means(
    rows: Sequence[Mapping[str, Any]],
    places: Sequence[Any],
    colour: int,
    key: str = "",
    *,
    along: str = "y",
    shape: str = "circle",
    **look: Any,
) -> Trace:
    """Draw the means of rows with their intervals.

    Args:
        places: where each row stands on the other axis.
        along: the axis of the means.
        look: what else a `Trace` takes: name, line, size, hints.
    """
    values = [row["mean"] for row in rows]
    x, y = (places, values) if along == "y" else (values, places)
    shapes = [shape + "-open" * bool(row.get("collapsed")) for row in rows]
    spans = [words.span(row["low"], row["high"]) for row in rows]
    return Trace(x, y, colour, key, shape=shapes, spans=spans, along=along, **look)


def hint(row: Mapping[str, Any]) -> str:
    """Say of a mark what it stands for: `0.812 [0.790, 0.833], n = 96, collapsed`."""
    collapsed = ", collapsed" if row.get("collapsed") else ""
    return f"{words.spanned(row['mean'], row)}, n = {words.number(row['n'])}{collapsed}"
