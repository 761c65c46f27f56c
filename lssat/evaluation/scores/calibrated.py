"""Calibration of each run on the test split, raw and with a temperature fitted on validation."""

from typing import Any

import pyarrow as pa

from lssat import grid, metrics
from lssat.evaluation.scores.heap import give_back
from lssat.evaluation.scores.levels import Level, matrix, places, rows_of

UNCALIBRATED = "not calibrated: its table holds no scores of the validation split"


def calibrations(predictions: pa.Table, task: str, head: Level) -> dict[str, dict[str, Any]]:
    """Measure the calibration of each run at the headline's level.

    Args:
        predictions: schema PREDICTIONS, test and validation rows of all runs.
        task: for messages.
        head: the headline's level, of the test rows.

    Returns:
        run -> `ece`, `ece_if_calibrated`, `brier`, `bins` as they are, the same under `scaled`
        with `temperature`, which divides the logits of frames or images. It is fitted at the
        headline's level: of videos, to the mean probability of their frames. `note`: whether it
        is at a bound, or that another program's scores cannot be calibrated. Without validation
        rows (a data set that is only tested on) `temperature` and `scaled` are None. Runs whose
        scores are not finite are left out.
    """
    val, test = places(predictions, "val"), places(predictions, "test")
    calibrated = {}
    for run, scores in head.scores.items():
        if metrics.unusable(scores):
            continue
        raw = metrics.calibration(head.kind, head.labels, scores)
        rows = rows_of(predictions, val[run]) if run in val else None
        heat = None if rows is None else _temperature(rows, task, head.kind)
        tempered = _tempered(rows_of(predictions, test[run]), task, head, heat)
        if rows is None and grid.parse(grid.Run.of(run).configuration).external:
            tempered["note"] = UNCALIBRATED
        calibrated[run] = raw | dict(level=head.name) | tempered
        give_back()
    return calibrated


def _tempered(test: pa.Table, task: str, head: Level, heat: float | None) -> dict[str, Any]:
    """Measure the test rows of a run again with its temperature."""
    if heat is None:
        return dict(temperature=None, note=None, scaled=None)
    logits = matrix(test["logits"], task)
    ids, scores = metrics.pooled(head.kind, test["id"].to_pylist(), logits, heat)
    place = {id: at for at, id in enumerate(ids)}
    scores = scores[[place[id] for id in head.ids]]
    scaled = metrics.calibration(
        head.kind, head.labels, scores[:, 0] if head.kind == "binary" else scores
    )
    return dict(temperature=heat, note=metrics.at_bound(heat), scaled=scaled)


def _temperature(val: pa.Table, task: str, kind: str) -> float | None:
    logits = matrix(val["logits"], task)
    if metrics.unusable(logits):
        return None
    return metrics.temperature(kind, matrix(val["labels"], task), logits, val["id"].to_pylist())
