"""Calibration of each run on the test split, raw and with a temperature fitted on validation."""

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lssat import metrics
from lssat.scores.levels import Level, levels, matrix


def calibrations(predictions: pa.Table, task: str, head: Level) -> dict[str, dict[str, Any]]:
    """Measure the calibration of each run at the headline's level.

    Args:
        predictions: schema PREDICTIONS, test and validation rows of all runs.
        task: for messages.
        head: the headline's level, of the test rows.

    Returns:
        run -> `ece`, `brier`, `bins` as they are, the same under `scaled` with `temperature`,
        which divides the logits of frames or images. Without validation rows (a data set that is
        only tested on) `temperature` and `scaled` are None. Runs whose scores are not finite
        are left out.
    """
    able = [run for run, scores in head.scores.items() if not metrics.unusable(scores)]
    heat = {run: _temperature(predictions, task, head.kind, run) for run in able}
    scaled = _scaled_head(predictions, task, head, heat)
    return {
        run: metrics.calibration(head.kind, head.labels, head.scores[run])
        | dict(level=head.name, temperature=heat[run], scaled=scaled.get(run))
        for run in able
    }


def _temperature(predictions: pa.Table, task: str, kind: str, run: str) -> float | None:
    chosen = pc.and_(pc.equal(predictions["run"], run), pc.equal(predictions["split"], "val"))
    rows = predictions.filter(chosen)
    if not len(rows):
        return None
    logits = matrix(rows["logits"], task)
    if not np.isfinite(logits).all():
        return None
    return metrics.temperature(kind, matrix(rows["labels"], task), logits)


def _scaled_head(
    predictions: pa.Table, task: str, head: Level, heat: dict[str, float | None]
) -> dict[str, dict[str, Any]]:
    """Measure again after each run's logits were divided by its temperature."""
    parts = []
    for run, value in heat.items():
        if value is not None:
            rows = predictions.filter(pc.equal(predictions["run"], run))
            logits = pa.array(list(matrix(rows["logits"], task) / value))
            where = rows.schema.get_field_index("logits")
            parts.append(rows.set_column(where, "logits", logits))
    if not parts:
        return {}
    (again,) = levels(pa.concat_tables(parts), task, head.kind)
    scores = again[-1].scores
    return {run: metrics.calibration(head.kind, head.labels, each) for run, each in scores.items()}
