"""Members of a zip are read in place, or say why not."""

import io
import multiprocessing
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest
from helpers import trees
from PIL import Image

from lssat.data import media
from lssat.data.media import archive
from lssat.tables import DataError


def zipped(path: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w") as file:
        for name, data in members.items():
            file.writestr(name, data)
    return path


def jpeg(seed: int) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(trees.picture(seed)).save(buffer, "JPEG")
    return buffer.getvalue()


def test_a_member_decodes_as_the_file_does(tmp_path: Path) -> None:
    file = zipped(tmp_path / "i.zip", {"i/1.jpg": jpeg(1), "i/2.jpg": jpeg(2)})
    (tmp_path / "1.jpg").write_bytes(jpeg(1))
    assert archive.names(file) == ["i/1.jpg", "i/2.jpg"]
    decoded = media.read_image(Path(f"{file}!/i/1.jpg"))
    np.testing.assert_array_equal(decoded, media.read_image(tmp_path / "1.jpg"))


def test_the_directory_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = zipped(tmp_path / "i.zip", {f"i/{n}.txt": b"%d" % n for n in range(5)})
    opened = []
    real = zipfile.ZipFile
    monkeypatch.setattr(zipfile, "ZipFile", lambda path: opened.append(path) or real(path))
    archive.names(file)
    assert [archive.read(f"{file}!/i/{n}.txt") for n in range(5)] == [b"0", b"1", b"2", b"3", b"4"]
    assert opened == [str(file)]


def _sum(path: str, numbers: list[int]) -> int:
    return sum(int(archive.read(f"{path}!/{n}.txt")[:9]) for n in numbers)


def test_forked_processes_do_not_disturb_each_other(tmp_path: Path) -> None:
    """They would share the position of one open file, and read each other's members."""
    members = {f"{n}.txt": b"%09d" % n + bytes(100_000) for n in range(40)}
    file = str(zipped(tmp_path / "i.zip", members))
    assert _sum(file, [3]) == 3  # opened before the fork
    with multiprocessing.get_context("fork").Pool(2) as pool:
        sums = pool.starmap(_sum, [(file, list(range(40)))] * 8)
    assert sums == [sum(range(40))] * 8


def test_case_08_members_that_lead_out_are_refused(tmp_path: Path) -> None:
    for name in ("../x.jpg", "i/../../x.jpg", "/etc/x.jpg"):
        file = zipped(tmp_path / f"{len(name)}.zip", {name: b"x"})
        with pytest.raises(DataError, match=r"which leads out of it. Fetch it again"):
            archive.names(file)


@pytest.mark.parametrize("content", [b"PK\x03\x04 and no more", b"Rar!\x1a\x07"])
def test_case_06_what_is_no_zip(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "i.zip").write_bytes(content)
    with pytest.raises(DataError, match=r"i.zip: is not a readable zip archive \(.*fetch it aga"):
        archive.names(tmp_path / "i.zip")


def reason(path: Path | str) -> str:
    with pytest.raises(media.Unreadable) as caught:
        media.read_image(path)
    return caught.value.reason


def test_case_17_a_damaged_member_is_rejected_and_the_others_are_read(tmp_path: Path) -> None:
    file = zipped(tmp_path / "i.zip", {"1.jpg": jpeg(1), "2.jpg": jpeg(2)})
    data = bytearray(file.read_bytes())
    data[200] ^= 1
    file.write_bytes(data)
    assert reason(f"{file}!/1.jpg") == "unreadable"  # the member's checksum
    assert media.read_image(f"{file}!/2.jpg").shape == (218, 178, 3)


def test_case_15_an_absent_member_or_archive_is_missing(tmp_path: Path) -> None:
    file = zipped(tmp_path / "i.zip", {"1.jpg": jpeg(1)})
    assert reason(f"{file}!/2.jpg") == "missing"
    assert reason(f"{tmp_path}/other.zip!/1.jpg") == "missing"


def test_case_19_a_member_beyond_the_limit_is_not_read(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "i.zip", "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("bomb.jpg", bytes(archive.LIMIT + 1))
    assert (tmp_path / "i.zip").stat().st_size < 100_000
    assert reason(f"{tmp_path}/i.zip!/bomb.jpg") == "too_large"


def test_case_19_a_member_that_lies_about_its_size(tmp_path: Path) -> None:
    """A size of 9 in both of its headers: no more than 9 bytes are taken, and the sum is wrong."""
    path = tmp_path / "i.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("bomb.jpg", bytes(1_000_000))
    size = struct.pack("<I", 1_000_000)
    data = path.read_bytes()
    assert data.count(size) == 2
    path.write_bytes(data.replace(size, struct.pack("<I", 9)))
    assert reason(f"{path}!/bomb.jpg") == "unreadable"
