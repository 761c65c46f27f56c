"""Cases 5, 6, 7, 8 and 16 as the doctor sees them: all at once, before anything runs."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from helpers import sick, trees


@pytest.mark.parametrize("dataset", sick.MAKE)
def test_case_05_the_root_is_missing(tmp_path: Path, dataset: str) -> None:
    root = tmp_path / "nowhere"
    assert sick.said(sick.inspect(dataset, root)) == [
        f"{root}: is not a folder. Set datasets.{dataset}.root in params.yaml, or give --root."
    ]


def test_case_05_lists_are_missing_each_is_named(tmp_path: Path) -> None:
    root = sick.celeba(tmp_path / "raw")
    (root / "list_attr_celeba.txt").unlink()
    (root / "identity_CelebA.txt").unlink()
    found = sick.said(sick.inspect("celeba", root))
    assert len(found) == 2
    assert found[0].startswith("list_attr_celeba.txt: does not exist (nor ")
    assert (
        "it is the official list of attributes. Put it there, or set datasets.celeba." in found[0]
    )
    assert found[1].startswith("identity_CelebA.txt: does not exist (nor ")


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (sick.PAGE, "is a web page (first bytes b'<!DOCTYPE html><html><ti')"),
        (sick.POINTER, "is a pointer of Git LFS, not the file that it stands for (first bytes "),
        (b"", "is empty (zero bytes)"),
    ],
    ids=["web page", "LFS pointer", "empty"],
)
def test_case_06_something_else_in_place_of_lists_images_videos_and_arrays(
    tmp_path: Path, content: bytes, problem: str
) -> None:
    files = {
        "ffpp": ["splits/val.json", "original_sequences/youtube/c23/videos/001.mp4"],
        "celeba": ["list_eval_partition.txt", "img_align_celeba/000003.jpg"],
        "affectnet": ["train_set/images/10.jpg", "val_set/annotations/0_exp.npy"],
    }
    for dataset, names in files.items():
        root = sick.MAKE[dataset](tmp_path / dataset)
        for name in names:
            (root / name).write_bytes(content)
        found = sick.said(sick.inspect(dataset, root))
        for name in names:
            [line] = [line for line in found if line.startswith(f"{name}: ")]
            assert line.startswith(f"{name}: {problem}")
            assert line.endswith(" Fetch it again.")
        assert len(found) == len(names)


def test_case_06_many_of_one_folder_are_one_finding(tmp_path: Path) -> None:
    root = sick.ffpp(tmp_path / "raw")
    folder = root / "manipulated_sequences/Deepfakes/c23/videos"
    for video in folder.iterdir():
        video.write_bytes(sick.PAGE)
    [finding] = [f for f in sick.inspect("ffpp", root).findings if f.severity == "error"]
    assert finding.problem.startswith("6 files: each is a web page (first bytes b'<!DOCTYPE")
    assert finding.path == "manipulated_sequences/Deepfakes/c23/videos"
    assert (finding.count, len(finding.examples)) == (6, 5)


def test_case_07_short_lists(tmp_path: Path) -> None:
    root = sick.celeba(tmp_path / "raw")
    sick.cut_lines(root / "list_attr_celeba.txt", 7)
    sick.cut_lines(root / "identity_CelebA.txt", 8)
    inventory = sick.inspect("celeba", root)
    assert sick.said(inventory) == [
        "list_attr_celeba.txt: line 1 says 10 rows, 5 follow. "
        "The list was cut or edited; fetch it again.",
        "identity_CelebA.txt: lacks 2 of the 10 images that the lists name. "
        "Fetch all three lists again.",
    ]
    assert inventory.findings[1].examples == ("000009.jpg", "000010.jpg")


def test_case_08_links_that_leave_the_root(tmp_path: Path) -> None:
    root = sick.celeba(tmp_path / "raw")
    outside = tmp_path / "outside.jpg"
    shutil.move(root / "img_align_celeba/000003.jpg", outside)
    (root / "img_align_celeba/000003.jpg").symlink_to(outside)
    (root / "img_align_celeba/000004.jpg").unlink()
    (root / "img_align_celeba/000004.jpg").symlink_to(tmp_path / "nothing.jpg")
    found = sick.said(sick.inspect("celeba", root))
    assert (
        "img_align_celeba: links that leave the data root: 1. Put the files themselves there."
        in found
    )
    assert (
        "img_align_celeba: links that lead to nothing: 1. "
        "Fetch the files that they stand for (git-annex and DataLad: `get`)."
    ) in found


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that nobody may enter as well, unlike pytest's."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


def test_case_16_what_may_not_be_read_is_named_with_its_owner(open_folder: Path) -> None:
    root = sick.celeba(open_folder / "raw")
    (root / "img_align_celeba/000003.jpg").chmod(0)
    (root / "identity_CelebA.txt").chmod(0)
    (root / "Anno").mkdir(mode=0)
    owner = os.stat(root).st_uid
    with trees.unprivileged():
        inventory = sick.inspect("celeba", root)
    found = sick.said(inventory)
    denied = f"cannot be read (Permission denied; owner: uid {owner})"
    assert f"Anno: {denied}. Ask the owner for permission to read it." in found
    image = "img_align_celeba/000003.jpg"
    assert f"{image}: {denied}. Ask the owner for permission to read it." in found
    assert f"identity_CelebA.txt: {denied}. Ask the owner for permission to read it." in found
    (root / "Anno").chmod(0o755)


def test_case_16_nothing_is_written_into_the_tree(tmp_path: Path) -> None:
    root = sick.ffpp(tmp_path / "raw")
    before = {path: path.stat().st_mtime_ns for path in [root, *root.rglob("*")]}
    sick.inspect("ffpp", root)
    assert {path: path.stat().st_mtime_ns for path in [root, *root.rglob("*")]} == before


def test_case_17_a_cut_image_is_found_by_deep(tmp_path: Path) -> None:
    root = sick.celeba(tmp_path / "raw")
    sick.wrong_inside(root / "img_align_celeba/000003.jpg")
    assert sick.said(sick.inspect("celeba", root)) == []
    [line] = sick.said(sick.inspect("celeba", root, deep=True))
    assert line.startswith("img_align_celeba: decoded in full, 1 file: truncated (the first: ")
