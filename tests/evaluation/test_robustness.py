"""Robustness: one perturbed crop for all runs, intervals, and what is undefined."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers import ROOT
from helpers.robust import RUNS, data, measure  # noqa: F401  # data is a fixture
from sklearn.metrics import balanced_accuracy_score, roc_auc_score

from lssat import metrics, params, tables, texture
from lssat.evaluation import logits as predict
from lssat.evaluation import perturb
from lssat.evaluation.robustness.rows import CLEAN, RECODED, rows
from lssat.evaluation.robustness.subset import choose
from lssat.evaluation.scores import measured as core
from lssat.evaluation.scores.levels import Level
from lssat.evaluation.scores.run_group import by_seed
from lssat.params import Evaluate
from lssat.training.loader import Crops


@pytest.mark.slow
def test_each_run_is_scored_on_perturbed_crops_and_codes_of_these(
    data: Path, tmp_path: Path
) -> None:
    """The metric at a point, computed by hand: perturb, texture, forward, scikit-learn."""
    found = measure(data, tmp_path)
    assert found["samples"] == {"crop": [24, 24]}
    crops = Crops(data / "splits/test.parquet", data / "faces", data / "texture")
    imgs = crops.batch(np.arange(24)).imgs.movedim(1, -1).numpy()
    keys = perturb.keys_of(*(crops.table[name].to_pylist() for name in ("id", "frame")))
    rows = {row["configuration"]: row for row in found["rows"]}
    for run in RUNS:
        model = predict.load_run(data / "runs" / run.path)
        for name, strength in (("noise", 5), ("blur", 1)):
            made = perturb.perturb(imgs, name, strength, 0, keys)
            codes = torch.from_numpy(texture.codes(made, "ldp"))[:, None]
            logits = predict.classify(model, torch.from_numpy(made).movedim(-1, 1), codes)
            wanted = np.mean(
                [balanced_accuracy_score(crops.labels[:, a], logits[:, a] >= 0) for a in range(3)]
            )
            row = rows[run.configuration.replace("-", "/")]
            point = next(
                p for p in row["points"] if (p["perturbation"], p["strength"]) == (name, strength)
            )
            assert point["values"][run.seed] == pytest.approx(wanted)


def test_clean_is_what_the_evaluation_finds_and_means_are_means(data: Path, tmp_path: Path) -> None:
    found = measure(data, tmp_path)
    crops = Crops(data / "splits/test.parquet", data / "faces", data / "texture")
    for row in found["rows"]:
        assert [row["metric"], row["level"], row["n"]] == ["balanced_accuracy", "image", 24]
        assert row["baseline"] == 0.5
        for path, value in zip(row["runs"], row["clean"]["values"], strict=True):
            logits = predict.logits(predict.load_run(data / "runs" / path), crops, 24)
            again = metrics.evaluate("multilabel", crops.labels, logits)["balanced_accuracy"]
            assert value == pytest.approx(again)
        assert row["clean"]["mean"] == pytest.approx(np.mean(row["clean"]["values"]))
        means = [point["mean"] for point in row["points"]]
        assert len(means) == 4
        assert row["corrupted"]["mean"] == pytest.approx(np.mean(means))
        assert row["corrupted"]["drop"] == pytest.approx(row["clean"]["mean"] - np.mean(means))
        assert [k["mean"] for k in row["kinds"]] == pytest.approx(
            [np.mean(means[:2]), np.mean(means[2:])]
        )
        low, high = row["corrupted"]["low"], row["corrupted"]["high"]
        assert low <= row["corrupted"]["mean"] <= high


@pytest.mark.slow
def test_measuring_again_gives_the_same_bytes_and_first_seeds_the_same_numbers(
    data: Path, tmp_path: Path
) -> None:
    for name in "ab":
        measure(data, tmp_path / name)
    a, b = ((tmp_path / name / "robustness.json").read_bytes() for name in "ab")
    assert a == b
    first = measure(data, tmp_path / "c", seeds="first")
    for row, both in zip(first["rows"], json.loads(a)["rows"], strict=True):
        assert row["seeds"] == [0]
        assert row["clean"]["values"] == both["clean"]["values"][:1]


def test_a_part_of_the_samples_gives_each_of_them_the_same_perturbation(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[dict[bytes, bytes]] = []
    real = perturb.perturb

    def spy(imgs: np.ndarray, *rest: object) -> np.ndarray:
        made = real(imgs, *rest)  # type: ignore[arg-type]
        seen[-1] |= {a.tobytes(): b.tobytes() for a, b in zip(imgs, made, strict=True)}
        return made

    monkeypatch.setattr(perturb, "perturb", spy)
    for samples in (None, 10):
        seen.append({})
        measure(data, tmp_path, samples=samples, perturbations=["noise"], strengths=[3])
    assert (len(seen[0]), len(seen[1])) == (24, 10)
    assert all(seen[0][key] == value for key, value in seen[1].items())


def test_the_part_holds_whole_groups_and_each_kind_in_its_share() -> None:
    groups = [f"g{n // 3}" for n in range(300)]
    labels = np.repeat(np.arange(100) % 4 == 0, 3).astype(int)  # a quarter of the groups
    part = choose(groups, labels, 60, 0)
    assert len(part) == 60
    kept = {groups[at] for at in part}
    assert [at for at, name in enumerate(groups) if name in kept] == part.tolist()
    assert labels[part].sum() == 15
    assert part.tolist() == choose(groups, labels, 60, 0).tolist()
    assert part.tolist() != choose(groups, labels, 60, 1).tolist()
    assert set(part) < set(choose(groups, labels, 120, 0))  # more adds to it
    assert choose(groups, labels, None, 0).tolist() == list(range(300))
    three = np.repeat(np.arange(100) % 3, 3)
    assert np.bincount(three[choose(groups, three, 90, 0)]).tolist() == [30, 30, 30]
    rare = np.zeros(300, dtype=int)
    rare[297:] = 1  # one group alone holds a label: it is always there
    assert rare[choose(groups, rare, 30, 3)].sum() == 3
    assert len(choose(["a"] * 50, None, 10, 0)) == 50


def _level(scores: dict[str, np.ndarray], labels: np.ndarray) -> Level:
    n = len(labels)
    ids = [str(i) for i in range(n)]
    return Level("image", "binary", ids, labels, ids, np.array([""] * n), scores)


def test_retained_and_drop_are_undefined_with_a_reason() -> None:
    labels = np.arange(40) % 2
    rng = np.random.default_rng(0)
    noise = rng.normal(0, 1, 40)  # by which seeds differ
    good, bad = labels + rng.normal(0, 0.5, 40), 1 - labels + rng.normal(0, 0.5, 40)
    scaled = {name: 1 / (1 + np.exp(-x)) for name, x in (("good", good), ("bad", bad))}
    run = "ffpp/vit_micro/none-none-CRGB/seed0"
    options = Evaluate(resamples=100, confidence=0.95, seed=0, batch_size=8)

    def row(clean: np.ndarray, hurt: np.ndarray, seeds: int = 1) -> dict:
        runs = [run.replace("seed0", f"seed{seed}") for seed in range(seeds)]
        (scored,) = by_seed(runs)
        points = {}
        for place, scores in ((CLEAN, clean), (RECODED, hurt), (("blur", 1), hurt)):
            each = {name: scores + 0.05 * k * noise for k, name in enumerate(runs)}
            points[place] = core.measured(_level(each, labels), options)
        (row,) = rows([scored], points, "auc", 0.5, options)
        return row

    fine = row(scaled["good"], scaled["bad"])
    assert fine["recoded"]["survives"] == fine["corrupted"]["retained"]
    assert fine["recoded"]["survives_low"] < fine["recoded"]["survives"]
    assert row(scaled["bad"], scaled["good"])["recoded"]["survives_note"].startswith("clean (")
    a, b = (roc_auc_score(labels, scaled[name]) for name in ("good", "bad"))
    assert fine["corrupted"]["retained"] == pytest.approx((b - 0.5) / (a - 0.5))
    assert fine["corrupted"]["drop"] == pytest.approx(a - b)
    assert fine["corrupted"]["drop_low"] < a - b < fine["corrupted"]["drop_high"]
    same = row(scaled["good"], scaled["good"])["corrupted"]  # paired: no width
    assert (same["drop"], same["retained"]) == (0, 1)
    assert same["drop_low"] is same["drop_high"] is None  # nothing says how much it varies
    worse = row(scaled["bad"], scaled["good"])["corrupted"]
    assert worse["retained"] is None
    assert "is not above the trivial baseline (0.500)" in worse["retained_note"]
    assert row(np.full(40, 0.5), scaled["good"])["corrupted"]["retained"] is None  # just at it
    for seeds in (1, 4):  # perturbed better than clean: a drop below zero has its interval there
        both = row(scaled["bad"], scaled["good"], seeds)
        gain, clean = both["corrupted"], both["clean"]
        assert 0 < clean["low"] < clean["mean"] < clean["high"] < 0.5 < gain["low"]
        assert -1 < gain["drop_low"] < gain["drop"] < gain["drop_high"] < 0
    broken = row(scaled["good"], np.where(labels, np.nan, 0.5))
    assert broken["corrupted"]["mean"] is broken["corrupted"]["drop"] is None
    assert "not finite" in broken["corrupted"]["note"]
    assert broken["clean"]["mean"] == pytest.approx(a)
    json.dumps(broken, allow_nan=False)


def test_a_kind_or_strength_that_is_unknown_or_stands_twice_is_refused(tmp_path: Path) -> None:
    text = (ROOT / "params.yaml").read_text()
    assert "blur, pixelation, jpeg]" in text
    for old, new, said in (
        ("jpeg]", "jpg]", "robustness.perturbations"),
        ("blur, pixelation, jpeg]", "blur, blur]", "blur stands twice"),
        ("strengths: [1, 2, 3, 4, 5]", "strengths: [6]", "less than or equal to 5"),
        ("strengths: [1, 2, 3, 4, 5]", "strengths: [1, 1]", "1 stands twice"),
    ):
        assert text.count(old) == 1
        (tmp_path / "params.yaml").write_text(text.replace(old, new))
        with pytest.raises(tables.DataError, match=said):
            params.load(tmp_path / "params.yaml")
    assert set(perturb.PERTURBATIONS) == set(
        params.load(ROOT / "params.yaml").robustness.perturbations
    )
