"""A file's score: detect, crop, texture, model, all by the code of the benchmark's steps."""

import contextlib
import io
from typing import Any, Literal, NamedTuple

import numpy as np
import torch

from lssat import metrics, params, texture
from lssat.data import media
from lssat.data.faces.npy_writer import Sheet
from lssat.data.faces.sample import Cropper
from lssat.evaluation import logits as predict
from lssat.tables import DataError
from lssat.tables.rows import FileRow, RejectRow
from lssat.training import loader
from lssat.use.predict.files import File
from lssat.use.predict.trained_run import Opened

FRAMES = 32  # of a video, for a run that was trained on images
TIMEOUT, MEMORY = 600.0, 1024  # seconds and MiB that decoding one file may take
_BATCH = 64  # samples that go through the model at once


class How(NamedTuple):
    """How the user describes the files."""

    aligned: bool = False  # they are crops: nothing is detected
    box: tuple[float, float, float, float] | None = None  # x, y, width, height of the face
    frames: int | Literal["all"] | None = None  # of each video; None: as in training


class Sample(NamedTuple):
    """A frame, clip or image: one input of the model."""

    frame: int  # of a clip: its first
    clip: int  # -1: no clip
    time: float | None  # seconds from the video's first frame
    box: list[float]  # x0, y0, x1, y1 of the crop in the frame
    detector: float | None  # the detector's score; None where none ran
    n_faces: int
    logits: np.ndarray  # (outputs,)
    scores: np.ndarray  # (outputs,) probabilities, with the run's temperature


class Scored(NamedTuple):
    """A file with a score."""

    file: File
    samples: list[Sample]
    missed: list[tuple[int, float | None]]  # frames without a face, and their seconds
    lost: list[RejectRow]  # what was rejected of it, as rows of REJECTS
    scores: np.ndarray  # (outputs,) mean probabilities over the samples
    raw: np.ndarray  # the same without the temperature
    crops: np.ndarray  # uint8 (n, size, size, 3), or (n, T, size, size, 3) of clips
    codes: np.ndarray | None  # uint8 (n, size, size), or (n, T, size, size)
    n_frames: int  # of the video
    requested: int | None  # frames of the video that were requested, if it has fewer


class Rejected(NamedTuple):
    """A file without a score, with a reason of `tables.REASONS`."""

    file: File
    reason: str
    detail: str


class Scorer:
    """Scores files, one after the other, with one run.

    Args:
        opened: the run.
        how: how the user describes the files.
        decoder: opens the files, in a process of its own.
        device: of the detector and the model.

    Raises:
        DataError: `how.frames` for a run that reads clips.
    """

    def __init__(self, opened: Opened, how: How, decoder: media.Decoder, device: str):
        self.opened, self.how, self.decoder, self.device = opened, how, decoder, device
        self.clips = opened.model.clips
        crops = opened.crops
        known = ("size", "margin", "min_face_size", "threshold", "choose")
        faces = params.Faces(**{name: crops[name] for name in known})
        self.cropper = Cropper(opened.run, self._options(), faces, 0, decoder, device)
        torch.set_num_threads(opened.threads)

    def _options(self) -> params.Own:
        """Say which frames are used, as a data set's section of params.yaml would."""
        plan = {name: self.opened.crops[name] for name in media.Plan._fields}
        if self.clips and self.how.frames:
            problem = "reads clips, whose number and length are those of its training"
            raise DataError(self.opened.run, problem, "Leave --frames out")
        if self.how.frames == "all":
            plan |= dict(frames=None, every=1)
        elif self.how.frames or self.opened.task.level == "image":
            plan |= dict(frames=self.how.frames or FRAMES, every=None)
        if not self.clips and self.opened.crops["choose"] == "largest":
            plan["clips"] = 0  # their frames are not needed; `follow` looks at them
        faces = "aligned" if self.how.aligned else "detect"
        where: dict[str, Any] = dict(root="/", shards=1, rejects_limit=1.0, kind="multiclass")
        return params.Own(**where, **plan, faces=faces)  # type: ignore[arg-type]

    def score(self, file: File) -> Scored | Rejected:
        """Score one file."""
        sheet = io.BytesIO()
        box = list(self.how.box or ())
        row = FileRow(id=f"{file.path}", path=f"{file.path.absolute()}", media=file.media, box=box)
        try:
            target = Sheet(sheet, self.opened.crops["size"])
            rows, lost = self.cropper.crop(row, target, 0)
        except DataError as error:  # it may not be read
            return Rejected(file, "unreadable", f"{error}")
        target.finish(len(rows))
        sheet.seek(0)
        used = np.array([(row["clip"] >= 0) == self.clips for row in rows], dtype=bool)
        if not used.any():
            return self._rejected(file, lost)
        crops = np.load(sheet, allow_pickle=False)[used]
        kept = [row for row, keep in zip(rows, used, strict=True) if keep]
        return self._scored(file, kept, lost, crops)

    def _rejected(self, file: File, lost: list[RejectRow]) -> Rejected:
        if not lost:  # an image, and the run reads clips
            length = self.opened.crops["clip_frames"]
            return Rejected(file, "short_video", f"one frame; the run reads clips of {length}")
        more = f", and {len(lost) - 1} more" if len(lost) > 1 else ""
        return Rejected(file, lost[0]["reason"], f"{lost[0]['detail']}{more}")

    def _scored(
        self, file: File, rows: list[dict], lost: list[RejectRow], crops: np.ndarray
    ) -> Scored:
        opened, firsts = self.opened, rows
        codes = None
        if opened.model.needs_codes:
            codes = texture.codes(crops, *opened.texture, bulk=len(crops) > _BATCH)
        if self.clips:
            length = opened.crops["clip_frames"]
            crops = crops.reshape(-1, length, *crops.shape[1:])
            codes = codes if codes is None else codes.reshape(-1, length, *codes.shape[1:])
            firsts = rows[::length]
        logits = self._logits(crops, codes)
        heat = opened.temperature or 1.0
        scores = metrics.scaled(opened.task.kind, logits, heat)
        mean, raw = (self._pooled(file, logits, temperature) for temperature in (heat, 1.0))
        seconds = self._times(file, rows[0]["n_frames"])
        samples = [
            Sample(
                frame=row["frame"],
                clip=row["clip"],
                time=seconds[row["frame"]],
                box=row["box"],
                detector=None if np.isnan(row["score"]) else row["score"],
                n_faces=row["n_faces"],
                logits=logits[at],
                scores=scores[at],
            )
            for at, row in enumerate(firsts)
        ]
        n_frames = rows[0]["n_frames"]
        return Scored(
            file=file,
            samples=samples,
            missed=self._missed(file, rows, seconds),
            lost=lost,
            scores=mean,
            raw=raw,
            crops=crops,
            codes=codes,
            n_frames=n_frames,
            requested=self._requested(file, n_frames),
        )

    def _requested(self, file: File, n_frames: int) -> int | None:
        frames = 0 if self.clips or file.media == "image" else self.cropper.plan.frames or 0
        return frames if n_frames < frames else None

    def _logits(self, crops: np.ndarray, codes: np.ndarray | None) -> np.ndarray:
        logits = []
        for start in range(0, len(crops), _BATCH):
            part = slice(start, start + _BATCH)
            both = loader.tensors(crops[part], None if codes is None else codes[part])
            logits.append(predict.classify(self.opened.model, *both))
        return np.concatenate(logits)

    def _pooled(self, file: File, logits: np.ndarray, heat: float) -> np.ndarray:
        """Return the file's probabilities, as the evaluation makes those of a video."""
        ids = [f"{file.path}"] * len(logits)
        _, (scores,) = metrics.pooled(self.opened.task.kind, ids, logits, heat)
        return scores

    def _times(self, file: File, n_frames: int) -> list[float | None]:
        """Return the second of each frame; None where it is not known."""
        times: list[float | None] = []
        if file.media == "video":
            with contextlib.suppress(media.Unreadable):  # a second decoding: out of time
                times = self.decoder.times(file.path)
        return times if len(times) == n_frames else [None] * n_frames

    def _missed(self, file: File, rows: list[dict], seconds: list) -> list[tuple]:
        if self.clips or file.media == "image":
            return []
        wanted = media.use(rows[0]["n_frames"], self.cropper.plan).frames
        seen = {row["frame"] for row in rows}
        return [(index, seconds[index]) for index in wanted if index not in seen]


def notes(opened: Opened, how: How) -> list[str]:
    """Return warnings: the run collapsed, or the files differ from those it was tested on."""
    reasons = []
    if opened.collapsed:
        reasons.append(f"the run collapsed on the test split: it {opened.collapsed}")
    return reasons + _framed(opened.crops["boxes"], how)


def _framed(boxes: str, how: How) -> list[str]:
    """Say where these files are cropped differently from the run's training data."""
    if how.aligned:
        used = "taken as crops, whole"
        same = boxes == "whole image"
    elif how.box:
        used, same = "cropped around the box that you gave", boxes == "given"
    else:
        used, same = "cropped around detected faces", boxes == "detected"
    if same:
        return []
    was = {"whole image": "images that the release had aligned or cropped, whole"}
    was |= {"given": "cropped around the release's boxes", "detected": "detected faces"}
    saw = was.get(boxes, boxes)
    return [f"the run was trained on {saw}; your files are {used}: its scores are outside of "
            "what was tested"]  # fmt: skip
