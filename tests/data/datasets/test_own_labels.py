"""`labels` of a data set of one's own: what its classes are called, and which are left out."""

import json
from pathlib import Path

import pytest
from helpers import trees
from helpers.own import face, folders, listed, options

from lssat import params
from lssat.data import datasets
from lssat.tables import MANIFEST, REJECTS, DataError, metadata, read_table
from lssat.tables import listed_counts as counts

FER = {"anger": "Anger", "joy": "Happy", "calm": "Neutral"}


def drawn(root: Path, classes: tuple[str, ...], each: int = 2) -> Path:
    for code, name in enumerate(classes):
        for n in range(each):
            trees.jpeg(root / "test" / name / f"{n}.jpg", face(10 * code + n))
    return root


def steps(tmp_path: Path, own: params.Own) -> tuple[list[dict], list[dict]]:
    datasets.manifest("fer", own, tmp_path / "m.parquet", tmp_path / "r.parquet")
    rows = read_table(tmp_path / "m.parquet", MANIFEST).to_pylist()
    return rows, read_table(tmp_path / "r.parquet", REJECTS).to_pylist()


def test_classes_get_their_names_and_others_are_rejects_and_no_losses(
    tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    root = drawn(tmp_path / "raw", ("anger", "joy", "calm", "contempt"))
    own = options(root, test_only=True, labels=FER)
    rows, rejects = steps(tmp_path, own)
    assert datasets.task("fer", own).classes == ("Anger", "Happy", "Neutral")
    names = {row["path"].split("/")[1]: row["labels"] for row in rows}
    assert names == {"anger": [0], "joy": [1], "calm": [2]}
    assert {row["subset"] for row in rows} == {""}
    assert [(row["id"], row["reason"], row["detail"]) for row in rejects] == [
        (f"test/contempt/{n}.jpg", "excluded_class", "contempt: not in datasets.fer.labels")
        for n in range(2)
    ]
    table = read_table(tmp_path / "m.parquet", MANIFEST)
    assert sum(counts.read(metadata(table), "m").values()) == 6  # coverage is of what is used
    said = "warning: datasets.fer: classes that labels leaves out: contempt (2 samples)"
    assert said in capsys.readouterr().err


def test_the_order_of_labels_means_nothing(tmp_path: Path) -> None:
    """A step gets its section as JSON with sorted keys: it must read the classes as all do."""
    root = drawn(tmp_path / "raw", ("z", "y", "x"))
    own = options(root, test_only=True, labels={"z": "c", "x": "a", "y": "b"})
    text = json.dumps({"datasets": {"fer": own.model_dump()}}, sort_keys=True)
    step = params.view(text, params.views.ManifestView, task="fer").datasets["fer"]
    assert datasets.task("fer", step) == datasets.task("fer", own)
    assert datasets.task("fer", own).classes == ("a", "b", "c")


def test_the_order_of_classes_may_be_given(tmp_path: Path) -> None:
    root = drawn(tmp_path / "raw", ("anger", "joy", "calm"))
    own = options(root, test_only=True, labels=FER, classes=["Neutral", "Happy", "Anger"])
    assert datasets.task("fer", own).classes == ("Neutral", "Happy", "Anger")


def test_classes_that_become_one_stay_its_subsets(tmp_path: Path) -> None:
    root = drawn(tmp_path / "raw", ("genuine", "swap", "lips"), each=1)
    labels = {"genuine": "real", "swap": "fake", "lips": "fake"}
    own = options(root, test_only=True, kind="binary", positive="fake", labels=labels)
    rows, _ = steps(tmp_path, own)
    assert datasets.task("fer", own).classes == ("real", "fake")
    assert {(row["subset"], *row["labels"]) for row in rows} == {
        ("", 0), ("swap", 1), ("lips", 1)
    }  # fmt: skip


def test_a_class_without_an_image_is_refused_with_the_one_that_is_there(tmp_path: Path) -> None:
    root = drawn(tmp_path / "raw", ("angry", "joy", "calm"))
    with pytest.raises(DataError) as caught:
        steps(tmp_path, options(root, test_only=True, labels=FER))
    assert str(caught.value) == (
        f"{root}: has no sample of 'anger', which datasets.fer.labels names. "
        "Correct it there (did you mean angry?), or leave it out."
    )


def test_columns_of_a_list_are_renamed_and_others_are_said(
    tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    rows = ["1.jpg,1,0,0", "2.jpg,0,0,0", "3.jpg,0,1,1"]
    root = listed(tmp_path / "raw", "path,glasses,hat,smiling", rows)
    labels = {"smiling": "Smiling", "glasses": "Eyeglasses"}
    own = options(root, csv="list.csv", kind="multilabel", test_only=True, labels=labels)
    found, rejects = steps(tmp_path, own)
    assert datasets.task("fer", own).classes == ("Eyeglasses", "Smiling")
    assert [row["labels"] for row in found] == [[1, 0], [0, 0], [0, 1]]
    assert not rejects
    assert "attributes that labels leaves out: hat" in capsys.readouterr().err
    with pytest.raises(DataError, match="has no column smile"):
        steps(tmp_path, own.model_copy(update={"labels": {"smile": "Smiling", "hat": "H"}}))


def test_training_data_may_be_renamed_as_well(tmp_path: Path) -> None:
    root = folders(tmp_path / "raw", ("a", "b", "c"), each=1)
    own = options(root, labels={"a": "Anger", "c": "Happy"})
    rows, rejects = steps(tmp_path, own)
    assert (len(rows), len(rejects)) == (6, 3)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"labels": {"a": "x", "b": "x"}}, "labels leaves one class, x; name at least two"),
        ({"labels": {"a": "x", "b": "y"}, "classes": ["x", "z"]}, "labels gives y, which is not"),
        (
            {"labels": {"a": "x", "b": "y"}, "kind": "binary", "positive": "z"},
            "positive 'z' is none of the classes that labels gives",
        ),
        (
            {"labels": {"a": "x", "b": "x"}, "kind": "multilabel", "csv": "l.csv"},
            "labels calls two attributes x",
        ),
        ({"labels": {}}, "at least 1 item"),
    ],
)
def test_what_labels_cannot_say(tmp_path: Path, changes: dict, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        options(tmp_path, **changes)
