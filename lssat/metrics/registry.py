"""The metrics: one record each, and nothing elsewhere lists them (docs/add-a-metric.md).

A task asks yes-no questions of a sample: one of a binary task, one of each attribute, one of each
class against the rest. A metric has a value for each question (the task's is their mean), or one
for all of them.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from lssat.metrics import ranked
from lssat.metrics.decided import share

BINARY, MULTILABEL, MULTICLASS = KINDS = ("binary", "multilabel", "multiclass")


class Use(NamedTuple):
    """What a kind of task does with a metric."""

    place: int | None = None  # in its tables, the default headline first; None: in none of them
    headline: bool = False  # a task of one's own may choose it
    beside: bool = False  # printed beside the headline
    groups: bool = False  # measured in the groups of a slice


class Blind(NamedTuple):
    """What is known without looking at the input."""

    classes: int
    right: float  # share of the labels that the constant best on the training labels gets right
    shares: np.ndarray  # of positives, of each question that has both answers


class Metric(NamedTuple):
    """What a metric is.

    Args:
        name: in files, `train.select_metric` and the columns of tables.
        words: as the report prints it.
        uses: kind of task -> what it does with it.
        value: from `decided.Counts`, or from `ranked.Ranking` where it rests on the order of
            scores: (b, questions) or (b,) for b weightings of the samples, nan where undefined.
        influence: the derivative of `value` by each sample's weight, weights all one, from
            `decided.Decisions`: (N, questions) or (N,); from `ranked.Thresholds`: of a positive
            and of a negative at each of its scores. None where the metric jumps.
        trivial: what it is without looking at the input.
        by_order: whether it rests on the order of scores, not on decisions.
        direction: 1 where more is better, -1 where less is, 0 where neither.
        needs: classes without which it is undefined; None for every class.
        of_class: whether each class of a multiclass task gets one, against the rest.
        negatives: samples of class 0 that its interval takes.
    """

    name: str
    words: str
    uses: dict[str, Use]
    value: Callable[[Any], np.ndarray]
    influence: Callable[[Any], Any] | None = None
    trivial: Callable[[Blind], float] | None = None
    by_order: bool = False
    direction: int = 1
    needs: tuple[int, ...] | None = None
    of_class: bool = False
    negatives: int = 0


_RECORDS = (
    Metric(
        name="top1",
        words="top-1 accuracy",
        uses={MULTICLASS: Use(1, headline=True)},
        value=lambda counts: counts.top1,
        influence=lambda answers: answers.top1,
        trivial=lambda blind: blind.right,
        needs=(),
    ),
    Metric(
        name="accuracy",
        words="accuracy",
        uses={
            BINARY: Use(5, headline=True, beside=True, groups=True),
            MULTILABEL: Use(2, headline=True, beside=True, groups=True),
        },
        value=lambda counts: (counts.hits + counts.refused) / counts.total,
        influence=lambda answers: share(answers.right, np.ones_like(answers.right)),
        trivial=lambda blind: blind.right,
        needs=(),
    ),
    Metric(  # 1 - 2 (1 - top1) / K: never to be read as accuracy
        name="mean_ovr_accuracy",
        words="one-vs-rest accuracy",
        uses={MULTICLASS: Use(4, beside=True)},
        value=lambda counts: 1 - 2 * (1 - counts.top1) / counts.questions,
        influence=lambda answers: 2 * answers.top1 / answers.questions,
        trivial=lambda blind: 1 - 2 * (1 - blind.right) / blind.classes,
        needs=(),
    ),
    Metric(
        name="recall",
        words="recall",
        uses={},
        value=lambda counts: counts.recall,
        influence=lambda answers: answers.recall,
        trivial=lambda blind: 1 / blind.classes,
        of_class=True,
    ),
    Metric(
        name="balanced_accuracy",
        words="balanced accuracy",
        uses={
            BINARY: Use(6, headline=True, groups=True),
            MULTILABEL: Use(1, headline=True),
            MULTICLASS: Use(3, headline=True, beside=True, groups=True),
        },
        value=lambda counts: counts.balanced,
        influence=lambda answers: answers.balanced,
        trivial=lambda blind: 1 / blind.classes,
    ),
    Metric(
        name="precision",
        words="precision",
        uses={},
        value=lambda counts: counts.hits / counts.said,
        influence=lambda answers: share(answers.hit, answers.said),
        trivial=lambda blind: float(blind.shares.mean()),
        of_class=True,
    ),
    Metric(
        name="f1",
        words="F1",
        uses={MULTILABEL: Use(3, headline=True)},
        value=lambda counts: counts.f1,
        influence=lambda answers: answers.f1,
        trivial=lambda blind: float(np.mean(2 * blind.shares / (1 + blind.shares))),
        of_class=True,
    ),
    Metric(  # the best constant names one class, the others have an F1 of 0
        name="macro_f1",
        words="macro F1",
        uses={MULTICLASS: Use(2, headline=True, beside=True)},
        value=lambda counts: counts.f1,
        influence=lambda answers: answers.f1,
        trivial=lambda blind: 2 * blind.right / (1 + blind.right) / blind.classes,
    ),
    Metric(
        name="auc",
        words="AUC",
        uses={
            BINARY: Use(1, headline=True),
            MULTILABEL: Use(4, headline=True),
            MULTICLASS: Use(5),
        },
        value=ranked.auc,
        influence=ranked.auc_moved,
        trivial=lambda blind: 0.5,
        by_order=True,
        of_class=True,
    ),
    Metric(
        name="ap",
        words="AP",
        uses={BINARY: Use(3, headline=True), MULTILABEL: Use(5, headline=True)},
        value=ranked.ap,
        influence=ranked.ap_moved,
        trivial=lambda blind: float(blind.shares.mean()),
        by_order=True,
    ),
    Metric(
        name="eer",
        words="EER",
        uses={BINARY: Use(2)},
        value=ranked.eer,
        trivial=lambda blind: 0.5,
        by_order=True,
        direction=-1,
    ),
    Metric(
        name="tpr_at_fpr01",
        words="tpr at fpr01",
        uses={BINARY: Use(4)},
        value=ranked.tpr_at_fpr01,
        trivial=lambda blind: 0.01,
        by_order=True,
        negatives=1000,
    ),
    Metric(  # a group that is selected more often is neither served better nor worse by that
        name="selection_rate",
        words="selection rate",
        uses={BINARY: Use(groups=True)},
        value=lambda counts: counts.said / counts.total,
        influence=lambda answers: share(answers.said, np.ones_like(answers.said)),
        direction=0,
        needs=(),
    ),
    Metric(
        name="true_positive_rate",
        words="true positive rate",
        uses={BINARY: Use(groups=True)},
        value=lambda counts: counts.recall,
        influence=lambda answers: answers.recall,
        needs=(1,),
    ),
    Metric(
        name="false_positive_rate",
        words="false positive rate",
        uses={BINARY: Use(groups=True)},
        value=lambda counts: (counts.said - counts.hits) / counts.negative,
        influence=lambda answers: share((1 - answers.truth) * answers.said, 1 - answers.truth),
        direction=-1,
        needs=(0,),
    ),
)
METRICS = {record.name: record for record in _RECORDS}


def _of_kind(kind: str, wanted: Callable[[Use], object]) -> tuple[str, ...]:
    uses = {name: record.uses[kind] for name, record in METRICS.items() if kind in record.uses}
    names = [name for name, use in uses.items() if wanted(use)]
    return tuple(sorted(names, key=lambda name: uses[name].place or len(METRICS)))


# Each by kind of task. EACH: those of each attribute, or of each class against the rest.
NAMES = {kind: _of_kind(kind, lambda use: use.place) for kind in KINDS}
HEADLINES = {kind: _of_kind(kind, lambda use: use.headline) for kind in KINDS}
BESIDE = {kind: _of_kind(kind, lambda use: use.beside) for kind in KINDS}
GROUPS = {kind: _of_kind(kind, lambda use: use.groups) for kind in KINDS}
EACH = {
    MULTILABEL: NAMES[MULTILABEL],
    MULTICLASS: tuple(name for name, record in METRICS.items() if record.of_class),
}
LOWER_IS_BETTER = tuple(name for name, record in METRICS.items() if record.direction < 0)
JUMPS = tuple(name for name, record in METRICS.items() if record.influence is None)
