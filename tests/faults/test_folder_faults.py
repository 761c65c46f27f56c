"""D9: `lssat predict --frame-folders` on a folder of folders."""

from pathlib import Path

import pytest
from helpers import trees

from lssat.tables import DataError
from lssat.use.predict.files import files


def videos(root: Path, *names: str) -> Path:
    for name in names:
        trees.jpeg(root / name / "0000.jpg", trees.picture(0, 32, 32))
    return root


@pytest.mark.parametrize(
    ("there", "found"),
    [
        (["a"], ["a"]),
        (["a", "b"], ["a", "b"]),
        (["real/a", "fake/b/c"], ["fake/b/c", "real/a"]),
        ([".cache", "b"], ["b"]),
    ],
)
def test_fault_d9_the_videos_in_a_folder_of_folders(
    tmp_path: Path, there: list[str], found: list[str]
) -> None:
    root = videos(tmp_path / "in", *there)
    (root / "notes.txt").touch()
    assert files([root], True) == [(root / name, "frames") for name in found]


def test_fault_d9_a_folder_of_images_is_one_video(tmp_path: Path) -> None:
    root = videos(tmp_path, ".", "thumbs")
    assert files([root], True) == [(root, "frames")]


def test_fault_d9_folders_without_an_image_are_named(tmp_path: Path) -> None:
    (tmp_path / "in/a").mkdir(parents=True)
    (tmp_path / "in/a/0.tif").touch()
    with pytest.raises(DataError, match="in: holds no image, nor does a folder in it"):
        files([tmp_path / "in"], True)
