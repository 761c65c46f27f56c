"""Miniature raw trees in the official layouts, drawn by code, and options to read them with."""

import json
import os
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import av
import numpy as np
from PIL import Image
from skimage import data

from lssat import params
from lssat.data.datasets.celeba import ATTRIBUTES

FACES = params.Faces(size=32, margin=1.3, min_face_size=40.0, threshold=0.7)
METHODS = ["Deepfakes", "Face2Face"]
BEGINNING = b"\0\0\0\x18ftypmp42" + bytes(12)  # of a video that holds no more
PAIRS = {"train": [["000", "003"]], "val": [["001", "870"]], "test": [["002", "071"]]}


def ffpp_options(root: Path, **other) -> params.Dataset:
    values = {"shards": 1, "rejects_limit": 0.0, "compression": "c23", "methods": METHODS}
    return params.SECTIONS["ffpp"](**{"root": str(root), **values, "frames": 2, **other})


def celeba_options(root: Path, **other) -> params.Dataset:
    return params.SECTIONS["celeba"](
        **{"root": str(root), "shards": 1, "rejects_limit": 0.0, **other}
    )


def options_of_a_test_set(dataset: str, root: Path, **other) -> params.Dataset:
    """Options of `celebdf`, `dfdc` or `dfd`."""
    model = params.SECTIONS[dataset]
    values = {"compression": "c23"} if dataset == "dfd" else {}
    common = {"root": str(root), "shards": 1, "rejects_limit": 0.0, "frames": 2}
    return model(**{**common, **values, **other})


def affectnet_options(root: Path, **other) -> params.Dataset:
    values = {"shards": 1, "rejects_limit": 0.0, "classes": 8}
    return params.SECTIONS["affectnet"](**{"root": str(root), **values, **other})


def picture(seed: int, height: int = 218, width: int = 178) -> np.ndarray:
    """Smooth colours, so that JPEG keeps them near."""
    small = np.random.default_rng(seed).integers(0, 256, (6, 5, 3), dtype=np.uint8)
    image = Image.fromarray(small).resize((width, height), Image.Resampling.BICUBIC)
    return np.asarray(image)


def jpeg(path: Path, image: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(image).save(path, "JPEG", quality=95)


def face(number: int, side: int = 150) -> np.ndarray:
    """One of the 100 faces that ship with scikit-image, enlarged: uint8 (side, side, 3)."""
    grey = Image.fromarray((data.lfw_subset()[number] * 255).astype(np.uint8))
    return np.asarray(grey.resize((side, side), Image.Resampling.BICUBIC).convert("RGB"))


def scene(number: int, left: int = 21, top: int = 21) -> np.ndarray:
    """A face on a wall: uint8 (192, 192, 3)."""
    frame = np.full((192, 192, 3), 128, np.uint8)
    frame[top : top + 150, left : left + 150] = face(number)
    return frame


def video(path: Path, frames: list[np.ndarray], **options: str) -> None:
    """Encode frames as H.264, nearly without loss."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w", options=options) as container:
        stream = container.add_stream("libx264", rate=25)
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        stream.options = {"crf": "10", "threads": "1"}
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode())


def clip(path: Path, number: int, moving: bool, kind: str = "videos") -> None:
    """Two frames of a face that moves, as `<path>.mp4` or `<path>/0000.png`; or a beginning."""
    dark, number = divmod(number, 12)  # MTCNN finds the face in each of these twelve scenes
    light = 1 - dark / 8  # no two videos are alike: the audit would find that one leaks
    scenes = [scene(number), scene(number, left=30)] if moving else []
    frames = [(frame * light).astype(np.uint8) for frame in scenes]
    if kind == "images":
        path.mkdir(parents=True, exist_ok=True)
        if not moving:
            (path / "0000.png").write_bytes(b"\x89PNG\r\n\x1a\n")
        for index, frame in enumerate(frames):
            Image.fromarray(frame).save(path / f"{index:04d}.png")
        return
    path = path.parent / f"{path.name}.mp4"
    if moving:
        video(path, frames)
    else:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(BEGINNING)


def ffpp(
    root: Path,
    pairs: dict[str, list] = PAIRS,
    moving: bool = False,
    compression: str = "c23",
    kind: str = "videos",
) -> Path:
    """Pair lists and videos; without `moving` the videos are empty, for the manifest."""
    (root / "splits").mkdir(parents=True, exist_ok=True)
    number = 0
    for split, listed in pairs.items():
        (root / f"splits/{split}.json").write_text(json.dumps(listed))
        for a, b in listed:
            names = [f"original_sequences/youtube/{compression}/{kind}/{name}" for name in (a, b)]
            for method in METHODS:
                folder = f"manipulated_sequences/{method}/{compression}/{kind}"
                names += [f"{folder}/{a}_{b}", f"{folder}/{b}_{a}"]
            for name in names:
                number += 1
                clip(root / name, number, moving, kind)
    return root


def dfd(root: Path, moving: bool = False) -> Path:
    """Two actors in one scene, and the one's face on the other."""
    names = ["original_sequences/actors/c23/videos/01__exit_phone_room"]
    names += ["original_sequences/actors/c23/videos/02__exit_phone_room"]
    folder = "manipulated_sequences/DeepFakeDetection/c23/videos"
    names += [f"{folder}/01_02__exit_phone_room__YVGY8LOK"]
    for number, name in enumerate(names):
        clip(root / name, number, moving)
    return root


CELEBDF = (
    "1 YouTube-real/00170.mp4\n1 Celeb-real/id1_0007.mp4\n0 Celeb-synthesis/id1_id0_0007.mp4\n"
)


def celebdf(root: Path, listed: str = CELEBDF, moving: bool = False) -> Path:
    """The official list (1 is real there), its videos, and one that is not listed."""
    for number, line in enumerate([*listed.splitlines(), "1 Celeb-real/id9_0000.mp4"]):
        clip(root / line.split()[1].removesuffix(".mp4"), number, moving)
    (root / "List_of_testing_videos.txt").write_text(listed)
    return root


DFDC = {
    "aaa.mp4": {"label": "FAKE", "split": "train", "original": "bbb.mp4"},
    "bbb.mp4": {"label": "REAL", "split": "train"},
}


def dfdc(root: Path, parts: dict[str, dict] | None = None, moving: bool = False) -> Path:
    """Folders with `metadata.json`, by default two training parts of two videos."""
    second = {f"c{name}": entry for name, entry in DFDC.items()}
    parts = {"dfdc_train_part_0": DFDC, "dfdc_train_part_1": second} if parts is None else parts
    for folder, entries in parts.items():
        (root / folder).mkdir(parents=True, exist_ok=True)
        (root / folder / "metadata.json").write_text(json.dumps(entries))
        for number, name in enumerate(entries):
            clip(root / folder / name.removesuffix(".mp4"), number, moving)
    return root


def celeba(
    root: Path, names: list[str], splits: str, identities: list[str], form: str = "jpg"
) -> Path:
    """The three lists and the images; attribute j of image i is 1 where (i + j) % 3 is 0.

    `form`: jpg or png (folders, as the release names them) or zip.
    """
    root.mkdir(parents=True, exist_ok=True)
    rows = []
    for i, name in enumerate(names):
        values = [" 1" if (i + j) % 3 == 0 else "-1" for j in range(len(ATTRIBUTES))]
        rows.append(f"{name} {' '.join(values)}")
        if form == "png":
            png = root / "img_align_celeba_png" / name.replace(".jpg", ".png")
            png.parent.mkdir(exist_ok=True)
            Image.fromarray(picture(i)).save(png)
        else:
            jpeg(root / "img_align_celeba" / name, picture(i))
    if form == "zip":
        pack(root / "img_align_celeba")
    text = "\n".join([str(len(names)), " ".join(ATTRIBUTES), *rows]) + "\n"
    (root / "list_attr_celeba.txt").write_text(text)
    pairs = zip(names, splits, strict=True)
    (root / "list_eval_partition.txt").write_text("".join(f"{n} {s}\n" for n, s in pairs))
    pairs = zip(names, identities, strict=True)
    (root / "identity_CelebA.txt").write_text("".join(f"{n} {s}\n" for n, s in pairs))
    return root


def pack(folder: Path) -> None:
    """Replace a folder by a zip of its name, stored without compression as the official one."""
    with zipfile.ZipFile(folder.with_suffix(".zip"), "w") as archive:
        archive.mkdir(folder.name)
        for file in sorted(folder.iterdir()):
            archive.write(file, f"{folder.name}/{file.name}")
            file.unlink()
    folder.rmdir()


def affectnet(root: Path, codes: dict[str, dict[str, str]]) -> Path:
    """Crops and annotations; `codes` is split -> id -> expression as text."""
    for split in ("train", "val"):
        (root / f"{split}_set/annotations").mkdir(parents=True, exist_ok=True)
        (root / f"{split}_set/images").mkdir(parents=True, exist_ok=True)
        for number, (id, code) in enumerate(codes.get(split, {}).items()):
            np.save(root / f"{split}_set/annotations/{id}_exp.npy", np.array([code]))
            jpeg(root / f"{split}_set/images/{id}.jpg", picture(number, 64, 64))
    return root


HEADER = (
    "subDirectory_filePath,face_x,face_y,face_width,face_height,facial_landmarks,"
    "expression,valence,arousal"
)
BOX = "21,21,150,150"  # of `scene`


def affectnet_csv(root: Path, rows: dict[str, list[tuple[str, str, str]]]) -> Path:
    """Uncropped images and the two lists; `rows` is split -> (path, box, expression)."""
    for split, name in (("train", "training.csv"), ("val", "validation.csv")):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / "Manually_Annotated_Images").mkdir(exist_ok=True)
        lines = [HEADER]
        for number, (path, box, code) in enumerate(rows.get(split, [])):
            jpeg(root / "Manually_Annotated_Images" / path, scene(number % 100))
            lines.append(f"{path},{box},181.64;530.91;181.32;552.96,{code},-0.047619,0.2")
        (root / name).write_text("\r\n".join(lines) + "\r\n")
    return root


def affectnet_folders(root: Path, classes: list[str], each: int = 1) -> Path:
    """Crops below a folder of their class, in `train` and `val`."""
    for split in ("train", "val"):
        for number, name in enumerate(classes):
            for index in range(each):
                file = root / split / name / f"image{index:07d}.jpg"
                jpeg(file, picture(10 * number + index, 64, 64))
    return root


@contextmanager
def unprivileged() -> Iterator[None]:
    """Run as nobody where the tests are run as root, whom no permission stops."""
    if os.geteuid():
        yield
        return
    "".encode("cp437")  # zipfile loads it, and nobody need not be able to read Python's own files
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


def motion_jpeg(path: Path, frames: list[np.ndarray]) -> None:
    """Write an AVI: quick to encode, slow to decode, under any name."""
    with av.open(str(path), "w", format="avi") as container:
        stream = container.add_stream("mjpeg", rate=25)
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt = "yuvj420p"
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode())
