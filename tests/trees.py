"""Miniature raw trees in the official layouts, drawn by code, and options to read them with."""

import json
from pathlib import Path

import av
import numpy as np
from PIL import Image
from skimage import data

from lssat import params
from lssat.datasets.celeba import ATTRIBUTES

FACES = params.Faces(size=32, margin=1.3, min_face_size=40.0, threshold=0.7)
METHODS = ["Deepfakes", "Face2Face"]
PAIRS = {"train": [["000", "003"]], "val": [["001", "870"]], "test": [["002", "071"]]}


def ffpp_options(root: Path, **other) -> params.Ffpp:
    values = {"shards": 1, "rejects_limit": 0.0, "compression": "c23", "methods": METHODS}
    return params.Ffpp(**{"root": str(root), **values, "frames": 2, **other})


def celeba_options(root: Path, **other) -> params.Celeba:
    return params.Celeba(**{"root": str(root), "shards": 1, "rejects_limit": 0.0, **other})


def affectnet_options(root: Path, **other) -> params.Affectnet:
    values = {"shards": 1, "rejects_limit": 0.0, "classes": 8}
    return params.Affectnet(**{"root": str(root), **values, **other})


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


def ffpp(root: Path, pairs: dict[str, list] = PAIRS, moving: bool = False) -> Path:
    """Pair lists and videos; without `moving` the videos are empty files, for the manifest."""
    (root / "splits").mkdir(parents=True, exist_ok=True)
    number = 0
    for split, listed in pairs.items():
        (root / f"splits/{split}.json").write_text(json.dumps(listed))
        for a, b in listed:
            names = [f"original_sequences/youtube/c23/videos/{name}.mp4" for name in (a, b)]
            for method in METHODS:
                folder = f"manipulated_sequences/{method}/c23/videos"
                names += [f"{folder}/{a}_{b}.mp4", f"{folder}/{b}_{a}.mp4"]
            for name in names:
                number += 1
                (root / name).parent.mkdir(parents=True, exist_ok=True)
                if moving:
                    video(root / name, [scene(number), scene(number, left=30)])
                else:
                    (root / name).touch()
    return root


def celeba(root: Path, names: list[str], splits: str, identities: list[str]) -> Path:
    """The three lists and the images; attribute j of image i is 1 where (i + j) % 3 is 0."""
    root.mkdir(parents=True, exist_ok=True)
    rows = []
    for i, name in enumerate(names):
        values = [" 1" if (i + j) % 3 == 0 else "-1" for j in range(len(ATTRIBUTES))]
        rows.append(f"{name} {' '.join(values)}")
        jpeg(root / "img_align_celeba" / name, picture(i))
    text = "\n".join([str(len(names)), " ".join(ATTRIBUTES), *rows]) + "\n"
    (root / "list_attr_celeba.txt").write_text(text)
    pairs = zip(names, splits, strict=True)
    (root / "list_eval_partition.txt").write_text("".join(f"{n} {s}\n" for n, s in pairs))
    pairs = zip(names, identities, strict=True)
    (root / "identity_CelebA.txt").write_text("".join(f"{n} {s}\n" for n, s in pairs))
    return root


def affectnet(root: Path, codes: dict[str, dict[str, str]]) -> Path:
    """Crops and annotations; `codes` is split -> id -> expression as text."""
    for split in ("train", "val"):
        (root / f"{split}_set/annotations").mkdir(parents=True, exist_ok=True)
        (root / f"{split}_set/images").mkdir(parents=True, exist_ok=True)
        for number, (id, code) in enumerate(codes.get(split, {}).items()):
            np.save(root / f"{split}_set/annotations/{id}_exp.npy", np.array([code]))
            jpeg(root / f"{split}_set/images/{id}.jpg", picture(number, 64, 64))
    return root
