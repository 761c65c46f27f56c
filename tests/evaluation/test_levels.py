"""Levels: scores are computed from the table's own logits, in the order of ids."""

import numpy as np
import pyarrow as pa

from lssat import metrics, tables
from lssat.evaluation.scores import levels

RUNS = ("celeba/vit_micro/none-none-CRGB/seed0", "celeba/vit_micro/none-none-CRGB/seed1")


def predictions(n: int = 6) -> pa.Table:
    rng, rows = np.random.default_rng(0), []
    for run in RUNS:
        for k in range(n):
            known = dict(run=run, id=f"{k:03d}", frame=0, clip=-1, group=f"{k // 2}", subset="")
            values = dict(labels=[k % 2, 1], logits=rng.normal(size=2).tolist())
            rows.append(known | values | dict(level="image", split="test"))
    return pa.Table.from_pylist(rows, schema=tables.PREDICTIONS)


def test_scores_are_those_of_the_logits_in_whatever_order_rows_stand() -> None:
    table = predictions()
    shuffled = table.take(np.random.default_rng(1).permutation(len(table)))
    for each in (table, shuffled):
        ((level,),) = levels.levels(each, "celeba", "multilabel")
        assert set(level.scores) == set(RUNS)
        assert len(level.scores) == 2
        for number, run in enumerate(RUNS):
            logits = np.array(table["logits"].to_pylist()[6 * number : 6 * number + 6], np.float32)
            expected = metrics.probabilities("multilabel", logits)
            assert np.array_equal(level.scores[run], expected)


def test_logits_that_stand_in_order_are_not_copied() -> None:
    table = predictions()
    ((level,),) = levels.levels(table, "celeba", "multilabel")
    whole = table["logits"].chunk(0).values.to_numpy()
    kept = level.scores.given.values()
    assert all(np.shares_memory(whole, logits) for logits in kept)
