"""What the headers of files say: size, quality, sampling, codec; of every kind of file."""

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
from helpers import splits
from helpers.trees import picture, video
from PIL import Image

from lssat import tables
from lssat.data import formats
from lssat.tables import FACES, FORMATS, MANIFEST, DataError, read_table


@pytest.mark.parametrize("kind", ["RGB", "L"])
def test_the_quality_is_the_one_that_pillow_was_asked_for(kind: str) -> None:
    image = Image.fromarray(picture(0, 32, 32)).convert(kind)
    for quality in (1, 7, 25, 49, 50, 51, 75, 90, 95, 99, 100):
        data = io.BytesIO()
        image.save(data, "JPEG", quality=quality)
        found = formats._image(data.getvalue())
        assert found["quality"] == quality
        assert found["bytes"] == len(data.getvalue())


def test_tables_of_another_make_give_a_number_that_falls_with_their_coarseness() -> None:
    found = [formats.quality([step] * 64) for step in (1, 2, 5, 20, 80, 200)]
    assert found == sorted(found, reverse=True)
    assert len(set(found)) == len(found)


def _tree(root: Path) -> dict[str, tuple[str, str]]:
    """Write a file of each kind; id -> (path, media)."""
    image = Image.fromarray(picture(1, 60, 40))
    image.save(root / "a.jpg", quality=60, subsampling=2)
    image.save(root / "b.jpg", quality=80, subsampling=0, progressive=True)
    image.save(root / "c", "PNG")
    with zipfile.ZipFile(root / "d.zip", "w") as packed:
        packed.write(root / "a.jpg", "in/a.jpg")
    (root / "e").mkdir()
    for number in range(3):
        image.save(root / f"e/{number}.jpg", quality=70)
    video(root / "f.mp4", [picture(n, 64, 96) for n in range(5)])
    return {
        "a": ("a.jpg", "image"), "b": ("b.jpg", "image"), "c": ("c", "image"),
        "d": ("d.zip!/in/a.jpg", "image"), "e": ("e", "frames"), "f": ("f.mp4", "video"),
    }  # fmt: skip


def _write(root: Path, files: dict[str, tuple[str, str]], sides: dict[str, list[float]]) -> dict:
    manifest, faces, out = (root / f"{name}.parquet" for name in ("m", "s", "formats"))
    rows = [splits.sample(id, "train", 0, path=p, media=media) for id, (p, media) in files.items()]
    crops = [
        splits.crop(id, frame, 0, 0) | {"box": [3.0, 4.0, 3.0 + side, 4.0 + side], "n_frames": 5}
        for id, own in sides.items()
        for frame, side in enumerate(own)
    ]
    tables.write_table(manifest, rows, MANIFEST)
    tables.write_table(faces, crops, FACES)
    formats.write("mine", root, manifest, [faces], out)
    return {row["id"]: row for row in read_table(out, FORMATS).to_pylist()}


def test_a_row_a_sample_that_was_cropped(tmp_path: Path) -> None:
    files = _tree(tmp_path)
    found = _write(tmp_path, files, {id: [20.0, 30.0] for id in "fedba"})
    assert list(found) == list("abdef")  # c has no crop
    size = (tmp_path / "a.jpg").stat().st_size
    assert found["a"] == found["d"] | {"id": "a"} | {
        "seconds": pytest.approx(float("nan"), nan_ok=True)
    }
    names = ("kind", "sampling", "width", "height", "bytes", "quality")
    of_a = [found["a"][name] for name in names]
    assert of_a == ["JPEG", "4:2:0", 40, 60, size, 60]
    assert [found["b"][name] for name in ("kind", "sampling", "quality")] == [
        "progressive JPEG", "4:4:4", 80
    ]  # fmt: skip
    assert found["e"]["bytes"] == sum(file.stat().st_size for file in (tmp_path / "e").iterdir())
    assert (found["e"]["media"], found["e"]["quality"], found["e"]["side"]) == ("frames", 70, 25)
    f = found["f"]
    assert [f[n] for n in ("kind", "sampling", "width", "height")] == ["h264", "yuv420p", 96, 64]
    assert (f["frames"], f["bytes"]) == (5, (tmp_path / "f.mp4").stat().st_size)
    assert f["seconds"] == pytest.approx(0.2)
    assert np.isnan(f["quality"])


def test_a_png_and_a_jpeg_with_broken_metadata_are_described(tmp_path: Path) -> None:
    found = _write(tmp_path, {"c": _tree(tmp_path)["c"]}, {"c": [9.0]})["c"]
    assert (found["kind"], found["sampling"], found["side"]) == ("PNG", "RGB", 9)


def test_a_file_that_has_gone_since_is_named(tmp_path: Path) -> None:
    files = {"a": ("gone.jpg", "image")}
    with pytest.raises(DataError) as caught:
        _write(tmp_path, files, {"a": [9.0]})
    assert str(caught.value) == (
        f"{tmp_path}/gone.jpg: of mine was cropped and cannot be read any more "
        "(missing: no such file). Put it back as it was."
    )
    (tmp_path / "gone.jpg").write_bytes(b"\xff\xd8\xff" + bytes(50))
    with pytest.raises(DataError, match="cannot be read any more"):
        _write(tmp_path, files, {"a": [9.0]})
