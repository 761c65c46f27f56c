"""The crops of one sample: detect, choose, cut, and report what could not be used."""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from importlib.metadata import version
from typing import TYPE_CHECKING

import numpy as np

from lssat import params
from lssat.data import media
from lssat.data.audit.phash import phash
from lssat.data.faces.choose import Face, choose, given, misfit, whole
from lssat.data.faces.crop import central, crop, square
from lssat.data.faces.npy_writer import Sheet
from lssat.tables import reject, s3_addresses
from lssat.tables.rows import FileRow, RejectRow

if TYPE_CHECKING:
    from lssat.data.faces.mtcnn import Detector

Reject = Callable[[str, str], None]  # called with the reason and the detail

_BATCH = 32  # frames that a GPU looks at together, and
_BATCH_PIXELS = 2**25  # the most pixels in them


class Cropper:
    """Crops the samples of one shard, one after the other."""

    def __init__(
        self,
        dataset: str,
        options: params.Dataset,
        faces: params.Faces,
        shard: int,
        decoder: media.Decoder,
        device: str,
    ):
        self.dataset, self.faces, self.shard = dataset, faces, shard
        self.root = s3_addresses.place(options.root)
        self.plan = plan_of(options)
        self.how = getattr(options, "faces", None)  # detect | aligned | box, of own data
        self.decoder, self.device = decoder, device
        self.detector: Detector | None = None
        self.boxes: set[str] = set()  # where they came from
        self.few: list[tuple[int, str]] = []  # videos with few frames: how many, id

    def crop(self, row: FileRow, sheet: Sheet, start: int) -> tuple[list[dict], list[RejectRow]]:
        """Write a sample's crops into the sheet, from the place `start` on.

        Returns:
            Rows of schema FACES, and of schema REJECTS for what has no crop. A sample that
            turns out to be unreadable half-way has none at all.
        """
        rejected: list[RejectRow] = []

        def reject_part(reason: str, detail: str) -> None:
            rejected.append(reject(self.dataset, row["id"], row["path"], "faces", reason, detail))

        try:
            use, faces, crops = self._frames(row, sheet, start, reject_part)
            self._short_of_clips(use, row, reject_part)
            if row["media"] != "image" and use.few(self.plan):
                self.few.append((use.n_frames, row["id"]))
            clips = self._common_boxes(use, faces, reject_part)
            crops += self._clips(row, clips, use, faces, sheet, start + len(crops))
        except media.Unreadable as error:
            rejected.clear()
            reject_part(error.reason, error.detail)
            return [], rejected
        return crops, rejected

    def _frames(
        self, row: FileRow, sheet: Sheet, start: int, reject_part: Reject
    ) -> tuple[media.Use, dict[int, Face | None], list[dict]]:
        """Crop the frames of image encoders; return every frame's face as well."""
        use = media.Use(0, [], [])
        faces: dict[int, Face | None] = {}
        crops: list[dict] = []
        missed: list[str] = []
        before: Face | None = None
        items = self.decoder.read(self.root / row["path"], row["media"], self.plan)
        for item in batches(items, _BATCH if self.device != "cpu" else 1):
            if isinstance(item, media.Use):  # what came before, if anything, is void
                use, faces, crops, missed, before = item, {}, [], [], None
                single = set(use.frames)
                continue
            for (index, frame), face in zip(item, self._faces(row, item, before), strict=True):
                faces[index], before = face, face or before
                if index not in single:
                    continue
                if face is None:
                    missed.append(_without(row, index, frame))
                    continue
                aligned = self._aligned(row)
                where = central(frame) if aligned else square(face.box, self.faces.margin)
                known = dict(id=row["id"], frame=index, clip=-1, n_frames=use.n_frames)
                known["row"] = start + len(crops)
                crops.append(self._write(known, frame, face, where, sheet))
        for detail in missed:
            reject_part("no_face", detail)
        return use, faces, crops

    def _faces(
        self, row: FileRow, items: list[tuple[int, np.ndarray]], before: Face | None
    ) -> Iterator[Face | None]:
        frames = [frame for _, frame in items]
        if row["box"]:
            self.boxes.add("given")
            yield from (given(row["box"], frame) for frame in frames)
            return
        if self._aligned(row):
            self.boxes.add("whole image")
            yield from map(whole, frames)
            return
        if self.detector is None:
            self.detector = detector(self.faces, self.device)
        self.boxes.add("detected")
        for detections in self.detector(np.stack(frames)):
            face = choose(detections, self.faces.choose, before)
            before = face or before
            yield face

    def _aligned(self, row: FileRow) -> bool:
        """Say whether the face fills the frame: an option of own data; in releases, images do."""
        by_release = "aligned" if row["media"] == "image" else "detect"
        return not row["box"] and (self.how or by_release) == "aligned"

    def _short_of_clips(self, use: media.Use, row: FileRow, reject_part: Reject) -> None:
        if row["media"] != "image" and len(use.clips) < self.plan.clips:
            span = (self.plan.clip_frames - 1) * self.plan.clip_stride + 1
            clips = f"{len(use.clips)} of {self.plan.clips} clips"
            reject_part("short_video", f"{clips}: {use.n_frames} frames, a clip spans {span}")

    def _common_boxes(self, use: media.Use, faces: dict, reject_part: Reject) -> dict[int, tuple]:
        """Return the square of each clip: around the median of its frames' boxes.

        A median, since one false detection would blow a union up. Each frame must show a face.
        """
        squares = {}
        for number, clip in enumerate(use.clips):
            without = [index for index in clip if faces[index] is None]
            if without:
                reject_part("no_face", f"clip {number}: frame {without[0]}")
                continue
            boxes = np.array([faces[index].box for index in clip])
            squares[number] = square(np.median(boxes, axis=0), self.faces.margin)
        return squares

    def _clips(
        self, row: FileRow, squares: dict, use: media.Use, faces: dict, sheet: Sheet, start: int
    ) -> list[dict]:
        """Read the clips' frames once more and cut them; the boxes were not known before."""
        order = [(number, index) for number in squares for index in use.clips[number]]
        place = {crop_key: start + rank for rank, crop_key in enumerate(order)}
        rows: dict[tuple[int, int], dict] = {}
        wanted = sorted({index for _, index in order})
        path = self.root / row["path"]
        for index, frame in self.decoder.read_again(path, row["media"], wanted) if wanted else ():
            for number in [number for number in squares if (number, index) in place]:
                crop_key = number, index
                known = dict(id=row["id"], frame=index, clip=number, n_frames=use.n_frames)
                known["row"] = place[crop_key]
                rows[crop_key] = self._write(known, frame, faces[index], squares[number], sheet)
        return [rows[crop_key] for crop_key in order]

    def _write(
        self, known: dict, frame: np.ndarray, face: Face, where: tuple[int, int, int], sheet: Sheet
    ) -> dict:
        """Write a crop into the sheet, at its `row`; return what is known, with the rest of it."""
        left, top, side = where
        cut = crop(frame, left, top, side, self.faces.size)
        sheet.put(known["row"], cut)
        return known | {
            "shard": self.shard,
            "box": [left, top, left + side, top + side],
            "landmarks": face.landmarks.astype(float).ravel().tolist(),
            "score": face.score,
            "n_faces": face.n_faces,
            "sha256": hashlib.sha256(cut.tobytes()).hexdigest(),
            "phash": phash(cut),
        }

    def settings(self) -> dict:
        """Return how the crops were made, for the header of their table."""
        mtcnn = f"MTCNN, facenet-pytorch {version('facenet-pytorch')}"
        return {
            "detector": mtcnn if self.detector else "none",
            "device": self.device if self.detector else "none",
            "thresholds": list(self.detector.thresholds) if self.detector else [],
            "threshold": self.faces.threshold,
            "boxes": ", ".join(sorted(self.boxes)),
            "min_face_size": self.faces.min_face_size,
            "choose": self.faces.choose,
            "margin": self.faces.margin,
            **self.plan._asdict(),
            "clip_box": "median of its frames' boxes",
            "resize": "bicubic, antialiased",
        }


def _without(row: FileRow, index: int, frame: np.ndarray) -> str:
    """Say where no face was found; of a given box, why it shows none."""
    where = f"frame {index}"
    if not row["box"]:
        return where
    problem = misfit(row["box"], frame)
    return problem if row["media"] == "image" else f"{where}: {problem}"


def detector(faces: params.Faces, device: str = "cpu") -> "Detector":
    """Return the detector that a section of params.yaml asks for; it imports torch."""
    from lssat.data.faces.mtcnn import Detector

    return Detector(faces.min_face_size, faces.threshold, device)


def plan_of(options: params.Dataset) -> media.Plan:
    """Return the plan of a data set's videos: which frames are used; one for images."""
    if not isinstance(options, params.Video) or getattr(options, "media", "video") == "image":
        return media.Plan()
    return media.Plan(*(getattr(options, field) for field in media.Plan._fields))


def batches(items: Iterable, most: int) -> Iterator:
    """Gather consecutive frames of one size, up to `most`; pass anything else on, in order."""
    batch: list[tuple[int, np.ndarray]] = []
    for item in items:
        if isinstance(item, media.Use):
            if batch:
                yield batch
            batch = []
            yield item
            continue
        pixels = item[1].shape[0] * item[1].shape[1]
        full = len(batch) >= min(most, max(1, _BATCH_PIXELS // pixels))
        if batch and (full or batch[0][1].shape != item[1].shape):
            yield batch
            batch = []
        batch.append(item)
    if batch:
        yield batch
