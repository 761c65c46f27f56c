"""Sensitivity of results to the margin of crops and the number of frames, run on request.

The trained runs are scored on the same test videos cropped otherwise; each number is paired with
the default's on the videos that both have. A step of evaluation: it is given the test split.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lssat import grid, tables
from lssat.data import media
from lssat.evaluation.scores import cells, measured
from lssat.evaluation.scores.levels import Level, levels
from lssat.evaluation.scores.measured import Measured, Span
from lssat.evaluation.scores.paired_difference import paired
from lssat.evaluation.scores.run_group import Scored, by_seed
from lssat.evaluation.sensitivity import figure
from lssat.params import Sensitivity
from lssat.params.views import SensitivityView
from lssat.tables import FACES, PREDICTIONS, SPLITS
from lssat.tables.contracts import VERSION

_COLUMNS = [
    "task", "backbone", "configuration", "seeds", "level", "metric", "varied", "value", "default",
    "n", "of", "groups", "mean", "low", "high", "reference", "difference", "difference_low",
    "difference_high", "collapsed", "note",
]  # fmt: skip


@dataclass(frozen=True)
class Files:
    """Where sensitivity reads and writes."""

    test: Path
    predictions: Path  # of the evaluation
    metrics: Path  # of the evaluation: its weights, and which runs collapsed
    faces: list[Path]  # tables of all shards
    variants: dict[str, Path]  # name, such as margin-1.6 -> predictions
    out: Path  # JSON
    table: Path  # CSV
    picture: Path  # SVG


@tables.together()
def sensitivity(task: str, files: Files, params: SensitivityView) -> None:
    """Compare the variants of a task's crops with the default, and write JSON, CSV and SVG.

    Fewer frames than are stored are a part of the stored ones, evenly spread: their predictions
    are known.

    Args:
        task: a section of datasets.
        params: the view of the rule `sensitivity`.
    """
    known = grid.read_task(tables.metadata(tables.read_table(files.test, SPLITS)), files.test)
    reference = _test(files.predictions)
    evaluated = tables.read_metrics(files.metrics, "runs")
    fallen = {run["run"] for run in evaluated["runs"] if run["collapsed"]}
    stored = params.faces.margin, params.datasets[task].stored_frames
    rows: list[dict[str, Any]] = []
    for varied, value, default, table in _varied(files, reference, params.sensitivity, *stored):
        rows += _compared(known, reference, table, params, varied, value, default, fallen)
    content = {
        "version": VERSION,
        "task": known.name,
        "title": known.title,
        "kind": known.kind,
        "metric": known.metric,
        "split": "test",
        "confidence": params.evaluate.confidence,
        "rows": rows,
        "weights": evaluated["weights"],
    }
    tables.write_json(files.out, content)
    table_rows = (row | {"task": known.name, "seeds": _listed(row["seeds"])} for row in rows)
    lines = ([row.get(column) for column in _COLUMNS] for row in table_rows)
    tables.write_csv(files.table, _COLUMNS, lines)
    with tables.atomic(files.picture) as file:
        figure.write(file, content)


def _listed(seeds: list[int]) -> str:
    return ";".join(map(str, seeds))


def _test(file: Path) -> pa.Table:
    table = tables.read_table(file, PREDICTIONS)
    chosen = pc.and_(pc.equal(table["split"], "test"), pc.not_equal(table["level"], "clip"))
    return table.filter(chosen)


def _varied(
    files: Files, reference: pa.Table, options: Sensitivity, margin: float, frames: int | None
) -> Iterator[tuple[str, float, float, pa.Table]]:
    """Yield what is varied, its value, the default and the predictions, in ascending order."""
    for varied in sorted({*options.margins, margin}):
        own = varied != margin
        table = _test(files.variants[f"margin-{varied}"]) if own else reference
        yield "margin", varied, margin, table
    stored = frames or 0  # 0: images, or each n-th frame
    for count in sorted({*options.frames, stored}) if stored else ():
        if count > stored:
            table = _test(files.variants[f"frames-{count}"])
        else:
            table = _fewer(reference, _lengths(files.faces), stored, count)
        yield "frames", count, stored, table


def _lengths(faces: list[Path]) -> dict[str, int]:
    parts = [tables.read_table(file, FACES).select(["id", "n_frames"]) for file in faces]
    table = pa.concat_tables(parts)
    return dict(zip(table["id"].to_pylist(), table["n_frames"].to_pylist(), strict=True))


def _fewer(reference: pa.Table, lengths: dict[str, int], stored: int, count: int) -> pa.Table:
    """Keep `count` of the `stored` frames of each video, evenly spread; some may have no face."""
    kept = {id: _spread(n, stored, count) for id, n in lengths.items()}
    pairs = zip(reference["id"].to_pylist(), reference["frame"].to_pylist(), strict=True)
    return reference.filter(pa.array([frame in kept[id] for id, frame in pairs]))


def _spread(n_frames: int, stored: int, count: int) -> set[int]:
    """Return which frames stay of a video, which may have had fewer than were to be stored."""
    have = media.frame_indices(n_frames, min(stored, n_frames))
    return set(have[media.frame_indices(len(have), min(count, len(have)))].tolist())


def _compared(
    task: grid.Task,
    reference: pa.Table,
    table: pa.Table,
    params: SensitivityView,
    varied: str,
    value: float,
    default: float,
    fallen: set[str],
) -> list[dict[str, Any]]:
    """Return a row for each backbone and configuration, on the videos that both tables have.

    Args:
        fallen: runs that collapsed; a row with one of them is marked.
    """
    total = pc.count_distinct(reference["id"]).as_py()
    both = pc.is_in(reference["id"], table["id"].unique())
    (first,) = levels(reference.filter(both), task.name, task.kind)
    (second,) = levels(table, task.name, task.kind)
    one, two = first[-1], _as(first[-1], second[-1])
    before, after = (measured.measured(level, None, names=[task.metric]) for level in (one, two))
    size = dict(varied=varied, value=value, default=default, level=one.name, metric=task.metric)
    size |= dict(n=len(one.ids), of=total, groups=before.clusters)
    rows = by_seed(list(one.scores))
    own = measured.intervals(rows, after, task.metric, params.evaluate)
    gaps = paired(rows, after, before, task.metric, params.evaluate)
    if value == default:  # held against itself: no test set would show a difference
        gaps = {measured.key(scored): Span(0.0, 0.0) for scored in rows}
    compared = []
    for scored in rows:
        key = measured.key(scored)
        row = _row(scored, before, after, task.metric, own.get(key), gaps.get(key))
        known = {"seeds": scored.seeds, "collapsed": not fallen.isdisjoint(scored.runs)}
        compared.append(scored.labels | known | size | row)
    return compared


def _as(wanted: Level, level: Level) -> Level:
    """Return a level in the order of another's ids."""
    at = {id: place for place, id in enumerate(level.ids)}
    order = np.array([at[id] for id in wanted.ids])
    scores = {run: run_scores[order] for run, run_scores in level.scores.items()}
    return wanted._replace(scores=scores)


def _row(
    scored: Scored,
    one: Measured,
    two: Measured,
    metric: str,
    own: Span | None,
    gap: Span | None,
) -> dict[str, Any]:
    """Return the variant's metric, the default's on the same samples, and their difference."""
    values, notes = zip(*(cells.by_seed(scored, each, metric) for each in (one, two)), strict=True)
    row = cells.row(values[1], own, [note for of_level in notes for note in of_level if note])
    mean, reference = row["mean"], cells.row(values[0], None, [])["mean"]
    gap = gap or Span(None, None)
    return {
        **{name: row[name] for name in ("mean", "low", "high", "note")},
        "reference": reference,
        "difference": None if mean is None or reference is None else mean - reference,
        "difference_low": gap.low,
        "difference_high": gap.high,
    }
