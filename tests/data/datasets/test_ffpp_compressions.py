"""FaceForensics++ at another compression: a test set in the tree that the runs are trained on."""

from pathlib import Path

import pytest
from helpers import trees

from lssat import params
from lssat.data import datasets, doctor
from lssat.tables import MANIFEST, DataError, read_table


def options(root: Path, name: str, **other: object) -> params.Dataset:
    values = {"root": str(root), "shards": 1, "rejects_limit": 0.0, "methods": trees.METHODS}
    return params.SECTIONS[name](**{**values, "frames": 2, **other})


@pytest.mark.parametrize(("name", "folder"), [("raw", "c0"), ("c23", "c23"), ("c40", "c40")])
def test_the_test_split_alone_is_read_at_its_compression(
    tmp_path: Path, name: str, folder: str
) -> None:
    root = trees.ffpp(tmp_path / "raw", compression=folder)
    own = options(root, f"ffpp_{name}")
    out = tmp_path / "m.parquet"
    datasets.manifest(f"ffpp_{name}", own, out, tmp_path / "r.parquet")
    rows = read_table(out, MANIFEST).to_pylist()
    assert {row["split"] for row in rows} == {"test"}
    assert {row["subset"] for row in rows} == {"original", *trees.METHODS}
    assert len(rows) == 2 * (1 + len(trees.METHODS))
    assert all(f"/{folder}/" in row["path"] for row in rows)
    assert {row["id"].split("/")[1] for row in rows} == {name}
    at_home, _ = datasets.listed("ffpp", trees.ffpp_options(root, compression=folder))
    same = {row["path"]: (row["labels"], row["groups"]) for row in at_home}
    assert all(same[row["path"]] == (row["labels"], row["groups"]) for row in rows)


def test_two_compressions_lie_in_one_tree(tmp_path: Path) -> None:
    root = trees.ffpp(trees.ffpp(tmp_path / "raw"), compression="c40")
    found = [datasets.listed(name, options(root, name))[0] for name in ("ffpp_c23", "ffpp_c40")]
    assert [row["path"].replace("c23", "c40") for row in found[0]] == [
        row["path"] for row in found[1]
    ]


def test_what_is_absent_is_told_with_its_section(tmp_path: Path) -> None:
    root = trees.ffpp(tmp_path / "raw")
    with pytest.raises(DataError, match="release's folder of videos at this compression"):
        datasets.listed("ffpp_c40", options(root, "ffpp_c40"))
    with pytest.raises(DataError, match=r"datasets\.ffpp_c23\.methods: unknown method 'Fake'"):
        datasets.listed("ffpp_c23", options(root, "ffpp_c23", methods=["Fake"]))


def test_the_doctor_takes_the_other_splits_for_no_extra_files(tmp_path: Path) -> None:
    root = trees.ffpp(tmp_path / "raw")
    seen = doctor.inspect("ffpp_c23", options(root, "ffpp_c23"), configured=True)
    assert [each.problem for each in seen.findings if each.severity == "error"] == []
    assert not [each for each in seen.findings if "no list" in each.problem]
