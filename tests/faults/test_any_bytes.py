"""Readers are given any bytes: what they cannot use is a reason or a message, nothing else.

A whole file is damaged at places that hypothesis draws: bytes are replaced, taken out, repeated.
The draws are the same each time (`derandomize`); what ever failed belongs below as a case.
"""

import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from helpers import trees
from helpers.reading import read
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from lssat.data import media
from lssat.data.datasets import lists
from lssat.data.media import Decoder, Plan, Unreadable, archive
from lssat.tables import DataError
from lssat.tables.npy import from_npy

FEW = dict(deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
REASONS = {"truncated", "unreadable", "format", "too_large", "too_small"}
# Where (a share of the file), how many bytes are taken out there, and what comes in their place.
DAMAGE = st.lists(
    st.tuples(st.floats(0, 1), st.integers(0, 40), st.binary(max_size=12)), min_size=1, max_size=3
)
TEXT = st.lists(
    st.tuples(
        st.floats(0, 1), st.integers(0, 9),
        st.sampled_from([b"", b"\n", b",", b'"', b" ", b"\0", b"../", b"/", b"-1", b"1e400", b"nan",
                         b"\xff", "é".encode(), b"9" * 30, b"\r", b"\t", b";"]),
    ),
    min_size=1, max_size=3,
)  # fmt: skip


def damaged(data: bytes, damage: list[tuple[float, int, bytes]]) -> bytes:
    for share, out, new in damage:
        place = int(share * len(data))
        data = data[:place] + new + data[place + out :]
    return data


def drawn(format: str) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(trees.picture(1, 24, 20)).save(buffer, format)
    return buffer.getvalue()


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "BMP"])
def test_any_bytes_in_place_of_an_image_are_an_image_or_a_reason(
    tmp_path: Path, format: str
) -> None:
    whole, file = drawn(format), tmp_path / "a.jpg"

    @settings(max_examples=100, **FEW)
    @given(DAMAGE)
    def attempt(damage: list) -> None:
        file.write_bytes(damaged(whole, damage))
        try:
            found = media.read_image(file, memory=64)
        except Unreadable as why:
            assert why.reason in REASONS  # noqa: PT017
        else:
            assert found.dtype == np.uint8
            assert found.ndim == 3
            assert found.shape[2] == 3

    attempt()


def test_any_bytes_in_place_of_a_shard_are_an_array_or_no_npy() -> None:
    buffer = io.BytesIO()
    np.save(buffer, np.arange(60, dtype=np.uint8).reshape(5, 4, 3))

    @settings(max_examples=100, **FEW)
    @given(DAMAGE)
    def attempt(damage: list) -> None:
        data = damaged(buffer.getvalue(), damage)
        try:
            found = from_npy(data)
        except ValueError:
            return
        assert found.nbytes <= len(data)

    attempt()


def test_any_bytes_in_place_of_an_archive_are_members_or_a_message(tmp_path: Path) -> None:
    whole = tmp_path / "whole.zip"
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as made:
        for name in ("i/1.jpg", "i/2.txt"):
            made.writestr(name, drawn("JPEG") + bytes(500))
    data, number = whole.read_bytes(), iter(range(10_000))

    @settings(max_examples=100, **FEW)
    @given(DAMAGE)
    def attempt(damage: list) -> None:
        file = tmp_path / f"{next(number)}.zip"  # the directory of an archive is read once
        file.write_bytes(damaged(data, damage))
        try:
            members = archive.names(file)
        except DataError as error:
            assert file.name in str(error)  # noqa: PT017
            return
        for member in members:
            assert not member.startswith("/")
            assert ".." not in member.split("/")
            try:
                assert len(archive.read(f"{file}!/{member}")) <= archive.LIMIT
            except OSError:  # damaged, or too large
                continue

    attempt()


@pytest.mark.parametrize(
    "name", ["../a.jpg", "/a.jpg", "i/../../a.jpg", "..\\a.jpg", "C:\\a.jpg", "i/..", ".."]
)
def test_a_member_of_an_archive_never_leads_out(tmp_path: Path, name: str) -> None:
    file = tmp_path / "a.zip"
    with zipfile.ZipFile(file, "w") as made:
        made.writestr("i/1.jpg", b"1")
        made.writestr(name, b"2")
    with pytest.raises(DataError, match="leads out of it"):
        archive.names(file)


def test_a_bomb_in_an_archive_is_not_unpacked(tmp_path: Path) -> None:
    file = tmp_path / "a.zip"
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as made, made.open("a.jpg", "w") as out:
        for _ in range(archive.LIMIT // (1 << 22) + 1):
            out.write(bytes(1 << 22))
    assert file.stat().st_size < archive.LIMIT / 500
    with pytest.raises(Unreadable, match="the limit is") as caught:
        media.read_image(f"{file}!/a.jpg")
    assert caught.value.reason == "too_large"


def celeba(root: Path) -> tuple[str, object]:
    made = trees.celeba(root, ["000001.jpg", "000002.jpg"], "01", ["5", "6"], "jpg")
    return "celeba", trees.celeba_options(made)


def affectnet(root: Path) -> tuple[str, object]:
    rows = {
        "train": [("1/a.jpg", trees.BOX, "1"), ("1/b.jpg", trees.BOX, "2")],
        "val": [("2/c.jpg", trees.BOX, "3")],
    }
    return "affectnet", trees.affectnet_options(trees.affectnet_csv(root, rows))


def ffpp(root: Path) -> tuple[str, object]:
    return "ffpp", trees.ffpp_options(trees.ffpp(root))


@pytest.mark.parametrize(
    ("make", "file"),
    [
        (celeba, "list_attr_celeba.txt"),
        (celeba, "list_eval_partition.txt"),
        (celeba, "identity_CelebA.txt"),
        (affectnet, "training.csv"),
        (ffpp, "splits/val.json"),
    ],
    ids=lambda each: each.__name__ if callable(each) else each,
)
def test_any_text_in_place_of_a_list_is_a_manifest_or_a_message(
    tmp_path: Path, make: Callable[[Path], tuple[str, object]], file: str
) -> None:
    """Boxes stand in AffectNet's list."""
    root = tmp_path / "raw"
    name, options = make(root)
    (place,) = root.rglob(file)
    whole = place.read_bytes()

    @settings(max_examples=25, **FEW)
    @given(TEXT)
    def attempt(damage: list) -> None:
        place.write_bytes(damaged(whole, damage))
        try:
            read(name, options, tmp_path)
        except DataError as error:
            assert str(error).endswith(".")  # noqa: PT017

    attempt()


def test_any_bytes_in_place_of_text_are_lines_or_a_message(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"

    @settings(max_examples=100, **FEW)
    @given(st.binary(max_size=80))
    def attempt(data: bytes) -> None:
        file.write_bytes(data)
        try:
            found = list(lists.lines(file))
        except DataError as error:
            assert str(error).startswith(f"{file}")  # noqa: PT017
        else:
            assert [number for number, _ in found] == sorted({number for number, _ in found})

    attempt()


def test_any_bytes_in_place_of_a_video_are_frames_or_a_reason(tmp_path: Path) -> None:
    whole, file = tmp_path / "whole.mp4", tmp_path / "a.mp4"
    trees.video(whole, [trees.picture(n, 64, 64) for n in range(8)])
    data = whole.read_bytes()
    with Decoder(timeout=20, memory=256) as decoder:

        @settings(max_examples=40, **FEW)
        @given(DAMAGE)
        def attempt(damage: list) -> None:
            file.write_bytes(damaged(data, damage))
            try:
                items = list(decoder.read(file, "video", Plan(frames=3)))
            except Unreadable:
                return
            frames = [each for each in items if isinstance(each[1], np.ndarray)]
            assert all(frame.dtype == np.uint8 for _, frame in frames)

        attempt()
