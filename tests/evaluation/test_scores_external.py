"""Rows of other programs beside runs: at the level of videos, in tables and in tests."""

import numpy as np
import pytest
from helpers.scored import deepfake_rows, runs_of, signal_rows, summarise
from sklearn.metrics import roc_auc_score

from lssat import grid
from lssat.tables import DataError

OURS = {"none-none-CRGB": 1.2, "MRGB-RLDP-CRGB": 1.8}


def external(seeds: int = 1, name: str = "xception", signal: float = 2.5) -> list[dict]:
    """Draw scores of whole videos, of the same videos as `signal_rows`."""
    made = []
    for seed in range(seeds):
        run = grid.Run("ffpp", name, grid.EXTERNAL, seed).path
        rng = np.random.default_rng([7, seed])
        for row in deepfake_rows([runs_of("none-none-CRGB")[0]], 30):
            if row["frame"] == 0:
                logit = signal * (row["labels"][0] - 0.5) + rng.normal()
                made.append(row | dict(run=run, level="video", logits=[logit]))
    return made


def headline(found: dict, backbone: str) -> dict:
    return next(
        row
        for row in found["table"]
        if (row["backbone"], row["level"], row["metric"]) == (backbone, "video", "auc")
    )


def test_scores_of_videos_are_a_row_at_that_level_and_no_other() -> None:
    theirs = external()
    found = summarise(signal_rows(OURS) + theirs)
    row = headline(found, "xception")
    labels = [each["labels"][0] for each in theirs]
    assert row["mean"] == pytest.approx(
        roc_auc_score(labels, [each["logits"][0] for each in theirs])
    )
    assert (row["configuration"], row["swept"]) == ("external", False)
    assert row["low"] < row["mean"]
    assert row["note"].startswith("external: another program made the scores; its interval is of")
    assert {r["level"] for r in found["table"] if r["backbone"] == "xception"} == {"video"}
    assert {r["level"] for r in found["subsets"] if r["backbone"] == "xception"} == {"video"}
    (run,) = [each for each in found["runs"] if each["backbone"] == "xception"]
    assert set(run["metrics"]) == {f"video/{name}" for name in _names(found)}
    assert run["calibration"]["temperature"] is None
    assert run["calibration"]["note"].startswith("not calibrated: its table holds no scores")
    assert "xception" in {each["backbone"] for each in found["ranks"]}


def _names(found: dict) -> set[str]:
    return {row["metric"] for row in found["table"]}


def test_all_else_is_as_it_would_be_without_it() -> None:
    alone, beside = summarise(signal_rows(OURS)), summarise(signal_rows(OURS) + external())
    for name in ("backbones", "sweep", "variants", "gains"):
        assert alone[name] == beside[name]
    ours = [row for row in beside["comparisons"] if row["compared"] != "external"]
    assert ours == alone["comparisons"] != []


@pytest.mark.parametrize("seeds", [(0,), (0, 1)])
def test_each_row_of_ours_is_held_against_it_with_all_of_its_seeds(seeds: tuple[int, ...]) -> None:
    """The jackknife over clusters of the difference, by scikit-learn's AUC."""
    rows, theirs = signal_rows(OURS), external()
    rows = [row for row in rows if grid.Run.of(row["run"]).seed in seeds]
    found = summarise(rows + theirs)["comparisons"]
    found = [each for each in found if each["compared"] == "external"]
    assert [each["b"]["backbone"] for each in found] == ["xception"] * 2
    for pair in found:
        slug = pair["a"]["configuration"].replace("/", "-")
        own = [
            _videos([r for r in rows if r["run"] == f"ffpp/vit_micro/{slug}/seed{seed}"])
            for seed in seeds
        ]
        other = _videos(theirs)
        gaps = [_auc(each) - _auc(other) for each in own]
        assert pair["difference"] == pytest.approx(np.mean(gaps))
        left_out = [[_auc(e, n) - _auc(other, n) for n in range(30)] for e in own]
        covariance = np.atleast_2d(np.cov(left_out)) * 29**2 / 30
        if len(seeds) == 1:  # of other test sets alone
            assert pair["error"] ** 2 == pytest.approx(covariance[0, 0], rel=0.15)
        else:  # and of other trainings of ours
            assert pair["error"] ** 2 > max(covariance[0, 1], 0)
    assert all(row["p_holm"] >= row["p"] for row in found)


def _videos(rows: list[dict]) -> list[tuple[str, int, float]]:
    """Return group, label and mean probability of each video."""
    scores: dict[str, list] = {}
    for row in rows:
        scores.setdefault(row["id"], []).append(1 / (1 + np.exp(-row["logits"][0])))
    by_id = {row["id"]: row for row in rows}
    return [(by_id[id]["group"], by_id[id]["labels"][0], np.mean(s)) for id, s in scores.items()]


def _auc(videos: list[tuple[str, int, float]], drop: int | None = None) -> float:
    kept = [(label, score) for group, label, score in videos if group != f"{drop or 0:03d}"]
    kept = kept if drop is not None else [(label, score) for _, label, score in videos]
    return float(roc_auc_score(*zip(*kept, strict=True)))


def test_a_program_with_seeds_has_other_trainings_in_its_interval() -> None:
    one, three = (headline(summarise(signal_rows(OURS) + external(n)), "xception") for n in (1, 3))
    assert (one["seeds"], three["seeds"]) == ([0], [0, 1, 2])
    assert three["note"] == "external: another program made the scores"


def test_two_programs_are_compared_by_rank_alone() -> None:
    rows = signal_rows(OURS) + external() + external(name="chance", signal=0.0)
    found = summarise(rows)
    assert len([row for row in found["comparisons"] if row["compared"] == "external"]) == 4
    by_name = {row["backbone"]: row for row in found["ranks"]}
    assert by_name["xception"]["top"]
    assert by_name["chance"]["best"] > 1


def test_calibration_is_done_where_validation_is_scored() -> None:
    val = [row | dict(split="val") for row in external()]
    ours = signal_rows(OURS)
    (run,) = [
        each
        for each in summarise(ours + val + external())["runs"]
        if each["backbone"] == "xception"
    ]
    assert run["calibration"]["temperature"] > 0
    assert run["calibration"]["scaled"]["ece"] >= 0


def test_other_videos_or_labels_stop_the_evaluation() -> None:
    rows = signal_rows(OURS)
    wrong = [row | dict(labels=[1 - row["labels"][0]]) for row in external()]
    for other in (external()[1:], wrong):
        with pytest.raises(DataError, match="and the others differ in their videos or labels"):
            summarise(rows + other)
    with pytest.raises(DataError, match="scores of videos and no run on frames beside them"):
        summarise(external())


def test_it_is_no_configuration_to_train() -> None:
    made = grid.parse(grid.EXTERNAL)
    assert (str(made), made.slug, made.texture, made.auxiliary) == (
        "external",
        "external",
        None,
        False,
    )
    assert made.external
    assert not grid.parse("none-none-CRGB").external
