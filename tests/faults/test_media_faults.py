"""Cases 17 to 20, 24 and 25: bad media in a shard get a reason, the others are kept."""

import io
import os
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from helpers import trees
from PIL import Image
from skimage import data

from lssat import tables
from lssat.data import faces
from lssat.tables import FACES, MANIFEST, REJECTS, metadata, open_shard, read_table

SIZE = 32


def encoded(image: Image.Image, format: str, **options) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format, **options)
    return buffer.getvalue()


def crop_all(folder: Path, media: str = "image", settings: dict | None = None, frames: int = 2):
    """Crop every file of a folder; return crops and row by id, and reject by id."""
    rows = [
        {"dataset": "x", "id": path.name, "path": path.name, "media": media, "labels": [0]}
        | {"subset": "", "split": "train", "groups": ["g"], "group": "g", "box": []}
        for path in sorted(folder.iterdir())
    ]
    out = folder.parent / "out"
    tables.write_table(out / "m.parquet", rows, MANIFEST)
    files = [out / f"s{end}" for end in (".npy", ".parquet", ".rejects.parquet")]
    options = trees.ffpp_options(folder, frames=frames)
    chosen = trees.FACES.model_copy(update={"size": SIZE, "memory": 300} | (settings or {}))
    faces.crop_shard(out / "m.parquet", "x", options, chosen, 0, *files)
    table = read_table(files[1], FACES)
    crops = open_shard(files[0], metadata(table)["sha256"], "")
    kept = {row["id"]: (crops[row["row"]], row) for row in table.to_pylist()}
    lost = {
        row["id"]: (row["reason"], row["detail"])
        for row in read_table(files[2], REJECTS).to_pylist()
    }
    assert len(kept) + len(lost) == len(rows)
    return kept, lost


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    (tmp_path / "raw").mkdir()
    return tmp_path / "raw"


def test_case_17_a_cut_jpeg_and_an_empty_one(raw: Path) -> None:
    whole = encoded(Image.fromarray(trees.picture(1)), "JPEG", quality=95)
    for name, content in {
        "a-whole": whole,
        "b-half": whole[: len(whole) // 2],
        "c-nearly": whole[:-300],
        "d-empty": b"",
        "e-head": whole[:20],
        "f-zeros": bytes(5000),
        "g-whole": whole,
    }.items():
        (raw / f"{name}.jpg").write_bytes(content)
    kept, lost = crop_all(raw)
    assert sorted(kept) == ["a-whole.jpg", "g-whole.jpg"]
    reasons = {name[2:-4]: reason for name, (reason, _) in lost.items()}
    assert reasons == {
        **dict(half="truncated", nearly="truncated", empty="unreadable", head="unreadable"),
        "zeros": "format",
    }


def psd() -> bytes:
    head = b"8BPS" + struct.pack(">H6xHIIHH", 1, 3, 20, 20, 8, 3)
    return head + bytes(12) + struct.pack(">H", 0) + bytes(1200)


def test_case_18_content_decides_and_not_the_suffix(raw: Path) -> None:
    image = Image.fromarray(trees.picture(2, 64, 64))
    (raw / "png.jpg").write_bytes(encoded(image, "PNG"))
    for name in ("TIFF", "EPS", "GIF", "PPM", "ICO", "JPEG2000"):
        (raw / f"{name}.jpg").write_bytes(encoded(image, name))
    (raw / "PSD.jpg").write_bytes(psd())
    (raw / "SVG.jpg").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    (raw / "HTML.jpg").write_text("<html><title>Quota exceeded</title></html>")
    kept, lost = crop_all(raw)
    assert list(kept) == ["png.jpg"]
    assert {reason for reason, _ in lost.values()} == {"format"}
    assert len(lost) == 9
    assert "first bytes b'<html>" in lost["HTML.jpg"][1]


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def bomb() -> bytes:
    """10,000 x 10,000 black pixels in 12 kB of PNG."""
    head = struct.pack(">IIBBBBB", 10_000, 10_000, 1, 0, 0, 0, 0)
    lines = zlib.compress(bytes(1251 * 10_000), 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", lines) + chunk(b"IEND", b"")


def test_case_19_bombs_and_single_pixels(raw: Path) -> None:
    assert len(bomb()) < 13_000
    (raw / "bomb.jpg").write_bytes(bomb())
    (raw / "pixel.jpg").write_bytes(encoded(Image.new("RGB", (1, 1)), "PNG"))
    wide = Image.new("1", (9000, 9000))  # allowed by its size, not by the memory
    (raw / "wide.jpg").write_bytes(encoded(wide, "PNG"))
    (raw / "zgood.jpg").write_bytes(encoded(Image.fromarray(trees.picture(3)), "PNG"))
    kept, lost = crop_all(raw)
    assert list(kept) == ["zgood.jpg"]
    assert [reason for reason, _ in lost.values()] == ["too_large", "too_small", "too_large"]
    assert (
        lost["wide.jpg"][1]
        == "PNG of 9000 x 9000 px takes 642 MiB, the limit is 300 (faces.memory)"
    )


def test_case_20_every_kind_of_pixel_becomes_upright_rgb(raw: Path) -> None:
    upright = trees.picture(4, 64, 64)
    image, grey = Image.fromarray(upright), upright[..., 0]
    exif = Image.Exif()
    exif[0x0112] = 6
    lying = Image.fromarray(np.ascontiguousarray(np.rot90(upright)))
    pictures = {
        "exif": (encoded(lying, "PNG", exif=exif), upright),
        "grey": (encoded(Image.fromarray(grey), "PNG"), np.dstack([grey] * 3)),
        "deep": (
            encoded(Image.fromarray(grey.astype(np.uint16) * 256 + 99), "PNG"),
            np.dstack([grey] * 3),
        ),
        "alpha": (encoded(Image.fromarray(np.dstack([upright, grey])), "PNG"), upright),
        "palette": (
            encoded(image.quantize(16), "PNG"),
            np.asarray(image.quantize(16).convert("RGB")),
        ),
    }
    for name, (content, _) in pictures.items():
        (raw / name).write_bytes(content)
    (raw / "cmyk").write_bytes(encoded(Image.new("CMYK", (64, 64), (0, 255, 255, 0)), "JPEG"))
    kept, lost = crop_all(raw, settings={"size": 64})
    assert lost == {}
    for name, (_, wanted) in pictures.items():
        assert np.array_equal(kept[name][0], wanted), name
    assert np.abs(kept["cmyk"][0].astype(int) - [255, 0, 0]).max() <= 3


@pytest.mark.slow
def test_case_24_a_slow_video_costs_itself_alone(raw: Path) -> None:
    """A large video stands for one whose decoder hangs; tests/media has real hangs and crashes."""
    noise = np.random.default_rng(0).integers(0, 256, (720, 1280, 3), dtype=np.uint8)
    trees.motion_jpeg(raw / "b-slow.mp4", [noise] * 200)
    for name in ("a", "c"):
        trees.video(raw / f"{name}.mp4", [trees.scene(1)] * 2)
    kept, lost = crop_all(raw, "video", {"timeout": 0.15})
    assert sorted(kept) == ["a.mp4", "c.mp4"]
    assert lost == {"b-slow.mp4": ("timeout", "not decoded in 0.15 s")}


def test_case_24_a_pipe_is_not_waited_for(raw: Path) -> None:
    os.mkfifo(raw / "b-pipe.mp4")  # whoever opened it would wait for ever
    for name in ("a", "c"):
        trees.video(raw / f"{name}.mp4", [trees.scene(1)] * 2)
    kept, lost = crop_all(raw, "video")
    assert sorted(kept) == ["a.mp4", "c.mp4"]
    assert lost == {"b-pipe.mp4": ("format", "not an ordinary file")}


def test_case_25_no_face_and_several(raw: Path) -> None:
    two = np.full((240, 340, 3), 128, np.uint8)
    two[20:220, 140:340], two[60:160, 10:110] = trees.face(3, 200), trees.face(5, 100)
    trees.video(raw / "none.mp4", [np.array(Image.fromarray(data.coffee()).resize((320, 240)))] * 2)
    trees.video(raw / "two.mp4", [two] * 2)
    kept, lost = crop_all(raw, "video", frames=1)
    assert list(kept) == ["two.mp4"]
    row = kept["two.mp4"][1]
    assert row["n_faces"] == 2
    assert 200 < (row["box"][0] + row["box"][2]) / 2 < 280  # the larger one, on the right
    assert lost == {"none.mp4": ("no_face", "frame 0")}
