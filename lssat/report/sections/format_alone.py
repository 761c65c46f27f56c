"""What files and face sizes reach: the baseline that looks at no pixel."""

from typing import Any

from lssat import grid
from lssat.report.kit import words
from lssat.report.kit.results import Task
from lssat.tables.analysis_tables import FormatRow

LABEL = "format alone, no pixel"  # of its row, where others have a backbone
_NAMES = {  # of features, where they are not their own words
    "bytes_per_pixel": "bytes a pixel",
    "bytes_per_second": "bit rate",
    "fps": "frames a second",
    "frames": "number of frames",
    "seconds": "duration",
    "quality": "JPEG quality",
    "side": "size of the face",
    "side_share": "face in the frame",
    "kind": "format or codec",
    "sampling": "format of the pixels",
}


def head(task: Task) -> FormatRow | None:
    """Return the row of the headline metric; None where it is undefined."""
    rows = [row for row in task.format["rows"] if row["metric"] == task.metrics["metric"]]
    return rows[0] if rows and rows[0]["value"] is not None else None


def row_of(task: Task, metric: str) -> dict[str, Any] | None:
    """Return the row of a metric, with a `mean` as rows of runs have it; None if there is none."""
    for row in task.format["rows"]:
        if row["metric"] == metric:
            return {**row, "mean": row["value"], "collapsed": False}
    return None


def warning(task: Task) -> str:
    """Say in a few words that the format alone tells the labels, where it does."""
    row = head(task)
    if row is None or not task.format["above"]:
        return ""
    return f"The format alone, without a pixel, reaches {words.spanned(row['value'], row)}."


def sentence(task: Task) -> str:
    """Say what the format alone reaches, and where that is above chance, by which feature."""
    row = head(task)
    if row is None:
        return ""
    what = f"{words.measure(task.metrics)} {words.spanned(row['value'], row)}"
    texture = _texture_alone(task)
    against = f"the trivial baseline, {words.number(row['baseline'])}"
    if not task.format["above"]:
        return f"The format alone is not shown to tell the labels: {what}; {against}.{texture}"
    return (
        "The format alone tells the labels: size, quality and codec of the files and the size of "
        f"the faces reach {what}, above {against}{_most(task, row)}. A score may rest on that."
        f"{texture}"
    )


def _texture_alone(task: Task) -> str:
    """Say what the best row reaches that classifies texture alone, beside the format; no test."""
    rows = [row for row in task.trained if grid.parse(row["configuration"]).classified != "RGB"]
    best = words.best(rows)
    if best is None:
        return ""
    return (
        f" Of the rows that classify texture alone, {words.name(best)} has the highest mean, "
        f"{words.spanned(best['mean'], best)}; no test compares it with the format."
    )


def _most(task: Task, row: FormatRow) -> str:
    """Name the feature without which least is left."""
    lower, whole = words.lower_is_better(row["metric"]), row["value"]
    lost = {
        name: (value - whole) * (1 if lower else -1)
        for name, value in task.format["permuted"].items()
        if value is not None and whole is not None
    }
    name = max(lost, key=lambda feature: lost[feature], default="")
    if not name or lost[name] <= 0:
        return ""
    left = words.number(task.format["permuted"][name])
    return f", most by {_NAMES.get(name, name)} ({left} where it is shuffled)"
