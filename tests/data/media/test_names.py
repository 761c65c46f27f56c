"""A name is a name: no part of it is a protocol or a pattern, and no file opens another."""

import os
from pathlib import Path

import numpy as np
import pytest
from helpers.trees import motion_jpeg, picture
from PIL import Image

from lssat.data.media import Decoder, Plan, Unreadable, Use, kind, read, read_again, times

NAMES = [
    "10:30.mp4",
    "-i.mp4",
    "http:a.mp4",
    "file:a.mp4",
    "concat:a.mp4|b.mp4",
    "pipe:0",
    "subfile,,start,0,end,9,,:a.mp4",
    "data:video,a",
    "a%d.mp4",
    "a%03d.mp4",
    "two\nlines.mp4",
    " blanks .mp4 ",
    "*.mp4",
    "no text \udcff.mp4",
    "'quoted' \"twice\" $HOME.mp4",
]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, so that names can be given without one."""
    monkeypatch.chdir(tmp_path)
    motion_jpeg(tmp_path / "a.mp4", [picture(9, 32, 48)] * 5)  # what a pattern would open
    return tmp_path


@pytest.mark.parametrize("name", NAMES)
def test_fault_d4_a_name_without_a_folder_is_the_file(here: Path, name: str) -> None:
    motion_jpeg(here / "plain.avi", [picture(n, 64, 64) for n in range(4)])
    os.rename("plain.avi", name)
    assert kind(name) == "video"
    use, *frames = read(name, "video", Plan(frames=2))
    assert isinstance(use, Use)
    assert (use.n_frames, [index for index, _ in frames]) == (4, [0, 3])
    assert frames[0][1].shape == (64, 64, 3)
    ((_, again),) = read_again(name, "video", [3])
    assert np.array_equal(again, frames[1][1])
    assert times(name) == pytest.approx([0, 0.04, 0.08, 0.12])


@pytest.mark.parametrize("name", NAMES)
def test_fault_d4_a_name_of_no_file_is_missing(here: Path, name: str) -> None:
    for media in ("video", "image", "frames"):
        with pytest.raises(Unreadable) as caught:
            list(read(name, media, Plan()))
        assert caught.value.reason == "missing"


def test_fault_d4_names_go_through_the_process_unchanged(here: Path) -> None:
    with Decoder(60.0, 512) as decoder:
        for name in NAMES:
            motion_jpeg(here / "plain.avi", [picture(1, 64, 64)] * 2)
            os.rename("plain.avi", name)
            assert len(list(decoder.read(name, "video", Plan(frames=2)))) == 3
            os.remove(name)
            Image.fromarray(picture(1)).save("plain.png")
            os.rename("plain.png", name)
            assert kind(name) == "image"
            ((_, image),) = list(decoder.read(name, "image", Plan()))[1:]
            assert np.array_equal(image, picture(1))


def test_fault_d4_a_folder_that_is_called_like_an_archive(here: Path) -> None:
    """`list.zip!/a.png` is a member of an archive only where there is no such file."""
    (here / "list.zip!").mkdir()
    Image.fromarray(picture(1)).save(here / "list.zip!/a.png")
    ((_, image),) = list(read(here / "list.zip!/a.png", "image", Plan()))[1:]
    assert np.array_equal(image, picture(1))
