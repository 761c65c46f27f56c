"""Frames and clips of videos in a shard: their rows, their common box, what is lost and why."""

from pathlib import Path

import numpy as np
import pytest
from helpers import trees
from PIL import Image

from lssat import tables
from lssat.data import faces
from lssat.data.faces.crop import crop
from lssat.tables import FACES, MANIFEST, REJECTS, metadata, open_shard, read_table


def shard(tmp_path: Path, media: dict[str, str], settings: dict | None = None, **options):
    """Crop samples, id -> kind of media; return crops, rows and rejects."""
    rows = [
        {"dataset": "ffpp", "id": id, "path": id, "media": kind, "labels": [0], "subset": ""}
        | {"split": "train", "groups": [id], "group": id, "box": []}
        for id, kind in media.items()
    ]
    tables.write_table(tmp_path / "m.parquet", rows, MANIFEST)
    out = [tmp_path / f"s{end}" for end in (".npy", ".parquet", ".rejects.parquet")]
    chosen = trees.ffpp_options(tmp_path, **options)
    detection = trees.FACES.model_copy(update=settings or {})
    faces.crop_shard(tmp_path / "m.parquet", "ffpp", chosen, detection, 0, *out)
    table = read_table(out[1], FACES)
    crops = open_shard(out[0], metadata(table)["sha256"], "")
    assert len(crops) == len(table)
    assert table["row"].to_pylist() == list(range(len(table)))
    return crops, table.to_pylist(), read_table(out[2], REJECTS).to_pylist()


def film(path: Path, frames: list[np.ndarray], **options: str) -> None:
    """A video without a suffix: only the content counts."""
    trees.video(path.with_suffix(".mp4"), frames, **options)
    path.with_suffix(".mp4").rename(path)


def moving(count: int) -> list[np.ndarray]:
    """A face that moves a pixel a frame."""
    return [trees.scene(1, left=n) for n in range(count)]


CLIPS = {"frames": 2, "clips": 2, "clip_frames": 3, "clip_stride": 2}


def test_frames_then_clips_in_order(tmp_path: Path) -> None:
    film(tmp_path / "v", moving(10))
    _, rows, rejects = shard(tmp_path, {"v": "video"}, **CLIPS)
    assert rejects == []
    assert [(row["clip"], row["frame"]) for row in rows] == [
        *((-1, 0), (-1, 9)),
        *((0, 0), (0, 2), (0, 4)),
        *((1, 5), (1, 7), (1, 9)),
    ]
    assert {row["n_frames"] for row in rows} == {10}


def test_a_clip_has_one_square_box_and_its_crops_are_cut_by_it(tmp_path: Path) -> None:
    frames = moving(10)
    folder = tmp_path / "v"
    folder.mkdir()
    for number, frame in enumerate(frames):
        Image.fromarray(frame).save(folder / f"{number:04d}.png")
    crops, rows, _ = shard(tmp_path, {"v": "frames"}, **CLIPS)
    for clip in (0, 1):
        mine = [row for row in rows if row["clip"] == clip]
        assert len({tuple(row["box"]) for row in mine}) == 1
        x0, y0, x1, y1 = map(int, mine[0]["box"])
        assert x1 - x0 == y1 - y0
        for row in mine:
            wanted = crop(frames[row["frame"]], x0, y0, x1 - x0, 32)
            assert np.array_equal(crops[row["row"]], wanted)
    single = {row["frame"]: row["box"] for row in rows if row["clip"] == -1}
    first, last = (next(row for row in rows if row["clip"] == clip)["box"] for clip in (0, 1))
    assert single[0][0] < first[0] < last[0] < single[9][0]  # medians lie between the ends


def test_a_folder_of_frames_gives_what_the_video_gives(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    film(tmp_path / "v", moving(6))
    for number, frame in enumerate(moving(6)):
        Image.fromarray(frame).save(tmp_path / "images" / f"{number:04d}.png")
    crops, rows, rejects = shard(tmp_path, {"images": "frames", "v": "video"}, frames=3)
    assert rejects == []
    assert [(row["id"], row["frame"]) for row in rows] == [
        *(("images", 0), ("images", 2), ("images", 5)),
        *(("v", 0), ("v", 2), ("v", 5)),
    ]
    difference = crops[:3].astype(int) - crops[3:]
    assert np.abs(difference).mean() < 4


def test_every_nth_frame(tmp_path: Path) -> None:
    film(tmp_path / "v", moving(10))
    _, rows, _ = shard(tmp_path, {"v": "video"}, frames=None, every=4)
    assert [row["frame"] for row in rows] == [0, 4, 8]


def test_a_video_too_short_for_a_clip_keeps_its_frames(tmp_path: Path) -> None:
    film(tmp_path / "v", moving(4))
    _, rows, rejects = shard(tmp_path, {"v": "video"}, **CLIPS)
    assert [(row["clip"], row["frame"]) for row in rows] == [(-1, 0), (-1, 3)]
    assert [(row["reason"], row["detail"]) for row in rejects] == [
        ("short_video", "0 of 2 clips: 4 frames, a clip spans 5")
    ]


def test_a_clip_with_a_frame_without_a_face_is_rejected(tmp_path: Path) -> None:
    frames = moving(10)
    frames[7] = np.full((192, 192, 3), 99, np.uint8)
    film(tmp_path / "v", frames)
    _, rows, rejects = shard(tmp_path, {"v": "video"}, **CLIPS)
    assert [row["clip"] for row in rows] == [-1, -1, 0, 0, 0]
    assert [(row["reason"], row["detail"]) for row in rejects] == [("no_face", "clip 1: frame 7")]


def test_follow_keeps_to_one_face_where_largest_jumps(tmp_path: Path) -> None:
    frames = []
    for second in (90, 110, 130):  # the right face grows past the left one
        frame = np.full((192, 340, 3), 128, np.uint8)
        frame[40:150, 20:130] = trees.face(1, 110)
        frame[20 : 20 + second, 180 : 180 + second] = trees.face(2, second)
        frames.append(frame)
    film(tmp_path / "v", frames)
    found = {}
    for rule in ("largest", "follow"):
        _, rows, _ = shard(tmp_path, {"v": "video"}, {"choose": rule, "margin": 1.0}, frames=3)
        assert {row["n_faces"] for row in rows} == {2}
        found[rule] = [row["box"][0] > 150 for row in rows]
    assert found == {"largest": [False, False, True], "follow": [False, False, False]}


def test_a_cut_video_leaves_no_row_of_its_first_pass(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (30, 40, 192, 3), dtype=np.uint8)
    frames = moving(30)
    for frame, strip in zip(frames, noise, strict=True):
        frame[152:] = strip
    film(tmp_path / "v", frames, movflags="faststart")
    whole = (tmp_path / "v").read_bytes()
    (tmp_path / "v").write_bytes(whole[: len(whole) * 2 // 3])
    _, rows, rejects = shard(tmp_path, {"v": "video"}, frames=4)
    n_frames = rows[0]["n_frames"]
    assert 5 < n_frames < 29
    assert [row["frame"] for row in rows] == [round(k * (n_frames - 1) / 3) for k in range(4)]
    assert rejects == []


def test_silent_error_an_unreadable_video_is_replaced_by_its_neighbour(tmp_path: Path) -> None:
    """Published loaders put the next sample, or sample 0, in its place."""
    for id in ("a", "c"):
        film(tmp_path / id, moving(3))
    (tmp_path / "b").write_bytes((tmp_path / "a").read_bytes()[:2000])
    _, rows, rejects = shard(tmp_path, {"a": "video", "b": "video", "c": "video"}, frames=2)
    assert [row["id"] for row in rows] == ["a", "a", "c", "c"]
    assert [(row["id"], row["path"], row["reason"]) for row in rejects] == [("b", "b", "no_frames")]


def test_silent_error_an_exception_in_the_work_is_swallowed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`pool.apply_async` without `get` loses every error; here the step stops, nothing written."""
    film(tmp_path / "v", moving(3))

    def broken(*_):
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr("lssat.data.faces.sample.crop", broken)
    with pytest.raises(ZeroDivisionError, match="a bug"):
        shard(tmp_path, {"v": "video"}, frames=2)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["m.parquet", "v"]


def test_crops_keep_red_green_blue(tmp_path: Path) -> None:
    red = trees.scene(1)
    red[..., 2] //= 2
    film(tmp_path / "v", [red] * 2)
    crops, _, _ = shard(tmp_path, {"v": "video"}, frames=2)
    assert crops[..., 0].mean() > 1.6 * crops[..., 2].mean()
