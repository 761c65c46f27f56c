"""The comparison of two runs: tests of their difference, where they differ, how they were made.

Every formula is that of the evaluation: `scores.measured`, `statistics`, `metrics`. The two are
taken as they were trained: nothing here speaks of other trainings.
"""

import json
from collections.abc import Iterator
from typing import Any

import numpy as np

from lssat import grid, metrics
from lssat.evaluation.scores import measured as core
from lssat.evaluation.scores.comparisons import UNKNOWN, effect, plain
from lssat.evaluation.scores.levels import Level
from lssat.evaluation.scores.measured import Measured
from lssat.evaluation.scores.run_group import Scored
from lssat.metrics import statistics
from lssat.params import Evaluate
from lssat.tables import Metrics, Record, dotted
from lssat.use.compare.runs import Arm, calibrated

MOST = 20  # disagreements that are listed
_RIGHT = {
    (True, False): "only A", (False, True): "only B", (True, True): "both", (False, False): "none"
}  # fmt: skip
_OWN_TEST = {"auc": "p_delong", "top1": "p_mcnemar"}  # the classical test of a headline metric


def compare(a: Arm, b: Arm, levels: list[Level], counts: dict[str, int]) -> dict[str, Any]:
    """Compare two runs.

    Args:
        levels, counts: what `together` returns.

    Returns:
        plain values that are valid JSON: `test` (the headline metric: difference, interval and
        p, with DeLong's and McNemar's; `shown`: whether p and the classical test of this metric
        both are below 0.05), `metrics` of both at each level, `agreement` (counts of samples, or of
        attributes, that both, one or none got right), `subsets`, `disagreements`, `differences`
        of their records.
    """
    head, facts = levels[-1], a.metrics
    options = Evaluate(
        resamples=facts["resamples"], confidence=facts["confidence"], seed=0, batch_size=1
    )
    measured = {
        level.name: [
            metrics.measure(level.kind, level.labels, level.scores[x.name]) for x in (a, b)
        ]
        for level in levels
    }
    return {
        **{name: facts[name] for name in ("task", "dataset", "title", "kind", "metric")},
        "level": head.name,
        "confidence": options.confidence,
        "a": _about(a),
        "b": _about(b),
        "samples": counts | {"n": {level.name: len(level.labels) for level in levels}},
        "test": _test(a, b, head, facts["metric"], options),
        "metrics": list(_metrics(measured, facts["kind"])),
        "agreement": list(_agreement(a, b, head, facts["classes"])),
        "subsets": list(_subsets(a, b, head, facts, options)),
        "disagreements": _disagreements(a, b, head, facts["classes"]),
        "differences": differences(a.record, b.record),
    }


def _about(arm: Arm) -> dict[str, Any]:
    known = {name: arm.record[name] for name in ("run", "backbone", "configuration", "seed")}
    known |= {"folder": str(arm.folder), "weights_sha256": arm.record["weights_sha256"]}
    (own,) = [run for run in arm.metrics["runs"] if run["run"] == arm.run]
    return known | {"collapsed": own["notes"]["collapsed"] if own["collapsed"] else None}


def _test(a: Arm, b: Arm, level: Level, metric: str, options: Evaluate) -> dict[str, Any] | None:
    """Test the difference of the headline metric; None where a score is not finite."""
    measured = core.measured(level, options, names=[metric])
    if len(measured.values) < 2:
        return None
    one, two = (measured.values[x.name][metric] for x in (a, b))
    row: dict[str, Any] = {
        x.letter.lower(): _scored(x).labels | {"seeds": _scored(x).seeds} for x in (a, b)
    }
    row |= dict(level=level.name, metric=metric, n=len(level.labels), groups=measured.clusters)
    row |= {"difference": None, "effect": None}
    if one is not None and two is not None:
        row |= {"difference": one - two, "effect": effect(metric, one, two)}
    row = plain(row | _paired(a, b, measured, metric, options) | _classical(a, b, level))
    tests = [row["p"], *([row[_OWN_TEST[metric]]] if metric in _OWN_TEST else [])]
    return row | {"shown": all(p is not None and p < 0.05 for p in tests)}


def _scored(arm: Arm) -> Scored:
    return Scored(arm.record["backbone"], grid.Run.of(arm.run).configuration, [arm.name])


def _paired(
    a: Arm, b: Arm, measured: Measured, metric: str, options: Evaluate, column: int | None = None
) -> dict[str, Any]:
    """Return interval, p and note of a - b, over other test sets; None where undefined."""
    reason, note, clusters = core.trust(measured, metric, column)
    rows = [core.cells(_scored(x), measured, metric, column) for x in (a, b)]
    nothing = dict(low=None, high=None, p=None)
    if reason or None in rows:
        return nothing | {"note": reason}
    alone = [{0: cell} for row in rows if row for cell in row.values()]
    (pair,) = core.infer(alone, clusters, options, [(0, 1)]).pairs
    if np.isnan(pair.low):
        return nothing | {"p": _number(pair.p), "note": UNKNOWN}
    return dict(low=pair.low, high=pair.high, p=pair.p, note=note)


def _classical(a: Arm, b: Arm, level: Level) -> dict[str, float | None]:
    """Return the p-values of DeLong's test of AUCs and of McNemar's of right answers."""
    one, two = (level.scores[x.name] for x in (a, b))
    if level.kind == "multilabel":
        return dict(p_delong=None, p_mcnemar=None)
    right = [metrics.predicted(level.kind, scores) == level.labels for scores in (one, two)]
    p_values: dict[str, float | None] = dict(p_delong=None)
    if level.kind == "binary":
        p_values["p_delong"] = statistics.compare_aucs(level.labels, one, two, level.groups).p
    p_values["p_mcnemar"] = statistics.clustered_mcnemar(right[0], right[1], level.groups)
    return p_values


def _metrics(measured: dict[str, list[dict]], kind: str) -> Iterator[dict[str, Any]]:
    for level, (one, two) in measured.items():
        for name in metrics.NAMES[kind]:
            yield dict(level=level, metric=name, **_gap(one[name], two[name]))


def _gap(a: float | None, b: float | None) -> dict[str, float | None]:
    return dict(a=a, b=b, difference=None if a is None or b is None else a - b)


def _agreement(a: Arm, b: Arm, level: Level, classes: list[str]) -> Iterator[dict[str, Any]]:
    """Count what both got right, only a, only b, and neither: all, by class, by subset.

    Of a multilabel task decisions on attributes are counted, and classes are attributes.
    """
    right = [metrics.predicted(level.kind, level.scores[x.name]) == level.labels for x in (a, b)]
    yield dict(by="all", name="all", **_counts(*right))
    for number, name in enumerate(classes):
        if level.kind == "multilabel":
            yield dict(by="class", name=name, **_counts(*(answers[:, number] for answers in right)))
        else:
            mask = level.labels == number
            yield dict(by="class", name=name, **_counts(*(answers[mask] for answers in right)))
    for name in sorted(set(level.subsets) - {""}):
        mask = level.subsets == name
        yield dict(by="subset", name=str(name), **_counts(*(answers[mask] for answers in right)))


def _counts(a: np.ndarray, b: np.ndarray) -> dict[str, int]:
    both, one, two = (a & b).sum(), (a & ~b).sum(), (~a & b).sum()
    counted = dict(both=both, only_a=one, only_b=two, neither=(~a & ~b).sum())
    return {"n": a.size} | {name: int(count) for name, count in counted.items()}


def _subsets(
    a: Arm, b: Arm, level: Level, facts: Metrics, options: Evaluate
) -> Iterator[dict[str, Any]]:
    """Yield the AUC of each method against all reals, or the score of each class or attribute.

    Each difference has its paired interval.
    """
    if level.kind != "binary":
        yield from _each(a, b, level, facts["classes"], options)
        return
    for subset in sorted(set(level.subsets[level.labels == 1])):
        mask = (level.labels == 0) | (level.subsets == subset)
        measured = core.measured(level.part(mask), options, names=["auc"])
        row = _row(a, b, measured, "auc", options)
        yield row | dict(name=str(subset), metric="auc", n=int(mask.sum()))


def _row(
    a: Arm, b: Arm, measured: Measured, metric: str, options: Evaluate, column: int | None = None
) -> dict[str, Any]:
    values = [measured.values.get(x.name, {}).get(metric) for x in (a, b)]
    if column is not None:
        values = [None if value is None else value[column] for value in values]
    paired = _paired(a, b, measured, metric, options, column)
    return _gap(*values) | {name: paired[name] for name in ("low", "high", "note")}


def _each(
    a: Arm, b: Arm, level: Level, classes: list[str], options: Evaluate
) -> Iterator[dict[str, Any]]:
    """Yield recall of each class, or balanced accuracy of each attribute."""
    several = level.kind == "multilabel"
    metric = metrics.EACH[level.kind][0]
    measured = core.measured(level, options, each=True, names=[metric] if several else [])
    for number, name in enumerate(classes):
        n = len(level.labels) if several else int((level.labels == number).sum())
        row = _row(a, b, measured, f"each/{metric}", options, number)
        yield row | dict(name=name, metric=metric, n=n)


def _disagreements(a: Arm, b: Arm, level: Level, classes: list[str]) -> list[dict[str, Any]]:
    """List the samples on which only one run is right, then others, the farthest apart first.

    Scores are calibrated, as those of `lssat predict`: of a binary task the probability of the
    positive class, of a multiclass one that of the true class, of a multilabel one that of one
    attribute. Who is right is what `agreement` counts.
    """
    right = [metrics.predicted(level.kind, level.scores[x.name]) == level.labels for x in (a, b)]
    scores = [calibrated(a, b).scores[x.name] for x in (a, b)]
    (one, two), which = _columns(level, scores, right[0] != right[1])
    rows = np.arange(len(which))
    if level.kind == "multilabel":
        right = [answers[rows, which] for answers in right]
    labels = level.labels[rows, which] if level.kind == "multilabel" else level.labels
    apart = np.nan_to_num(np.abs(one - two)) + (right[0] != right[1])
    return [
        dict(
            id=level.ids[at],
            about=classes[int(which[at])],
            label=int(labels[at]),
            truth=_truth(level.kind, classes, int(labels[at]), int(which[at])),
            right=_RIGHT[bool(right[0][at]), bool(right[1][at])],
            subset=str(level.subsets[at]),
            group=level.groups[at],
            a=_number(one[at]),
            b=_number(two[at]),
            difference=_number(one[at] - two[at]),
        )
        for at in np.argsort(-apart, kind="stable")[:MOST]
    ]


def _truth(kind: str, classes: list[str], label: int, which: int) -> str:
    if kind == "multilabel":
        return classes[which] if label else f"not {classes[which]}"
    return classes[label]


def _columns(
    level: Level, scores: list[np.ndarray], alone: np.ndarray
) -> tuple[tuple[np.ndarray, np.ndarray], np.ndarray]:
    """Return one score a sample of both runs (N,), and the class or attribute that it is of.

    Args:
        alone: where only one of the two is right, (N,), or (N, A) for multilabel.
    """
    one, two = scores
    if level.kind == "binary":
        return (one, two), np.ones(len(one), dtype=int)
    if level.kind == "multiclass":
        which = level.labels
    else:
        which = (np.nan_to_num(np.abs(one - two)) + alone).argmax(axis=1)
    rows = np.arange(len(which))
    return (one[rows, which], two[rows, which]), which


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def differences(a: Record, b: Record) -> list[dict[str, str]]:
    """List the differences of two records: parameters, versions, revision, data, device.

    Of how another program's scores were made nothing is known: then the names alone.
    """
    known = "params" in a and "params" in b
    sections = ("params", "environment", "git", "data", "crops", "weights") if known else ()
    one, two = ({name: record.get(name) for name in sections} for record in (a, b))
    names = ("backbone", "configuration", "seed", "device", "devices", "best_epoch")
    for name in names if known else names[:3]:
        one[name], two[name] = a.get(name), b.get(name)
    first, second = dotted(one), dotted(two)
    return [
        dict(key=key, a=_text(first.get(key)), b=_text(second.get(key)))
        for key in dict.fromkeys([*first, *second])
        if first.get(key) != second.get(key)
    ]


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
