"""Pairs of a real crop and a fake that is blended of real crops alone."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from PIL import Image

from lssat.data.blending import colour, hull
from lssat.data.shards import Shards
from lssat.tables import DataError

NEAREST = 100  # real faces that Face X-ray draws a source from (1912.13458)
_RATIOS = (0.25, 0.5, 0.75, 1.0, 1.0, 1.0)  # of SBI's mask (2204.08376)
_SWAPPED = [1, 0, 2, 4, 3]  # the five landmarks of a mirrored face


class Pair(NamedTuple):
    """A real crop, the fake that was made on it, and where."""

    real: np.ndarray  # uint8 (H, H, 3)
    fake: np.ndarray  # uint8 (H, H, 3)
    mask: np.ndarray  # float32 (H, H): the source's share of each pixel of the fake
    boundary: np.ndarray  # float32 (H, H): 4 M (1 - M) of the mask before SBI's ratio


class Reals:
    """The real crops of one split, and the fakes that are blended of them.

    Args:
        used: rows of a table of schema SPLITS of a task whose class 0 is real; others are left
            out, and their crops are never taken.
        faces: the shards of the crops.
        kind: `sbi` or `xray`, a name of `METHODS`.
        file: of the table, for errors.

    Raises:
        DataError: no real sample, or one whose face was not detected, so that it has no landmarks.
    """

    def __init__(self, used: pa.Table, faces: Shards, kind: str, file: Path):
        self.table, self.faces = real(used), faces
        self.method = METHODS[kind]
        if not len(self.table):
            raise DataError(file, f"holds no real sample to make {kind} of", "Add real videos")
        self.shard, self.row = self.table["shard"].to_numpy(), self.table["row"].to_numpy()
        self.groups = np.array(self.table["group"].to_pylist())
        self.landmarks = self._landmarks(file)
        if kind == "xray" and len(set(self.groups.tolist())) < 2:
            problem = f"holds one group of real faces, {str(self.groups[0])!r}, and xray blends two"
            raise DataError(file, problem, "Add real videos of others")

    def __len__(self) -> int:
        return len(self.table)

    def _landmarks(self, file: Path) -> np.ndarray:
        """Read (N, 5, 2) landmarks in pixels of the crops."""
        landmarks = np.empty((len(self), 5, 2))
        for number in np.unique(self.shard).tolist():
            shard, places = self.faces.shard(number), np.flatnonzero(self.shard == number)
            rows = shard.rows.select(["id", "box", "landmarks"]).take(self.row[places])
            for place, row in zip(places.tolist(), rows.to_pylist(), strict=True):
                if len(row["landmarks"]) != 10:
                    problem = f"{row['id']!r} of {file} has no landmarks, which a blend needs"
                    fix = "Let the faces be detected (faces: detect), or leave train.blend out"
                    raise DataError(shard.file.with_suffix(".parquet"), problem, fix)
                x0, y0, x1, _ = row["box"]
                scale = shard.array.shape[1] / (x1 - x0)
                landmarks[place] = (np.reshape(row["landmarks"], (5, 2)) - (x0, y0)) * scale
        return landmarks

    def crop(self, place: int) -> np.ndarray:
        """Return a crop, uint8 (H, H, 3)."""
        return self.faces.take(self.shard[[place]], self.row[[place]])[0]

    def pair(self, place: int, seed: int, epoch: int, hflip: bool) -> Pair:
        """Return a crop and its fake of an epoch.

        Args:
            place: of the sample, from 0.
            hflip: mirror the crop half of the time.
        """
        rng = generator(seed, epoch, place)
        crop, landmarks = self.crop(place), self.landmarks[place]
        if rng.random() < 0.5 and hflip:
            crop, landmarks = crop[:, ::-1], mirrored(landmarks, len(crop))
        pair = self.method(self, place, np.ascontiguousarray(crop), landmarks, rng)
        first, second = colour.alike(pair.real, pair.fake, rng)
        return pair._replace(real=first, fake=second)


def real(used: pa.Table) -> pa.Table:
    """Keep the rows of class 0."""
    return used.filter(pc.equal(pc.list_element(used["labels"], 0), 0))


def generator(seed: int, epoch: int, place: int) -> np.random.Generator:
    """Return the generator of a pair; the second word keeps it apart from `sampling.numbers`."""
    return np.random.Generator(np.random.Philox(key=[seed, epoch], counter=[0, 1, place, 0]))


def mirrored(landmarks: np.ndarray, size: int) -> np.ndarray:
    """Return the landmarks (5, 2) of a crop of `size` pixels when it is mirrored."""
    return np.stack([size - landmarks[:, 0], landmarks[:, 1]], axis=1)[_SWAPPED]


def self_blended(
    reals: Reals, place: int, crop: np.ndarray, landmarks: np.ndarray, rng: np.random.Generator
) -> Pair:
    """Blend a crop with itself: one of the two changed in colour and detail, one moved a little.

    The steps, limits and probabilities are those of SBI's paper and code (2204.08376); outlines
    are ours (`hull`), of which one is drawn where the code leaves the forehead out one time in
    four.
    """
    mask = hull.filled(hull.hull(landmarks, _outline(rng)), len(crop))
    changed = colour.resharpened(colour.shifted(crop, rng, often=1.0, light=0.1), rng)
    source, target = (changed, crop) if rng.random() < 0.5 else (crop, changed)
    matrix = _nudge(len(crop), rng)
    source, mask = warped(source, matrix), warped(mask, matrix)
    mask = hull.soft(hull.elastic(mask, rng), rng)
    share = mask * np.float32(rng.choice(_RATIOS))
    return Pair(target, blended(source, target, share), share, hull.boundary(mask))


def face_xray(
    reals: Reals, place: int, crop: np.ndarray, landmarks: np.ndarray, rng: np.random.Generator
) -> Pair:
    """Blend the face of somebody else into a crop (1912.13458).

    The source is drawn from the `NEAREST` real faces of other groups by the landmarks; it is laid
    on the target's landmarks by a similarity, and gets the target's colours in the mask. The mask
    is deformed and softened as SBI's, where the paper has a piecewise affine one.
    """
    others = nearest(reals.landmarks, reals.groups, landmarks, reals.groups[place])
    other = int(rng.choice(others))
    matrix = hull.similarity(reals.landmarks[other], landmarks)
    source = warped(reals.crop(other), matrix)
    inside = warped(np.ones(crop.shape[:2], np.float32), matrix) >= 1
    mask = hull.filled(hull.hull(landmarks, _outline(rng)), len(crop))
    mask = hull.soft(hull.elastic(mask, rng) * inside, rng)
    source = colour.transferred(source, crop, mask)
    return Pair(crop, blended(source, crop, mask), mask, hull.boundary(mask))


Method = Callable[[Reals, int, np.ndarray, np.ndarray, np.random.Generator], Pair]
METHODS: dict[str, Method] = {"sbi": self_blended, "xray": face_xray}


def nearest(
    landmarks: np.ndarray, groups: np.ndarray, face: np.ndarray, group: str, count: int = NEAREST
) -> np.ndarray:
    """Return the places of the nearest faces of other groups, at most `count`, nearest first.

    Args:
        landmarks: (N, 5, 2), in pixels of the crops.
        groups: (N,) of whom they are.
        face: (5, 2), of the face that others are near to; group: its own.
    """
    far = ((landmarks - face) ** 2).sum((1, 2))
    far = np.where(groups == group, np.inf, far)
    order = np.argsort(far, kind="stable")[:count]
    return order[np.isfinite(far[order])]


def blended(source: np.ndarray, target: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Return M source + (1 - M) target, rounded: uint8 (H, W, 3)."""
    share = mask[..., None]
    return colour.whole(share * source + (1 - share) * target)


def warped(image: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """Move an image (H, H, 3) uint8 or (H, H) float32, bilinearly; outside of it lies 0.

    Args:
        matrix: (2, 3), from places of the image to places of the result.
    """
    back = np.linalg.inv(np.vstack([matrix, [0, 0, 1]]))[:2].ravel().tolist()
    size, how = image.shape[1::-1], Image.Transform.AFFINE
    moved = Image.fromarray(image).transform(size, how, back, Image.Resampling.BILINEAR)
    return np.asarray(moved)


def _outline(rng: np.random.Generator) -> str:
    return str(rng.choice(list(hull.OUTLINES)))


def _nudge(size: int, rng: np.random.Generator) -> np.ndarray:
    """Draw SBI's move of a source: by 3 and 1.5 % of its side, and 5 % larger or smaller."""
    scale = rng.uniform(0.95, 1 / 0.95)
    shift = rng.uniform(-1, 1, 2) * (0.03 * size, 0.015 * size)
    middle = np.full(2, size / 2)
    return np.column_stack([np.eye(2) * scale, middle * (1 - scale) + shift])
