"""The lists `variants` and `gains` of metrics.json: what they hold, and that their tests hold."""

import numpy as np
import pytest
from helpers.scored import signal_rows, summarise

from lssat.evaluation import scores
from lssat.evaluation.scores import measured
from lssat.evaluation.scores import variants as step
from lssat.evaluation.scores.comparisons import Compared
from lssat.evaluation.scores.run_group import Scored
from lssat.metrics import statistics
from lssat.params import Evaluate

AUX, ALONE = "MRGB-RLDP-CRGB", "none-none-CRGB"
SIGNALS = {AUX: 0.4, ALONE: 0.3, f"{AUX}+half": 4.0, f"{ALONE}+half": 0.3, f"{AUX}+more": 0.4}
DESIGN = scores.Design([AUX, ALONE], 0.5)


@pytest.fixture(scope="module")
def found() -> dict:
    return summarise(signal_rows(SIGNALS), design=DESIGN)


def test_each_variant_stands_below_its_base_and_is_held_against_it(found: dict) -> None:
    rows = [(row["configuration"], row["variant"], row["reference"]) for row in found["variants"]]
    assert rows == [
        ("MRGB/RLDP/CRGB", "base", True),
        ("MRGB/RLDP/CRGB", "half", False),
        ("none/none/CRGB", "base", True),
        ("none/none/CRGB", "half", False),
        ("MRGB/RLDP/CRGB", "more", False),
    ]
    base, half, *_ = found["variants"]
    assert base["difference"] is None
    assert half["difference"]["difference"] == pytest.approx(half["mean"] - base["mean"])
    tested = [row["difference"] for row in found["variants"] if row["difference"]]
    wanted = statistics.holm([row["p"] for row in tested])
    assert [row["p_holm"] for row in tested] == pytest.approx(list(wanted))


def test_variants_stay_out_of_comparisons_ranks_and_the_sweep(found: dict) -> None:
    assert len(found["comparisons"]) == 1
    assert len(found["ranks"]) == 2
    assert found["sweep"] == []
    swept = {row["configuration"] for row in found["table"] if row["swept"]}
    assert swept == {"MRGB/RLDP/CRGB+half", "none/none/CRGB+half", "MRGB/RLDP/CRGB+more"}


def test_a_gain_is_the_difference_of_two_differences(found: dict) -> None:
    means = {
        row["configuration"]: row["mean"]
        for row in found["table"]
        if (row["level"], row["metric"]) == (found["level"], found["metric"])
    }
    (gain,) = found["gains"]  # `more` has no supervised row
    own = means["MRGB/RLDP/CRGB+half"] - means["none/none/CRGB+half"]
    base = means["MRGB/RLDP/CRGB"] - means["none/none/CRGB"]
    assert (gain["variant"], gain["supervised"]) == ("half", "none/none/CRGB")
    assert (gain["gain"], gain["base_gain"]) == pytest.approx((own, base))
    assert gain["difference"] == pytest.approx(own - base)
    assert gain["low"] < own - base < gain["high"]
    assert gain["p"] < 0.05


def _world(rng: np.random.Generator, seeds: int, clusters: int, more: float) -> list[dict]:
    """Two backbones, two variants: accuracies of a test set of clusters that all runs share."""
    configurations = [AUX, ALONE, f"{AUX}+a", f"{ALONE}+a", f"{AUX}+b", f"{ALONE}+b"]
    cells, rows = [], []
    for backbone in ("x", "y"):
        hard = rng.normal(0, 0.8, clusters)
        helps = backbone == "x"  # the auxiliary task helps x, variants hurt y: no interaction
        for name in configurations:
            mean = 0.8 + 0.3 * name.startswith("M") * helps - 0.3 * ("+" in name) * (not helps)
            mean += more * (name == f"{AUX}+a")
            row = {}
            for seed in range(seeds):
                logits = mean + hard + rng.normal(0, 0.15) + rng.normal(0, 0.6, clusters)
                right = (rng.random(clusters) < 1 / (1 + np.exp(-logits))).astype(float)
                centred = (right - right.mean()) / np.sqrt(clusters * (clusters - 1))
                row[seed] = (right.mean(), centred)
            cells.append(row)
            rows.append(Scored(backbone, name, [f"t/{backbone}/{name}/seed{s}" for s in row]))
    options = Evaluate(resamples=100, confidence=0.95, seed=0, batch_size=1)
    pairs = measured.infer(cells, clusters, options, [(0, 1)]).pairs
    by_rows = {(pair.a, pair.b): pair for pair in pairs}
    found = Compared(rows, cells, None, "top1", clusters, None, by_rows, options)  # type: ignore[arg-type]
    return step.gains(rows, found)


def _p(row: dict, key: str = "p") -> float:
    return 1.0 if row[key] is None else row[key]


@pytest.mark.slow
@pytest.mark.parametrize("seeds", [2, 4])
def test_gains_that_are_alike_are_seldom_told_apart(seeds: int) -> None:
    """Where the auxiliary task or the variant does nothing, there is no interaction."""
    rng = np.random.default_rng(seeds)
    worlds = [_world(rng, seeds, 200, 0.0) for _ in range(300)]
    rows = [row for world in worlds for row in world if row["low"] is not None]
    assert len(rows) > 1_100
    any_wrong = [min(_p(row, "p_holm") for row in world) < 0.05 for world in worlds]
    assert np.mean([_p(row) < 0.05 for row in rows]) <= 0.065
    assert np.mean(any_wrong) <= 0.065
    assert np.mean([row["low"] <= 0 <= row["high"] for row in rows]) >= 0.935


@pytest.mark.slow
def test_a_large_gain_is_found() -> None:
    rng = np.random.default_rng(9)
    worlds = [_world(rng, 4, 400, 1.2) for _ in range(20)]
    rows = [row for world in worlds for row in world if row["variant"] == "a"]
    assert np.mean([_p(row, "p_holm") < 0.05 for row in rows]) > 0.7
