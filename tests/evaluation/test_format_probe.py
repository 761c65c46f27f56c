"""The format of the files alone: a leak is seen with its feature, and none where there is none."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from helpers import drawn_results
from helpers.scored import OPTIONS
from sklearn.metrics import accuracy_score, roc_auc_score

from lssat import grid, tables
from lssat.evaluation import format_probe
from lssat.grid import releases
from lssat.tables import FORMATS, SPLITS, DataError, read_json

PARAMS = SimpleNamespace(evaluate=OPTIONS)


def _labels(task: grid.Task, rng: np.random.Generator, n: int) -> np.ndarray:
    if task.kind == "multilabel":
        return (rng.random((n, len(task.classes))) < 0.4).astype(int)
    return rng.integers(0, 2 if task.kind == "binary" else len(task.classes), (n, 1))


def _task(name: str) -> grid.Task:
    known = releases.TASKS[name]
    return known._replace(classes=known.classes[:3]) if known.kind == "multilabel" else known


def _draw(
    root: Path, name: str, leak: str = "", seed: int = 0, n: int = 240
) -> tuple[dict, np.ndarray, list[dict]]:
    """Write splits and formats of files whose `leak` follows the (first) label; probe them.

    Returns: what was written, the test labels by id, the rows of the formats.
    """
    task, rng, files = _task(name), np.random.default_rng(seed), []
    frames = (0, 4) if task.kind == "binary" else (0,)
    kept = np.zeros(0)
    for split in ("train", "test"):
        labels, rows = _labels(task, rng, n), []
        for i, own in enumerate(labels):
            id = f"{split}{i:04}"
            rows += [
                dict(id=id, frame=frame, clip=-1, shard=0, row=i, labels=own.tolist(), subset="",
                     split=split, group=f"{split}{i // 2}", seed=0)
                for frame in frames
            ]  # fmt: skip
            file = dict(id=id, media="video" if len(frames) > 1 else "image", kind="JPEG",
                        sampling="4:2:0", width=178, height=218, frames=1, seconds=float("nan"),
                        bytes=int(rng.integers(9000, 11000)), quality=float(rng.integers(70, 90)),
                        side=float(rng.normal(80, 5)))  # fmt: skip
            if leak == "quality":  # neither high nor low: what no line parts
                file["quality"] = [80.0, float(rng.choice([75, 85])), 90.0, 60.0][own[0] % 4]
            elif leak:
                file[leak] = ["JPEG", "PNG", "WEBP", "BMP"][own[0] % 4]
            files.append(file)
        facts = task.header()
        tables.write_table(root / f"{split}.parquet", rows, SPLITS, facts)
        kept = labels
    tables.write_table(root / "formats.parquet", files, FORMATS)
    where = [root / f"{split}.parquet" for split in ("train", "test")]
    out = root / "format.json"
    format_probe.probe(*where, root / "formats.parquet", out, PARAMS)
    return read_json(out), kept, files


@pytest.mark.parametrize("name", ["ffpp", "celeba", "affectnet"])
@pytest.mark.parametrize("leak", ["quality", "kind"])
def test_a_leak_is_seen_and_named(tmp_path: Path, name: str, leak: str) -> None:
    found, _, _ = _draw(tmp_path, name, leak)
    (head,) = [row for row in found["rows"] if row["metric"] == found["metric"]]
    assert found["above"]
    assert head["baseline"] < head["low"] < head["value"] <= head["high"]
    lost = {key: head["value"] - value for key, value in found["permuted"].items()}
    assert max(lost, key=lambda each: lost[each]) == leak
    assert (found["n"], found["groups"], found["train_n"]) == (240, 120, 240)
    assert found["level"] == ("video" if name == "ffpp" else "image")
    if name == "ffpp":
        assert head["value"] > 0.99


@pytest.mark.parametrize("name", ["ffpp", "celeba", "affectnet"])
def test_without_a_leak_it_is_not_above_chance(tmp_path: Path, name: str) -> None:
    found, _, _ = _draw(tmp_path, name)
    assert not found["above"]
    again = (tmp_path / "format.json").read_bytes()
    _draw(tmp_path, name)
    assert (tmp_path / "format.json").read_bytes() == again


@pytest.mark.slow
def test_chance_is_seldom_called_a_leak(tmp_path: Path) -> None:
    """The interval has two sides: in 2.5 % of data sets; four of 30 would be a wonder."""
    above = [_draw(tmp_path, "ffpp", "", seed, 60)[0]["above"] for seed in range(30)]
    assert sum(above) <= 3


def test_numbers_are_scikit_learns_of_the_same_trees(tmp_path: Path) -> None:
    found, labels, files = _draw(tmp_path, "ffpp", "kind")
    known = tables.read_table(tmp_path / "formats.parquet", FORMATS)
    read = [tables.read_table(tmp_path / f"{split}.parquet", SPLITS) for split in ("train", "test")]
    learnt, tested = (format_probe._split(table, known, tmp_path) for table in read)
    assert learnt.ids == [file["id"] for file in files[:240]]
    model = format_probe.Probe("binary", 2, OPTIONS.seed).fit(learnt)
    scores = model.predict(model.features(tested.files))
    rows = {row["metric"]: row["value"] for row in found["rows"]}
    assert rows["auc"] == pytest.approx(roc_auc_score(labels[:, 0], scores))
    assert rows["accuracy"] == pytest.approx(accuracy_score(labels[:, 0], scores >= 0.5))


def test_a_codec_that_training_never_saw_is_no_known_one(tmp_path: Path) -> None:
    _draw(tmp_path, "ffpp", "kind")
    known = tables.read_table(tmp_path / "formats.parquet", FORMATS)
    train = format_probe._split(
        tables.read_table(tmp_path / "train.parquet", SPLITS), known, tmp_path
    )
    model = format_probe.Probe("binary", 2, 0).fit(train)
    place = known.schema.names.index("kind")
    other = known.slice(0, 3).set_column(place, "kind", [["HEIC"] * 3])
    inputs = model.features(other)
    assert np.isnan(inputs[:, len(format_probe.NUMBERS)]).all()
    assert np.isfinite(model.predict(inputs)).all()


def test_a_constant_attribute_and_an_absent_class_are_no_error(tmp_path: Path) -> None:
    split = format_probe._Split(
        ["a", "b", "c"], np.array([[1, 0], [1, 1], [1, 0]]), ["a", "b", "c"], np.array([""] * 3),
        tables.read_table(_some(tmp_path), FORMATS).slice(0, 3),
    )  # fmt: skip
    scores = format_probe.Probe("multilabel", 2, 0).fit(split).predict(np.zeros((2, 14)))
    assert scores.shape == (2, 2)
    assert (scores[:, 0] == 1).all()
    of_classes = split._replace(labels=np.array([[0], [2], [2]]))
    scores = format_probe.Probe("multiclass", 4, 0).fit(of_classes).predict(np.zeros((2, 14)))
    assert scores[:, [1, 3]].sum() == 0
    assert scores.sum(axis=1) == pytest.approx(1)


def _some(root: Path) -> Path:
    _draw(root, "ffpp", n=8)
    return root / "formats.parquet"


def test_a_sample_without_a_row_is_named(tmp_path: Path) -> None:
    _draw(tmp_path, "ffpp", n=8)
    files = tables.read_table(tmp_path / "formats.parquet", FORMATS).to_pylist()
    tables.write_table(tmp_path / "formats.parquet", files[1:], FORMATS)
    where = [tmp_path / f"{name}.parquet" for name in ("train", "test", "formats")]
    with pytest.raises(DataError) as caught:
        format_probe.probe(*where, tmp_path / "format.json", PARAMS)
    assert str(caught.value) == (
        f"{tmp_path}/train.parquet: holds 'train0000', which has no row in the table of formats. "
        "Run the step `formats` again: it is older."
    )


def test_what_the_report_is_tried_on_has_the_same_keys(tmp_path: Path) -> None:
    found, _, _ = _draw(tmp_path, "ffpp")
    drawn = drawn_results._format(_task("ffpp"))
    assert set(found) == set(drawn)
    assert set(found["rows"][0]) == set(drawn["rows"][0])
    assert [row["metric"] for row in found["rows"]] == [row["metric"] for row in drawn["rows"]]
