"""Lists of annotations: what they may hold, whom they speak of, and the step on whole tables."""

import json
from pathlib import Path

import pytest
from helpers.annotated import listed, written
from helpers.scored import OPTIONS

from lssat.evaluation import slices
from lssat.evaluation.slices import annotations
from lssat.evaluation.slices.groups import NOT_ANNOTATED
from lssat.tables import DataError, read_json


def refused(folder: Path, text: str) -> str:
    with pytest.raises(DataError) as caught:
        annotations.read(listed(folder, text))
    return str(caught.value).removeprefix(str(folder / "list.csv"))


def test_case_12_ids_and_categories_stay_text(tmp_path: Path) -> None:
    notes = annotations.read(listed(tmp_path, "id,skin\n000003,NA\nNA,nan\nnan,01\n"))
    assert notes.rows == {"000003": {"skin": "NA"}, "NA": {"skin": "nan"}, "nan": {"skin": "01"}}


def test_case_09_wrong_columns_and_rows_are_named_with_their_line(tmp_path: Path) -> None:
    wanted = "Its columns are id (or identity) and one or more attributes, after commas."
    for text, said in (
        ("skin,hair\na,b\n", "has no column id or identity (it begins with 'skin,hair')"),
        ("id\na\n", "has no attribute (it begins with 'id')"),
        ("id,identity,skin\na,b,c\n", "has both (it begins with 'id,identity,skin')"),
        ("id,skin,skin\na,b,c\n", "names 'skin' twice (it begins with 'id,skin,skin')"),
        ("id,\na,b\n", "has a column without a name (it begins with 'id,')"),
        ("id;skin\na;b\n", "is separated by semicolons, not by commas"),
    ):
        assert refused(tmp_path, text) == f":1: {said}. {wanted}"
    assert ":3: has 1 field; expected are 2: id,skin" in refused(tmp_path, "id,skin\na,b\nc\n")
    assert ":2: has 3 fields; expected are 2: id,skin" in refused(tmp_path, "id,skin\na,b,c\n")
    assert ":2: the id is empty." in refused(tmp_path, "id,skin\n,b\n")


def test_case_09_a_list_that_is_not_utf8(tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_bytes(b"id,skin\na,b\n\xff,c\n")
    with pytest.raises(DataError, match=r"list\.csv:3: is not UTF-8 text"):
        annotations.read(tmp_path / "list.csv")


def test_case_05_case_06_a_list_that_is_absent_or_a_web_page(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"does not exist; .* correct slices\.lists in params"):
        annotations.read(tmp_path / "list.csv")
    assert ": is a web page (first bytes" in refused(tmp_path, "<!DOCTYPE html><html>")


def test_case_10_the_same_id_twice(tmp_path: Path) -> None:
    notes = annotations.read(listed(tmp_path, "id,skin\na,b\na,b\nc,\n"))
    assert (notes.repeated, len(notes.rows)) == (1, 2)
    text = "id,skin\n" + "".join(f"s{n},{value}\n" for value in "xy" for n in range(7))
    assert refused(tmp_path, text) == (
        ":9: 7 rows repeat an id with other values: s0, s1, s2, s3, s4. Keep the right row of each."
    )


def test_a_column_of_numbers_is_no_attribute(tmp_path: Path) -> None:
    text = "id,age\n" + "".join(f"s{n},{n}\n" for n in range(21))
    assert refused(tmp_path, text) == (
        ": age has 21 categories (0, 1, 10, 11, 12, ...), at most 20 make slices. "
        "Write ranges or fewer classes, or drop the column."
    )
    assert refused(tmp_path, "id,age\na,\n").startswith(": age is empty in every row.")


def test_a_list_by_identity_speaks_of_every_video_of_a_target(tmp_path: Path) -> None:
    files, manifest, _ = written(tmp_path)
    text = "identity,skin\n" + "".join(
        f"{pair:03d},{('light', 'dark')[pair % 2]}\n" for pair in range(9)
    )
    csv = listed(tmp_path, text + "900,light\n901,light\n")
    slices.listed("ffpp", files, slices.Annotated(csv, manifest), 5, OPTIONS)
    found = read_json(files.out)
    ((each),) = found["slices"]
    sizes = {group["group"]: (group["n"], group["clusters"]) for group in each["groups"]}
    assert sizes == {"dark": (12, 4), "light": (15, 5), NOT_ANNOTATED: (9, 3)}  # 3 videos a pair
    assert [group["positives"] for group in each["groups"]] == [8, 10, 6]
    assert found["list"] == {
        "file": str(csv), "key": "identity", "entries": 11, "repeated": 0, "unknown": 1,
    }  # fmt: skip
    row = next(row for row in found["rows"] if row["metric"] == "auc")
    assert row["held"] == ["dark", "light"]
    logged = {each["run"]: each["metrics"] for each in found["runs"]}
    for at, run in enumerate(row["runs"]):
        values = [group["values"][at] for group in row["groups"][:2]]
        assert logged[run]["skin/gap"] == pytest.approx(max(values) - min(values))
        assert logged[run]["skin/worst"] == min(values)
        assert logged[run]["skin/demographic_parity_difference"] >= 0


def test_a_list_of_other_data_is_refused(tmp_path: Path) -> None:
    files, manifest, _ = written(tmp_path)
    for text in ("id,skin\n000,a\n001,b\n", "identity,skin\nx,a\n"):
        lists = slices.Annotated(listed(tmp_path, text), manifest)
        with pytest.raises(DataError, match=r"list\.csv: none of its \d (id|identity) entries is"):
            slices.listed("ffpp", files, lists, 5, OPTIONS)
    assert not files.out.exists()


def test_a_manifest_of_other_data_than_the_predictions_is_refused(tmp_path: Path) -> None:
    files, _, rows = written(tmp_path)
    other = tmp_path / "other"
    other.mkdir()
    _, manifest, _ = written(other, "celeba")
    lists = slices.Annotated(listed(tmp_path, f"id,skin\n{rows[0]['id']},a\n"), manifest)
    with pytest.raises(
        DataError, match=r"manifest\.parquet: lacks Deepfakes/c23/000, a test sample"
    ):
        slices.listed("ffpp", files, lists, 5, OPTIONS)


def test_own_attributes_slice_a_multilabel_task(tmp_path: Path) -> None:
    files, _, _ = written(tmp_path, "celeba")
    slices.own("celeba", files, ["Male", "Hat"], 5, OPTIONS)
    found = read_json(files.out)
    male, hat = found["slices"]
    assert [group["group"] for group in male["groups"]] == ["Male", "not Male"]
    assert [group["n"] for group in male["groups"]] == [24, 24]
    assert [group["group"] for group in hat["groups"]] == ["not Hat"]
    rows = {(row["attribute"], row["metric"]): row for row in found["rows"]}
    assert rows["Male", "balanced_accuracy"]["over"] == 1  # Young; nobody wears a hat
    assert rows["Hat", "balanced_accuracy"]["note"] == "1 group to compare"
    with pytest.raises(DataError, match=r"celeba has no attribute Beard\. It has Male, Young, Hat"):
        slices.own("celeba", files, ["Beard"], 5, OPTIONS)


def test_the_same_inputs_give_the_same_bytes(tmp_path: Path) -> None:
    files, manifest, rows = written(tmp_path, "affectnet")
    ids = list(dict.fromkeys(row["id"] for row in rows))
    text = "id,hair\n" + "".join(f"{id},{'ab'[n % 2]}\n" for n, id in enumerate(ids))
    lists = slices.Annotated(listed(tmp_path, text), manifest)
    slices.listed("affectnet", files, lists, 5, OPTIONS)
    first = files.out.read_bytes()
    json.loads(first)
    slices.listed("affectnet", files, lists, 5, OPTIONS)
    assert files.out.read_bytes() == first
