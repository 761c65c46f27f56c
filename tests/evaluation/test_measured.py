"""What the tables know of a run: intervals of clusters of any make-up, and where there is none."""

import numpy as np
import pytest

from lssat import metrics
from lssat.evaluation.scores import measured
from lssat.evaluation.scores.levels import Level
from lssat.evaluation.scores.run_group import by_seed
from lssat.params import Evaluate

OPTIONS = Evaluate(resamples=200, confidence=0.95, seed=0, batch_size=1)
RUN = "affectnet/vit_micro/none-none-CRGB/seed0"


def classes(rng: np.random.Generator, people: int, images: int, of: int = 8) -> Level:
    """People with images of random classes, which a person's face makes easy or hard."""
    n = people * images
    groups = np.repeat(np.arange(people), images)
    labels = rng.integers(of, size=n)
    easy = rng.normal(size=people)[groups]
    logits = rng.normal(size=(n, of)) + (1.5 + easy)[:, None] * metrics.one_hot(labels, of)
    scores = metrics.probabilities("multiclass", logits)
    return Level("image", "multiclass", [f"{i}" for i in range(n)], labels,
                 [f"{g}" for g in groups], np.full(n, ""), {RUN: scores})  # fmt: skip


def interval(level: Level, metric: str, column: int | None = None) -> measured.Span:
    found = measured.measured(level, OPTIONS, each=True)
    (span,) = measured.intervals(by_seed([*level.scores]), found, metric, OPTIONS, column).values()
    return span


@pytest.mark.parametrize("metric", ["top1", "macro_f1"])
def test_fault_c16_every_cluster_varies_whatever_classes_it_holds(metric: str) -> None:
    """60 identities x 6 images, 8 classes: strata of label sets froze 72 % of the clusters."""
    rng = np.random.default_rng(0)
    large = classes(rng, 8000, 6)
    truth = metrics.measure("multiclass", large.labels, large.scores[RUN])[metric]
    spans = [interval(classes(rng, 60, 6), metric) for _ in range(120)]
    covered = np.mean([span.low <= truth <= span.high for span in spans])
    assert 0.9 <= covered <= 0.99  # 95 in a long run


def test_fault_c16_a_class_in_one_cluster_has_no_interval_and_one_in_few_says_so() -> None:
    level = classes(np.random.default_rng(1), 40, 6)
    level.labels[:] = np.arange(240) % 7
    level.labels[:6] = 7  # one person's
    span = interval(level, "balanced_accuracy")
    assert span == (None, None, "no interval: a class stands in a single cluster", None)
    assert interval(level, "each/recall", 7).low is None
    assert interval(level, "top1").note is None  # rests on no class
    level.labels[[6 * person for person in range(1, 7)]] = 7
    few, many = interval(level, "balanced_accuracy"), interval(level, "each/recall", 0)
    assert few.note == "a class stands in only 7 clusters"
    assert many.note is None


def test_fault_c17_rates_at_1_percent_need_a_thousand_negatives() -> None:
    rng = np.random.default_rng(2)
    for negatives, known in ((140, False), (1000, True)):
        labels = np.arange(2 * negatives) % 2
        logits = labels + rng.normal(size=len(labels))
        scores = metrics.probabilities("binary", logits[:, None])[:, 0]
        run = "ffpp/vit_micro/none-none-CRGB/seed0"
        names = [f"{i}" for i in range(len(labels))]
        level = Level(
            "video", "binary", names, labels, names, np.full(len(labels), ""), {run: scores}
        )
        span = interval(level, "tpr_at_fpr01")
        assert (span.low is not None) == known
        assert known or span.note.endswith(
            "140 negatives; a rate at 1 % false positives needs 1,000"
        )
        assert interval(level, "eer").low is not None


def test_fault_c7_an_interval_that_says_nothing_is_not_printed_as_one() -> None:
    """Two seeds that are far apart, and no other row to learn from."""
    rng = np.random.default_rng(3)
    level = classes(rng, 30, 2)
    worse = np.roll(level.scores[RUN], 3, axis=1)
    level = level._replace(scores={RUN: level.scores[RUN], RUN[:-1] + "1": worse})
    span = interval(level, "top1")
    assert span.low is span.high is span.surely is None
    assert span.note.startswith("no interval: 2 seeds on 30 clusters are too few, it would reach")


def test_all_samples_in_one_cluster_have_no_interval() -> None:
    level = classes(np.random.default_rng(4), 1, 40)
    assert interval(level, "top1").note == "no interval: all samples are one cluster"


@pytest.mark.slow
def test_rows_beat_a_baseline_only_together() -> None:
    """Bonferroni: of 20 rows without skill, in at most 5 % of worlds any is said to beat it."""
    rng, wrong = np.random.default_rng(5), 0
    runs = [f"affectnet/vit_micro/none-none-CRGB-lambda{k / 100:g}/seed0" for k in range(1, 21)]
    for _ in range(60):
        level = classes(rng, 50, 2)
        blind = {run: rng.dirichlet(np.ones(8), 100) for run in runs}
        found = measured.measured(level._replace(scores=blind), OPTIONS)
        spans = measured.intervals(by_seed(runs), found, "top1", OPTIONS)
        wrong += any(span.surely[0] > 1 / 8 for span in spans.values())
    assert wrong <= 7


def test_what_surely_holds_is_corrected_for_all_that_stands_beside_it() -> None:
    """One row of 40 attributes is 40 tests, as 40 rows of one are."""
    level = classes(np.random.default_rng(6), 50, 2)
    for beside in (1, 8, 40):
        alone = OPTIONS.model_copy(update={"confidence": 1 - 2 * 0.05 / beside})
        found = measured.measured(level, OPTIONS)
        (span,) = measured.intervals(by_seed([RUN]), found, "top1", OPTIONS, beside=beside).values()
        (own,) = measured.intervals(by_seed([RUN]), found, "top1", alone).values()
        assert span.surely == (own.low, own.high)
