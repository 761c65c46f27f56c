"""The rows, samples and errors of a task that are explained. No torch."""

from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lssat import grid, metrics
from lssat.evaluation.scores.levels import matrix
from lssat.grid.trained import Row as Row
from lssat.grid.trained import best_row as best
from lssat.grid.trained import rows as rows

KEY = ("id", "frame", "clip")  # of one sample


def beside(rows: list[Row], chosen: Row, metric: str) -> Row | None:
    """Return the best row without the auxiliary task; None if that is the chosen one."""
    plain = [row for row in rows if grid.parse(row.configuration).masked is None]
    plain = [row for row in plain if row.backbone == chosen.backbone] or plain
    return best(plain, metric) if plain and chosen not in plain else None


def spread(ids: list[str], wanted: int) -> np.ndarray:
    """Choose at most `wanted` samples, spread evenly over the table, one of each id: its middle.

    Returns:
        ascending places in the table.
    """
    places: dict[str, list[int]] = {}
    for place, id in enumerate(ids):
        places.setdefault(id, []).append(place)
    middle = [same_id[len(same_id) // 2] for same_id in places.values()]
    at = np.linspace(0, len(middle) - 1, min(wanted, len(middle))).round().astype(int)
    return np.sort(np.array(middle)[at])


def most_even(predictions: pa.Table, task: str) -> int:
    """Return the attribute whose validation labels are closest to half ones."""
    labels = matrix(_of(predictions, None, "val")["labels"], task)
    return int(np.abs(labels.mean(axis=0) - 0.5).argmin())


def errors(
    predictions: pa.Table, run: str, task: grid.Task, temperature: float, wanted: int
) -> list[dict[str, Any]]:
    """Return the most confident errors of a run on the test split, one of each id.

    An error of an image or frame is a wrong class, or a wrong attribute: its most confident one.
    Scores that are not finite are no confident errors.

    Args:
        temperature: divides the logits (`metrics.temperature`).

    Returns:
        see `_described`; by falling probability.
    """
    test_rows = _of(predictions, run, "test")
    decisions = _decided(test_rows, task, temperature)
    height = np.where(decisions.wrong & np.isfinite(decisions.sure), decisions.sure, -1.0)
    column = height.argmax(axis=1)
    top = height[np.arange(len(column)), column]
    by_id: dict[str, dict[str, Any]] = {}
    for place in np.argsort(-top, kind="stable").tolist():
        if top[place] < 0 or len(by_id) == wanted:
            break
        if (id := test_rows["id"][place].as_py()) not in by_id:
            by_id[id] = _described(test_rows, task, decisions, place, int(column[place]))
    return list(by_id.values())


def shown(
    predictions: pa.Table,
    run: str,
    task: grid.Task,
    temperature: float,
    wanted: list[tuple],
    attribute: int,
) -> list[dict[str, Any]]:
    """Return a run's decisions on samples of the test split, by KEY, right or wrong.

    Args:
        attribute: which one, of a multilabel task; 0 otherwise.

    Returns:
        see `_described`.
    """
    test_rows = _of(predictions, run, "test")
    decisions = _decided(test_rows, task, temperature)
    at = places(test_rows)
    return [_described(test_rows, task, decisions, at[key], attribute) for key in wanted]


def places(table: pa.Table) -> dict[tuple, int]:
    """Return the place of each sample in a table, by KEY."""
    columns = zip(*(table[name].to_pylist() for name in KEY), strict=True)
    return {key: place for place, key in enumerate(columns)}


class _Decisions(NamedTuple):
    """What a run decided, a column for each decision about a sample."""

    chosen: np.ndarray  # (N, A) class or label
    labels: np.ndarray  # (N, A)
    target: np.ndarray  # (N, A) number of the logit
    sure: np.ndarray  # (N, A) probability of what was chosen, after division by the temperature
    raw: np.ndarray  # (N, A) without it

    @property
    def wrong(self) -> np.ndarray:
        return self.chosen != self.labels


def _decided(rows: pa.Table, task: grid.Task, temperature: float) -> _Decisions:
    labels, logits = matrix(rows["labels"], task.name), matrix(rows["logits"], task.name)
    scaled, plain = (metrics.probabilities(task.kind, logits / t) for t in (temperature, 1.0))
    if task.kind == "multiclass":
        chosen = plain.argmax(axis=1)[:, None]
        sure, raw = (
            np.take_along_axis(probabilities, chosen, axis=1) for probabilities in (scaled, plain)
        )
        return _Decisions(chosen, labels, chosen, sure, raw)
    chosen = (plain >= 0.5).astype(int)
    target = np.broadcast_to(np.arange(logits.shape[1]), chosen.shape)
    sure, raw = (
        np.where(chosen == 1, probabilities, 1 - probabilities) for probabilities in (scaled, plain)
    )
    return _Decisions(chosen, labels, target, sure, raw)


def _described(
    rows: pa.Table, task: grid.Task, decisions: _Decisions, place: int, column: int
) -> dict[str, Any]:
    """Describe one decision.

    Returns:
        `id`, `frame`, `clip`, `subset`; `target`, the number of the logit; `label` and
        `predicted` in words; `right`; `probability` of what was predicted, after division by the
        temperature, and `raw` without it, None where they are not finite.
    """
    kept = {name: rows[name][place].as_py() for name in (*KEY, "subset")}
    at = place, column
    target = int(decisions.target[at])
    return kept | dict(
        target=target,
        label=say(task, target, int(decisions.labels[at])),
        predicted=say(task, target, int(decisions.chosen[at])),
        right=not decisions.wrong[at],
        probability=float(decisions.sure[at]) if np.isfinite(decisions.sure[at]) else None,
        raw=float(decisions.raw[at]) if np.isfinite(decisions.raw[at]) else None,
    )


def say(task: grid.Task, target: int, value: int) -> str:
    """Name a label: a class, or an attribute with yes or no."""
    if task.kind != "multilabel":
        return task.classes[value]
    return f"{task.classes[target]}: {'yes' if value else 'no'}"


def _of(predictions: pa.Table, run: str | None, split: str) -> pa.Table:
    run = run or predictions["run"][0].as_py()
    where = pc.and_(pc.equal(predictions["run"], run), pc.equal(predictions["split"], split))
    return predictions.filter(where)
