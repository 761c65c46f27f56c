"""Across data sets: which outputs answer, and metrics of the classes that both data sets have."""

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from helpers import ROOT
from helpers.drawn_data import write
from helpers.training import files, view
from helpers.views import changed
from sklearn.metrics import accuracy_score, balanced_accuracy_score, roc_auc_score

from lssat import params, tables
from lssat.evaluation import evaluate, logits
from lssat.grid import Run, Task
from lssat.tables import DataError
from lssat.training import train as training
from lssat.training.loader import Crops

EMOTIONS = Task("home", "multiclass", "top1", "image", "Home", ("a", "b", "c", "d"))
TRAITS = EMOTIONS._replace(kind="multilabel")
FAKES = Task("home", "binary", "auc", "video", "Home", ("real", "fake"))


@pytest.mark.parametrize(
    ("trained", "classes", "wanted"),
    [
        (EMOTIONS, ("a", "b", "c", "d"), [0, 1, 2, 3]),
        (EMOTIONS, ("d", "b"), [3, 1]),
        (TRAITS, ("c",), [2]),
        (FAKES, ("genuine", "forged"), [0]),  # the positive class is the last, whatever its name
    ],
)
def test_classes_are_matched_by_name_and_the_positive_one_by_place(
    trained: Task, classes: tuple, wanted: list
) -> None:
    assert trained.answers(trained._replace(name="away", classes=classes)) == wanted


@pytest.mark.parametrize(
    ("trained", "tested", "said"),
    [
        (EMOTIONS, EMOTIONS._replace(classes=("a", "B")), "has classes that home has not: B; it"),
        (TRAITS, TRAITS._replace(classes=("x", "y")), "has attributes that home has not: x, y; it"),
        (EMOTIONS, FAKES, "is binary, and home is multiclass"),
    ],
)
def test_what_no_output_answers_is_refused(trained: Task, tested: Task, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        trained.answers(tested)


def _away(folder: Path, task: Task, labels: list[list[int]]) -> Path:
    """A test set of 24 crops with these classes and labels."""
    write(folder, {"test": 24}, multiclass=4)
    file = folder / "splits/test.parquet"
    table = pq.read_table(file)
    rows = [row | {"labels": own} for row, own in zip(table.to_pylist(), labels, strict=True)]
    tables.write_table(file, rows, tables.SPLITS, task.header())
    tables.write_json(folder / "summary.json", {"coverage": {"test": 1.0}})
    return file


def _evaluated(home: Path, away: Path, run: Run, out: Path) -> dict:
    part = params.view(str(ROOT / "params.yaml"), params.views.EvaluateView)
    part = changed(part, evaluate={"resamples": 100})
    where = evaluate.Files(
        runs={run.path: home / "run"}, train=home / "splits/train.parquet", val=None,
        test=away / "splits/test.parquet", summary=away / "summary.json",
        faces=away / "faces", codes=away / "texture",
        predictions=out / "p.parquet", metrics=out / "m.json",
    )  # fmt: skip
    evaluate.evaluate("away", where, part)
    return tables.read_json(out / "m.json")


def _trained(home: Path, task: str, **shape: int) -> Run:
    write(home, {"train": 40, "val": 16}, **shape)
    run = Run(task, "vit_micro", "none-none-CRGB", 0)
    training.train(run, files(home, home / "run", codes=False), view(epochs=1))
    return run


def _all_logits(home: Path, away: Path) -> np.ndarray:
    crops = Crops(away / "splits/test.parquet", away / "faces", None)
    return logits.logits(logits.load_run(home / "run"), crops, 24)


def test_a_run_chooses_among_the_classes_that_both_have(tmp_path: Path) -> None:
    """Two of four emotions, in another order: top1 and AUC against scikit-learn."""
    home, away = tmp_path / "home", tmp_path / "away"
    run = _trained(home, "affectnet", multiclass=4)
    trained = tables.read_table(home / "splits/train.parquet", tables.SPLITS)
    names = logits.grid.read_task(tables.metadata(trained), home).classes
    task = Task("away", "multiclass", "top1", "image", "Away", (names[3], names[1]))
    labels = [[n % 2] for n in range(24)]
    _away(away, task, labels)
    found = _evaluated(home, away, run, tmp_path)
    kept = _all_logits(home, away)[:, [3, 1]].astype(float)
    truth = np.array(labels)[:, 0]
    at = {row["metric"]: row for row in found["table"]}
    assert at["top1"]["mean"] == pytest.approx(accuracy_score(truth, kept.argmax(axis=1)))
    assert at["balanced_accuracy"]["mean"] == pytest.approx(
        balanced_accuracy_score(truth, kept.argmax(axis=1))
    )
    assert (found["classes"], found["unasked"]) == ([names[3], names[1]], [names[0], names[2]])
    stored = tables.read_table(tmp_path / "p.parquet", tables.PREDICTIONS)["logits"].to_pylist()
    assert np.array_equal(np.array(stored, np.float32), kept.astype(np.float32))
    # The trivial answer is of training samples of these two alone: ten of each, the first named.
    assert at["top1"]["baseline"] == pytest.approx(0.5)


def test_attributes_that_the_other_data_set_has_are_measured(tmp_path: Path) -> None:
    home, away = tmp_path / "home", tmp_path / "away"
    run = _trained(home, "celeba", outputs=3)
    trained = tables.read_table(home / "splits/train.parquet", tables.SPLITS)
    names = logits.grid.read_task(tables.metadata(trained), home).classes
    task = Task("away", "multilabel", "auc", "image", "Away", (names[2], names[0]))
    labels = [[n % 2, n // 2 % 2] for n in range(24)]
    _away(away, task, labels)
    found = _evaluated(home, away, run, tmp_path)
    kept = _all_logits(home, away)[:, [2, 0]].astype(float)
    at = {row["metric"]: row for row in found["table"]}
    assert at["auc"]["mean"] == pytest.approx(roc_auc_score(np.array(labels), kept))
    assert (found["classes"], found["unasked"]) == ([names[2], names[0]], [names[1]])


def test_what_the_runs_have_no_class_for_is_refused_before_a_prediction(tmp_path: Path) -> None:
    home, away = tmp_path / "home", tmp_path / "away"
    write(home, {"train": 8}, multiclass=4)
    _away(away, Task("away", "multiclass", "top1", "image", "A", ("x", "Happy")), [[0]] * 24)
    said = r"has classes that affectnet has not: x; it has .*Map its classes"
    with pytest.raises(DataError, match=said):
        logits.trained_on(home / "splits/train.parquet", away / "splits/test.parquet")
