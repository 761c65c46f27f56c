"""Faces: frames of a manifest's samples become square crops in one NPY shard and its table.

Videos go through MTCNN (Zhang et al. 2016; facenet-pytorch); the largest face of a frame is
kept. Images of releases that are aligned or cropped are used as they are, and a box that a
release gives is used in place of a detector.
"""

import hashlib
import json
import sys
import time
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from lssat import media, params
from lssat.phash import phash
from lssat.tables import (
    FACES,
    MANIFEST,
    REJECTS,
    read_table,
    reject,
    shard_of,
    write_shard,
    write_table,
)

THRESHOLDS = (0.6, 0.7)  # of MTCNN's first two stages, the library's own


class Face(NamedTuple):
    """A face in a frame: box x0, y0, x1, y1 (pixels, float), five points, and how sure."""

    box: np.ndarray
    landmarks: np.ndarray  # (5, 2): eyes, nose, corners of the mouth; (0, 2) if not detected
    score: float
    n_faces: int


Detector = Callable[[np.ndarray], Face | None]


def detector(faces: params.Faces) -> Detector:
    """Return a function that finds the largest face of a frame with MTCNN, or None.

    Only one CPU thread is used: two processes of one thread beat one of two.

    Args:
        faces: `min_face_size` in pixels; `threshold`, the least score in the last stage.
    """
    import torch
    from facenet_pytorch import MTCNN

    torch.set_num_threads(1)
    thresholds = [*THRESHOLDS, faces.threshold]
    mtcnn = MTCNN(keep_all=True, min_face_size=faces.min_face_size, thresholds=thresholds)
    # The same boxes as the default layout's (to 1e-4 px) in two thirds of the time.
    mtcnn = mtcnn.to(memory_format=torch.channels_last)

    def largest(frame: np.ndarray) -> Face | None:
        if min(frame.shape[:2]) < faces.min_face_size:
            return None  # MTCNN has no scale left and fails
        boxes, scores, points = mtcnn.detect(frame, landmarks=True)
        if boxes is None:
            return None
        areas = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
        best = int(np.argmax(areas))
        return Face(boxes[best].astype(float), points[best], float(scores[best]), len(boxes))

    return largest


def square(box: np.ndarray, margin: float) -> tuple[int, int, int]:
    """Return the square around a box's centre: x0, y0 and its side, whole pixels.

    The side is `margin` times the box's longer side; halves round up. It may reach beyond the
    frame.
    """
    x0, y0, x1, y1 = (float(value) for value in box)
    side = max(1, int(np.floor(margin * max(x1 - x0, y1 - y0) + 0.5)))
    left = int(np.floor((x0 + x1 - side) / 2 + 0.5))
    top = int(np.floor((y0 + y1 - side) / 2 + 0.5))
    return left, top, side


def crop(frame: np.ndarray, left: int, top: int, side: int, size: int) -> np.ndarray:
    """Cut a square out of a frame and resize it; beyond the frame its edge is repeated.

    Args:
        frame: uint8 (H, W, 3), RGB.

    Returns:
        uint8 (size, size, 3): bicubic with antialiasing (Pillow).
    """
    rows = np.arange(top, top + side).clip(0, frame.shape[0] - 1)
    columns = np.arange(left, left + side).clip(0, frame.shape[1] - 1)
    cut = Image.fromarray(frame[rows[:, None], columns])
    return np.asarray(cut.resize((size, size), Image.Resampling.BICUBIC))


def crop_shard(
    manifest: Path,
    dataset: str,
    options: params.Dataset,
    faces: params.Faces,
    shard: int,
    out: Path,
    table: Path,
    rejects: Path,
) -> None:
    """Crop the faces of the samples that fall into one shard, sorted by id.

    Args:
        manifest: table of schema MANIFEST.
        options: the data set's section of params.yaml; `frames` per video where it has them.
        shard: number of the shard, from 0; see `tables.shard_of`.
        out: NPY shard to write, uint8 (N, size, size, 3), RGB; N may be 0.
        table: table of schema FACES to write, a row per crop; its header holds the sha256 of
            `out`, the size and the settings.
        rejects: table of schema REJECTS to write.

    Raises:
        DataError: the manifest is damaged, or a file may not be read.
    """
    samples = [
        row
        for row in read_table(manifest, MANIFEST).to_pylist()
        if shard_of(row["id"], options.shards) == shard
    ]
    samples.sort(key=lambda row: row["id"])
    step = _Shard(dataset, options, faces, shard, len(samples))
    for number, row in enumerate(samples):
        step.add(row)
        step.tell(number + 1, len(samples))
    digest = write_shard(out, step.crops[: len(step.rows)])
    header = {"sha256": digest, "size": str(faces.size), "dataset": dataset}
    header["settings"] = json.dumps(step.settings(), sort_keys=True)
    write_table(table, step.rows, FACES, header)
    write_table(rejects, step.rejects, REJECTS)


class _Shard:
    """What one call of `crop_shard` gathers."""

    def __init__(
        self, dataset: str, options: params.Dataset, faces: params.Faces, shard: int, samples: int
    ):
        self.dataset, self.root, self.shard = dataset, Path(options.root), shard
        self.frames = getattr(options, "frames", None) or 1
        self.faces = faces
        self.how = getattr(options, "faces", None)
        # Reserved, not touched: the system gives memory only to the rows that are filled.
        self.crops = np.empty((samples * self.frames, faces.size, faces.size, 3), np.uint8)
        self.rows: list[dict] = []
        self.rejects: list[dict] = []
        self._detector: Detector | None = None
        self._told = time.monotonic()

    def add(self, row: dict) -> None:
        """Crop a sample's frames, or say in `rejects` why not."""
        try:
            for index, n_frames, frame in self._frames(row):
                face = self._face(row, frame)
                if face is None:
                    self._reject(row, "no_face", f"frame {index}")
                else:
                    self._keep(row, index, n_frames, frame, face)
        except media.Unreadable as error:
            self._reject(row, error.reason, error.detail)

    def _frames(self, row: dict) -> Iterator[tuple[int, int, np.ndarray]]:
        path = self.root / row["path"]
        if row["media"] == "image":
            yield 0, 1, media.read_image(path)
            return
        indices, frames, n_frames = media.read_frames(path, self.frames)
        for index, frame in zip(indices.tolist(), frames, strict=True):
            yield index, n_frames, frame

    def _face(self, row: dict, frame: np.ndarray) -> Face | None:
        height, width = frame.shape[:2]
        none = np.empty((0, 2))
        if row["box"]:
            x, y, across, down = row["box"]
            if across <= 0 or down <= 0 or x + across <= 0 or y + down <= 0:
                return None
            return Face(np.array([x, y, x + across, y + down]), none, np.nan, 1)
        if self._aligned(row):
            return Face(np.array([0, 0, width, height]), none, np.nan, 1)
        self._detector = self._detector or detector(self.faces)
        return self._detector(frame)

    def _aligned(self, row: dict) -> bool:
        """Say whether the face fills the frame; own data say it, releases align images only."""
        by_release = "aligned" if row["media"] == "image" else "detect"
        return not row["box"] and (self.how or by_release) == "aligned"

    def _keep(self, row: dict, index: int, n_frames: int, frame: np.ndarray, face: Face) -> None:
        if self._aligned(row):
            side = min(frame.shape[:2])
            left, top = (frame.shape[1] - side) // 2, (frame.shape[0] - side) // 2
        else:
            left, top, side = square(face.box, self.faces.margin)
        crop_ = crop(frame, left, top, side, self.faces.size)
        place = len(self.rows)
        self.crops[place] = crop_
        self.rows.append(
            {
                "id": row["id"],
                "frame": index,
                "clip": -1,
                "shard": self.shard,
                "row": place,
                "box": [left, top, left + side, top + side],
                "landmarks": face.landmarks.astype(float).ravel().tolist(),
                "score": face.score,
                "n_faces": face.n_faces,
                "n_frames": n_frames,
                "sha256": hashlib.sha256(crop_.tobytes()).hexdigest(),
                "phash": phash(crop_),
            }
        )

    def _reject(self, row: dict, reason: str, detail: str) -> None:
        self.rejects.append(reject(self.dataset, row["id"], row["path"], "faces", reason, detail))

    def settings(self) -> dict:
        """What made the crops: goes into the header of their table."""
        mtcnn = f"MTCNN, facenet-pytorch {version('facenet-pytorch')}"
        return {
            "detector": mtcnn if self._detector else "none",
            "thresholds": [*THRESHOLDS, self.faces.threshold],
            "min_face_size": self.faces.min_face_size,
            "margin": self.faces.margin,
            "frames": self.frames,
            "resize": "bicubic, antialiased",
        }

    def tell(self, done: int, samples: int) -> None:
        """Say on stderr how far it is, every ten seconds."""
        if time.monotonic() - self._told > 10:
            self._told = time.monotonic()
            where = f"faces {self.dataset} shard {self.shard}"
            print(f"{where}: {done:,} of {samples:,} samples", file=sys.stderr, flush=True)
