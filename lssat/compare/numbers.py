"""What is said of two runs: tests of their difference, where they differ, how they were made.

Every formula is that of the evaluation: `scores.compare`, `statistics`, `metrics`.
"""

import json
from collections.abc import Iterator
from typing import Any

import numpy as np

from lssat import grid, metrics, statistics
from lssat.compare.read import Arm
from lssat.params import Evaluate
from lssat.scores import cells
from lssat.scores.compare import pair, plain
from lssat.scores.levels import Level
from lssat.scores.scored import Scored
from lssat.tables import dotted

MOST = 20  # disagreements that are listed


def compare(a: Arm, b: Arm, levels: list[Level], counts: dict[str, int]) -> dict[str, Any]:
    """Compare two runs.

    Args:
        levels, counts: what `together` returns.

    Returns:
        plain values that are valid JSON: `test` (the headline metric, as a row of `comparisons`
        in metrics.json), `metrics` of both at each level, `agreement` (counts of samples, or of
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
        "resamples": options.resamples,
        "a": _about(a),
        "b": _about(b),
        "samples": counts | {"n": {level.name: len(level.labels) for level in levels}},
        "test": _test(a, b, head, facts["metric"], options, measured[head.name]),
        "metrics": list(_metrics(measured, facts["kind"])),
        "agreement": list(_agreement(a, b, head, facts["classes"])),
        "subsets": list(_subsets(a, b, head, facts, options)),
        "disagreements": _disagreements(a, b, head, facts["classes"]),
        "differences": differences(a.record, b.record),
    }


def _about(arm: Arm) -> dict[str, Any]:
    known = {name: arm.record[name] for name in ("run", "backbone", "configuration", "seed")}
    known |= {"folder": str(arm.folder), "weights_sha256": arm.record["weights_sha256"]}
    (told,) = [each for each in arm.metrics["runs"] if each["run"] == arm.run]
    return known | {"collapsed": told["notes"]["collapsed"] if told["collapsed"] else None}


def _test(
    a: Arm, b: Arm, level: Level, metric: str, options: Evaluate, measured: list[dict]
) -> dict[str, Any] | None:
    """Test the difference as `scores.compare` does; None where a score is not finite."""
    strata = None if level.kind == "multilabel" else level.labels
    drawn = statistics.draw(level.groups, options.resamples, options.seed, strata)
    values = {run: found[metric] for run, found in cells.resample(level, drawn).items()}
    if len(values) < 2:
        return None
    rows = [Scored(x.record["backbone"], _slug(x), [x.name]) for x in (a, b)]
    means = {x.name: found[metric] for x, found in zip((a, b), measured, strict=True)}
    one, two = rows
    return plain(pair(one, two, level, metric, values, means, options))


def _slug(arm: Arm) -> str:
    return grid.Run.of(arm.run).configuration


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
            yield dict(by="class", name=name, **_counts(*(each[:, number] for each in right)))
        else:
            mask = level.labels == number
            yield dict(by="class", name=name, **_counts(*(each[mask] for each in right)))
    for name in sorted(set(level.subsets) - {""}):
        mask = level.subsets == name
        yield dict(by="subset", name=str(name), **_counts(*(each[mask] for each in right)))


def _counts(a: np.ndarray, b: np.ndarray) -> dict[str, int]:
    both, one, two = (a & b).sum(), (a & ~b).sum(), (~a & b).sum()
    counted = dict(both=both, only_a=one, only_b=two, neither=(~a & ~b).sum())
    return {"n": a.size} | {name: int(count) for name, count in counted.items()}


def _subsets(
    a: Arm, b: Arm, level: Level, facts: dict, options: Evaluate
) -> Iterator[dict[str, Any]]:
    """Yield the AUC of each method against all reals, or the score of each class or attribute.

    The difference of the AUCs has its paired interval, from the draws of all samples.
    """
    if level.kind != "binary":
        yield from _each(a, b, level, facts["classes"])
        return
    drawn = statistics.draw(level.groups, options.resamples, options.seed, level.labels)
    for subset in sorted(set(level.subsets[level.labels == 1])):
        mask = (level.labels == 0) | (level.subsets == subset)
        scores = {run: found[mask] for run, found in level.scores.items()}
        part = level._replace(labels=level.labels[mask], scores=scores)
        values = cells.resample(part, drawn.of(mask))
        found = [metrics.binary(part.labels, scores[x.name])["auc"] for x in (a, b)]
        row = dict(name=str(subset), metric="auc", n=int(mask.sum()), **_gap(*found))
        yield row | _interval([values.get(x.name, {}).get("auc") for x in (a, b)], options)


def _interval(values: list[np.ndarray | None], options: Evaluate) -> dict[str, float | None]:
    one, two = values
    if one is None or two is None:
        return dict(low=None, high=None)
    given = options.confidence, options.seed
    found, _ = statistics.difference(one[None], two[None], *given)
    return dict(low=found.low, high=found.high)


def _each(a: Arm, b: Arm, level: Level, classes: list[str]) -> Iterator[dict[str, Any]]:
    """Yield recall of each class, or balanced accuracy of each attribute."""
    found = []
    for arm in (a, b):
        scores = level.scores[arm.name]
        if level.kind == "multilabel":
            each = metrics.multilabel(level.labels, scores)["each"]
            found.append(each["balanced_accuracy"])
        else:
            right = metrics.predicted(level.kind, scores) == level.labels
            masks = [level.labels == number for number in range(len(classes))]
            found.append([float(right[mask].mean()) if mask.any() else None for mask in masks])
    multilabel = level.kind == "multilabel"
    sizes = [len(level.labels) if multilabel else int((level.labels == number).sum())
             for number in range(len(classes))]  # fmt: skip
    metric = "balanced_accuracy" if multilabel else "recall"
    for number, name in enumerate(classes):
        gap = _gap(found[0][number], found[1][number])
        yield dict(name=name, metric=metric, n=sizes[number], **gap, low=None, high=None)


def _disagreements(a: Arm, b: Arm, level: Level, classes: list[str]) -> list[dict[str, Any]]:
    """List the samples whose scores are farthest apart.

    Of a binary task the probability of the positive class, of a multiclass one that of the true
    class, of a multilabel one that of the attribute on which they are farthest apart.
    """
    columns = _columns(level, [level.scores[x.name] for x in (a, b)])
    (one, two), which = columns
    gap = np.nan_to_num(np.abs(one - two))
    order = np.argsort(-gap, kind="stable")[:MOST]
    labels = (
        level.labels if level.kind != "multilabel" else level.labels[np.arange(len(which)), which]
    )
    return [
        dict(
            id=level.ids[at],
            about=classes[int(which[at])],
            label=int(labels[at]),
            truth=_truth(level.kind, classes, int(labels[at]), int(which[at])),
            subset=str(level.subsets[at]),
            group=level.groups[at],
            a=_number(one[at]),
            b=_number(two[at]),
            difference=_number(one[at] - two[at]),
        )
        for at in order
    ]


def _truth(kind: str, classes: list[str], label: int, which: int) -> str:
    if kind == "multilabel":
        return classes[which] if label else f"not {classes[which]}"
    return classes[label]


def _columns(
    level: Level, scores: list[np.ndarray]
) -> tuple[tuple[np.ndarray, np.ndarray], np.ndarray]:
    """Return one score a sample of both runs (N,), and the class or attribute that it is of."""
    one, two = scores
    if level.kind == "binary":
        return (one, two), np.ones(len(one), dtype=int)
    if level.kind == "multiclass":
        which = level.labels
    else:
        which = np.nan_to_num(np.abs(one - two)).argmax(axis=1)
    rows = np.arange(len(which))
    return (one[rows, which], two[rows, which]), which


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def differences(a: dict[str, Any], b: dict[str, Any]) -> list[dict[str, str]]:
    """List what two records say differently: parameters, versions, revision, data, device."""
    sections = ("params", "environment", "git", "data", "crops", "weights")
    one, two = ({name: record.get(name) for name in sections} for record in (a, b))
    for name in ("backbone", "configuration", "seed", "device", "devices", "best_epoch"):
        one[name], two[name] = a.get(name), b.get(name)
    first, second = dotted(one), dotted(two)
    return [
        dict(key=key, a=_text(first.get(key)), b=_text(second.get(key)))
        for key in dict.fromkeys([*first, *second])
        if first.get(key) != second.get(key)
    ]


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
