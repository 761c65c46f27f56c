"""What the splits lack is told by the doctor as by the manifest step, whatever it is lost by."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from helpers import own, sick, trees
from helpers.reading import fails, read
from PIL import Image

from lssat import grid
from lssat.data import doctor
from lssat.data.splits import requirements
from lssat.tables import MANIFEST, listed_counts, metadata, read_table

LACK = "what the runs of {} need is not there, as its lists and files show:\n  {}"


def gif(path: Path) -> None:
    Image.fromarray(trees.picture(1)).save(path, "GIF")


def away(path: Path) -> None:
    path.unlink()
    path.symlink_to("away")


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:300])


def by_steps(dataset: str, options, tmp_path: Path) -> str:
    """What stops the run after the manifest."""
    read(dataset, options, tmp_path)
    samples = read_table(tmp_path / "manifest.parquet", MANIFEST)
    about = metadata(samples)
    task = grid.read_task(about, tmp_path / "manifest.parquet")
    counts = listed_counts.read(about, tmp_path / "manifest.parquet")
    problem = requirements.lacking(dataset, samples, counts, task, options)
    return problem[0] if problem else ""


def by_doctor(dataset: str, options, deep: bool = False) -> str:
    inventory = doctor.inspect(dataset, options, True, deep, requirements.of(None))
    return "".join(error for error in sick.said(inventory) if "what the runs of" in error)


@pytest.mark.parametrize("spoil", [gif, away, cut, lambda path: path.write_bytes(b"")])
def test_a_class_whose_files_cannot_be_read_is_lacking(
    tmp_path: Path, spoil: Callable[[Path], object]
) -> None:
    """They may be lost, by `rejects_limit`; a split without the class may not be."""
    root = own.folders(tmp_path / "raw", ("fake", "real"), each=3)
    given = dict(kind="binary", positive="fake", rejects_limit=1.0)
    options = own.options(root, **given)
    assert by_doctor("mine", options) == by_steps("mine", options, tmp_path) == ""
    for path in (root / "val/real").iterdir():
        spoil(path)
    said = LACK.format("mine", "val: no real image (of 3 listed); there are 3 fake")
    assert said in by_doctor("mine", options, deep=spoil is cut)  # only a whole decoding tells
    assert by_steps("mine", options, tmp_path) == (said if spoil is not cut else "")


def test_a_method_without_its_folder_is_one_error(tmp_path: Path) -> None:
    """The lists do not name it then: that a split lacks it would be said of the same folder."""
    root = trees.ffpp(tmp_path / "raw")
    shutil.rmtree(root / "manipulated_sequences/Face2Face")
    inventory = doctor.inspect("ffpp", trees.ffpp_options(root), lacking=requirements.of(None))
    (error,) = sick.said(inventory)
    assert "there is no folder c23" in error


def test_a_file_in_the_place_of_a_folder_of_frames_is_a_reject(tmp_path: Path) -> None:
    """It ended the manifest step in a traceback."""
    root = trees.ffpp(tmp_path / "raw", kind="images")
    options = trees.ffpp_options(root)
    whole, lost = read("ffpp", options, tmp_path)
    assert lost == []
    folder = root / "original_sequences/youtube/c23/images/002"
    shutil.rmtree(folder)
    folder.write_text("images.zip")
    said = "1 format (original/c23/002: a file, not a folder of frames)"
    assert said in fails("ffpp", options, tmp_path)
    assert doctor.inspect("ffpp", options).number("error")
    rows, lost = read("ffpp", trees.ffpp_options(root, rejects_limit=1.0), tmp_path)
    assert sorted({*whole} - {*rows}) == [row["id"] for row in lost] == ["original/c23/002"]


def test_originals_that_are_empty_files_are_lacking(tmp_path: Path) -> None:
    root = trees.ffpp(tmp_path / "raw")
    options = trees.ffpp_options(root, rejects_limit=1.0)
    assert by_doctor("ffpp", options) == by_steps("ffpp", options, tmp_path) == ""
    for name in ("002", "071"):
        (root / f"original_sequences/youtube/c23/videos/{name}.mp4").write_bytes(b"")
    said = by_steps("ffpp", options, tmp_path)
    assert "test: no real video (of 2 listed); there are 2 Deepfakes, 2 Face2Face" in said
    assert said in by_doctor("ffpp", options)


@pytest.mark.parametrize("groups", [1, 2, 5, 20])
def test_a_trial_of_few_samples_is_held_to_what_it_keeps(tmp_path: Path, groups: int) -> None:
    """One image a class and part leaves splits without a class."""
    rows = [f"{number}.jpg,{number % 2}" for number in range(40)]
    root = own.listed(tmp_path / "raw", "path,label", rows)
    options = own.options(root, csv="list.csv", kind="binary", positive="1", limit=groups)
    said = by_steps("mine", options, tmp_path)
    assert bool(said) == (groups == 1)
    assert said in by_doctor("mine", options)
    assert bool(by_doctor("mine", options)) == bool(said)
