"""The names of the benchmark's grid: tasks, encoders, configurations, runs. Pure data, no torch."""

import itertools
import json
import math
import re
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, NamedTuple

from lssat.labels import ATTRIBUTES, DEEPFAKE, EMOTIONS
from lssat.tables import DataError


class Task(NamedTuple):
    """What a task is: it travels in the header of the tables from the manifest to the splits."""

    name: str  # of its data set, so that data, runs and results share one name
    kind: str  # binary | multilabel | multiclass
    metric: str  # the headline metric; also the default for choosing the epoch
    level: str  # of the headline: image, or video, whose score is the mean over its frames
    title: str
    classes: tuple[str, ...]  # names of the classes (binary: the positive one last) or attributes

    @property
    def outputs(self) -> int:
        """Number of logits: one for `binary`, otherwise one a class or attribute."""
        return 1 if self.kind == "binary" else len(self.classes)

    def header(self) -> dict[str, str]:
        """Return what `read_task` reads back, for the header of a table."""
        return {"task": json.dumps(self._asdict())}


def read_task(header: dict[str, str], file: Any) -> Task:
    """Read a task from the header (`tables.metadata`) of a manifest or split.

    Raises:
        DataError: the table `file` says of no task: an older version wrote it.
    """
    try:
        task = Task(**json.loads(header["task"]))
    except (KeyError, TypeError, ValueError):
        raise DataError(file, "does not say what its task is", "Run its step again") from None
    return task._replace(classes=tuple(task.classes))


# The three official tasks: only the readers of their releases look here.
_OFFICIAL = (
    Task("ffpp", "binary", "auc", "video", "Deepfake detection (FaceForensics++)", DEEPFAKE),
    Task(
        *("celeba", "multilabel", "balanced_accuracy", "image", "Face attributes (CelebA)"),
        ATTRIBUTES,
    ),
    Task("affectnet", "multiclass", "top1", "image", "Emotion recognition (AffectNet)", EMOTIONS),
)
TASKS = {task.name: task for task in _OFFICIAL}
# Data sets that are only tested on: the same two classes as FaceForensics++.
CROSS = {
    "celebdf": TASKS["ffpp"]._replace(name="celebdf", title="Celeb-DF v2"),
    "dfdc": TASKS["ffpp"]._replace(name="dfdc", title="DFDC"),
    "dfd": TASKS["ffpp"]._replace(name="dfd", title="DeepFakeDetection"),
}


class Encoder(NamedTuple):
    """Sizes of a ViT encoder and of the light decoder that goes with it (paper.md, section 1)."""

    embed_dim: int
    depth: int
    num_heads: int
    patch_size: int
    decoder_dim: int
    decoder_depth: int
    decoder_heads: int

    def problem(self, img_size: int, mask_ratio: float) -> str | None:
        """Say why the encoder cannot take square images of `img_size` pixels, or None."""
        if img_size % self.patch_size:
            low = img_size // self.patch_size * self.patch_size
            return (
                f"{img_size} px is not a multiple of the patch size {self.patch_size}; "
                f"write {low} or {low + self.patch_size}"
            )
        patches = (img_size // self.patch_size) ** 2
        if not 1 <= (kept := math.floor(patches * (1 - mask_ratio))) < patches:
            return f"mask_ratio {mask_ratio} keeps {kept} of {patches} patches; keep 1 or more"
        return None


ENCODERS = {
    # The two encoders of the built-in sample: ours, small enough for one CPU core.
    "vit_micro": Encoder(64, 3, 2, 20, 64, 1, 4),
    "vit_mini": Encoder(96, 4, 3, 20, 64, 1, 4),
    # SSAT (2310.20704) for T and S, MAE (2111.06377) for B, L and H.
    "vit_tiny": Encoder(192, 12, 3, 16, 128, 2, 16),
    "vit_small": Encoder(384, 12, 6, 16, 128, 2, 16),
    "vit_base": Encoder(768, 12, 12, 16, 512, 8, 16),
    "vit_large": Encoder(1024, 24, 16, 16, 512, 8, 16),
    "vit_huge14": Encoder(1280, 32, 16, 14, 512, 8, 16),
    "vit_huge16": Encoder(1280, 32, 16, 16, 512, 8, 16),
}


class VideoEncoder(NamedTuple):
    """Sizes of a ViT on clips and of its decoder (VideoMAE, 2203.12602; paper.md, section 1)."""

    embed_dim: int
    depth: int
    num_heads: int
    patch_size: int
    tubelet: int  # frames of a token
    decoder_dim: int
    decoder_depth: int
    decoder_heads: int


VIDEO_ENCODERS = {
    "videomae_mini": VideoEncoder(96, 4, 3, 20, 2, 64, 1, 4),  # ours, for the built-in sample
    "videomae_small": VideoEncoder(384, 12, 6, 16, 2, 192, 4, 3),
    "videomae_base": VideoEncoder(768, 12, 12, 16, 2, 384, 4, 6),
    "videomae_large": VideoEncoder(1024, 24, 16, 16, 2, 512, 12, 8),
    "videomae_huge": VideoEncoder(1280, 32, 16, 16, 2, 640, 12, 8),
}

INPUTS = ("RGB", "LDP", "LBP")
_NOTATION = re.compile(r"M(\w+)[/-]R(\w+)[/-]C(\w+)|none[/-]none[/-]C(\w+)")


@dataclass(frozen=True)
class Configuration:
    """What the masked branch sees (M), the decoder reconstructs (R), the classifier sees (C).

    `masked` and `target` are None for supervised training without the auxiliary task.
    """

    masked: str | None
    target: str | None
    classified: str

    def __str__(self) -> str:
        if self.masked is None:
            return f"none/none/C{self.classified}"
        return f"M{self.masked}/R{self.target}/C{self.classified}"

    @property
    def slug(self) -> str:
        """The spelling for paths: `MRGB-RLDP-CRGB`."""
        return str(self).replace("/", "-")

    @property
    def texture(self) -> str | None:
        """The texture kind that the configuration needs (`ldp`, `lbp`), or None."""
        kinds = {self.masked, self.target, self.classified} - {"RGB", None}
        return min(kinds).lower() if kinds else None  # type: ignore[union-attr, type-var]


def parse(text: str) -> Configuration:
    """Parse `MRGB/RLDP/CRGB` or `MRGB-RLDP-CRGB`; `none/none/CRGB` is supervised only.

    Raises:
        ValueError: another spelling, an unknown input, or two texture kinds in one.
    """
    match = _NOTATION.fullmatch(text)
    fields = match.groups() if match else ()
    if not match or any(field not in (*INPUTS, None) for field in fields):
        raise ValueError(
            f"{text!r} is not M<X>-R<Y>-C<Z> with X, Y, Z in {', '.join(INPUTS)}, "
            "nor none-none-C<Z>"
        )
    masked, target, classified, alone = fields
    if len({"LDP", "LBP"} & set(fields)) == 2:
        raise ValueError(f"{text!r} mixes two textures; use one of them")
    return Configuration(masked, target, classified or alone)


class Run(NamedTuple):
    """One run of the grid: task x backbone x configuration x seed."""

    task: str
    backbone: str
    configuration: str  # as in paths
    seed: int

    @property
    def path(self) -> str:
        """`ffpp/vit_micro/MRGB-RLDP-CRGB/seed0`, below the folder of all runs."""
        return f"{self.task}/{self.backbone}/{self.configuration}/seed{self.seed}"

    @classmethod
    def of(cls, path: str) -> "Run":
        """Read a run back from its path."""
        task, backbone, configuration, seed = PurePosixPath(path).parts[-4:]
        return cls(task, backbone, configuration, int(seed.removeprefix("seed")))


def runs(
    tasks: list[str], backbones: list[str], configurations: list[str], seeds: list[int]
) -> list[Run]:
    """List all runs of the grid, in the order of the lists."""
    return [Run(*choice) for choice in itertools.product(tasks, backbones, configurations, seeds)]
