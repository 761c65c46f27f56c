"""CelebA's images as JPEG, PNG or in the official zip: the same samples."""

from pathlib import Path

import numpy as np
import pytest
from helpers import trees
from helpers.reading import fails, read
from helpers.steps import steps

from lssat.data import media

NAMES = ["000001.jpg", "000002.jpg", "000003.jpg", "000004.jpg"]
PREFIX = {
    "jpg": "img_align_celeba/000003.jpg",
    "png": "img_align_celeba_png/000003.png",
    "zip": "img_align_celeba.zip!/img_align_celeba/000003.jpg",
}


def tree(root: Path, form: str) -> Path:
    return trees.celeba(root, NAMES, "0012", ["5", "5", "0880", "9"], form)


@pytest.mark.parametrize("form", PREFIX)
def test_each_form_gives_the_same_rows_but_for_the_path(tmp_path: Path, form: str) -> None:
    rows, rejects = read("celeba", trees.celeba_options(tree(tmp_path / "raw", form)), tmp_path)
    assert list(rows) == NAMES
    assert rejects == []
    assert rows["000003.jpg"]["path"] == PREFIX[form]
    pixels = media.read_image(tmp_path / "raw" / rows["000003.jpg"]["path"]).astype(int)
    assert np.abs(pixels - trees.picture(2)).mean() < 3


@pytest.mark.parametrize("form", PREFIX)
def test_from_raw_to_splits(tmp_path: Path, form: str) -> None:
    found = steps(tmp_path, "celeba", trees.celeba_options(tree(tmp_path / "raw", form)))
    assert all(ids == NAMES for ids in found.values())


def test_images_may_lie_as_in_the_release(tmp_path: Path) -> None:
    root = tree(tmp_path / "raw", "zip")
    (root / "Img").mkdir()
    (root / "img_align_celeba.zip").rename(root / "Img/img_align_celeba.zip")
    rows, _ = read("celeba", trees.celeba_options(root), tmp_path)
    assert rows["000003.jpg"]["path"] == f"Img/{PREFIX['zip']}"


def test_a_zip_unpacked_into_a_folder_of_its_name(tmp_path: Path) -> None:
    root = tree(tmp_path / "raw", "jpg")
    (root / "img_align_celeba").rename(root / "inner")
    (root / "img_align_celeba").mkdir()
    (root / "inner").rename(root / "img_align_celeba/img_align_celeba")
    rows, _ = read("celeba", trees.celeba_options(root), tmp_path)
    assert rows["000003.jpg"]["path"] == f"img_align_celeba/{PREFIX['jpg']}"


def test_a_folder_comes_before_the_zip(tmp_path: Path) -> None:
    tree(tmp_path / "raw", "zip")
    rows, _ = read("celeba", trees.celeba_options(tree(tmp_path / "raw", "jpg")), tmp_path)
    assert rows["000003.jpg"]["path"] == PREFIX["jpg"]


@pytest.mark.parametrize("form", PREFIX)
def test_case_15_missing_in_each_form(tmp_path: Path, form: str) -> None:
    root = tree(tmp_path / "raw", form)
    for name in ("list_attr_celeba.txt", "list_eval_partition.txt", "identity_CelebA.txt"):
        text = (root / name).read_text()
        (root / name).write_text(text.replace("000002.jpg", "000009.jpg"))
    assert "manifest: 1 of 4 rejected (25.0 %, limit 0 %)" in fails(
        "celeba", trees.celeba_options(root), tmp_path
    )
    rows, rejects = read("celeba", trees.celeba_options(root, rejects_limit=0.5), tmp_path)
    lost = [(row["id"], row["path"], row["reason"]) for row in rejects]
    where = PREFIX[form].replace("000003", "000009")
    assert lost == [("000009.jpg", where, "missing")]
    assert "000009.jpg" not in rows


def test_a_zip_of_something_else(tmp_path: Path) -> None:
    root = tree(tmp_path / "raw", "jpg")
    (root / "img_align_celeba").rename(root / "img_celeba")
    trees.pack(root / "img_celeba")
    (root / "img_celeba.zip").rename(root / "img_align_celeba.zip")
    wrong = fails("celeba", trees.celeba_options(root), tmp_path)
    assert "img_align_celeba.zip: has no folder img_align_celeba in it, but img_celeba/0" in wrong
