"""The names of the benchmark's grid: tasks, encoders, configurations, runs. Pure data, no torch."""

import itertools
import json
import math
import re
from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import Any, NamedTuple

from lssat.labels import ATTRIBUTES, DEEPFAKE, EMOTIONS
from lssat.notation import Configuration as Configuration
from lssat.notation import configurations as configurations
from lssat.notation import parse as parse
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

# Any other ViT of timm is named `timm:<name>`; timm itself knows the names, when training starts.
TIMM = "timm:"

# Baselines without the auxiliary task, and timm's names (with the weights' tag) for them.
BASELINES = {
    "resnet18": "resnet18.a1_in1k",
    "resnet50": "resnet50.a1_in1k",
    "efficientnet_b4": "efficientnet_b4.ra2_in1k",
    "xception": "legacy_xception.tf_in1k",
}
SUPERVISED = "none-none-CRGB"  # the configuration of the grid's baselines

# MAE's released encoders (2111.06377; CC-BY-NC 4.0), under timm's names.
MAE_WEIGHTS = {
    "vit_base": "vit_base_patch16_224.mae",
    "vit_large": "vit_large_patch16_224.mae",
    "vit_huge14": "vit_huge_patch14_224.mae",
}


def weights_problem(name: str, weights: str | None) -> str | None:
    """Say why a backbone cannot start from the weights `mae` or `timm`, or None."""
    if weights == "mae" and name not in MAE_WEIGHTS:
        released = ", ".join(MAE_WEIGHTS)
        fix = f"MAE released {released}; use one of them, scratch, or a safetensors file"
        return f"mae has no weights for {name}; {fix}"
    if weights in ("mae", "timm") and name in VIDEO_ENCODERS:
        return f"{weights} has no weights for {name}; fetch a VideoMAE's safetensors and name it"
    if weights == "timm" and name in ENCODERS:
        fix = f"name such a backbone {TIMM}<name of the model>"
        return f"timm has no weights for {name}, which has fixed positions; {fix}"
    return None


def backbone_problem(name: str, img_size: int, mask_ratio: float) -> str | None:
    """Say why a backbone cannot take square images of `img_size` pixels, or None.

    The patch size of a ViT of timm is read from its name, where the name tells it.
    """
    if name in ENCODERS:
        return patch_problem(img_size, ENCODERS[name].patch_size, mask_ratio)
    told = re.search(r"patch(\d+)", name) if name.startswith(TIMM) else None
    return patch_problem(img_size, int(told[1]), mask_ratio) if told else None


def patch_problem(
    img_size: int, patch_size: int, mask_ratio: float, tubes: bool = False
) -> str | None:
    """Say why square images cannot be cut into patches and masked, or None.

    Args:
        tubes: the mask is VideoMAE's, which counts the places that it removes.
    """
    if img_size % patch_size:
        low = img_size // patch_size * patch_size
        return (
            f"{img_size} px is not a multiple of the patch size {patch_size}; "
            f"write {low} or {low + patch_size}"
        )
    patches = (img_size // patch_size) ** 2
    kept = math.floor(patches * (1 - mask_ratio))
    if tubes:
        kept = patches - math.floor(patches * mask_ratio)
    if not 1 <= kept < patches:
        fix = "keep 1 or more" if kept < 1 else "remove 1 or more"
        return f"mask_ratio {mask_ratio} keeps {kept} of {patches} patches; {fix}"
    return None


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
    tasks: list[str],
    backbones: list[str],
    configurations: list[str],
    seeds: list[int],
    baselines: Sequence[str] = (),
    clip_tasks: Sequence[str] = (),
    clip_backbones: Sequence[str] = (),
) -> list[Run]:
    """List all runs of the grid.

    First the full grid, then the baselines, which are supervised only, then the encoders of clips
    on those of the tasks that have clips.
    """
    full = itertools.product(tasks, backbones, configurations, seeds)
    alone = itertools.product(tasks, baselines, [SUPERVISED], seeds)
    videos = [task for task in tasks if task in clip_tasks]
    clips = itertools.product(videos, clip_backbones, configurations, seeds)
    return [Run(*choice) for choice in (*full, *alone, *clips)]


def swept(
    tasks: Sequence[str],
    backbones: Sequence[str],
    configurations: Sequence[str],
    lambdas: Sequence[float | str],
    seeds: Sequence[int],
) -> list[Run]:
    """List the runs of a sweep: configurations with a lambda_cls of their own."""
    pairs = itertools.product(configurations, lambdas)
    named = [f"{configuration}-lambda{value}" for configuration, value in pairs]
    return [Run(*choice) for choice in itertools.product(tasks, backbones, named, seeds)]


def named(lists: Any, tasks: list[str]) -> list[Run]:
    """List what the lists name, a folder each: the runs of some tasks, those of the sweep last.

    Args:
        lists: the section `benchmark`, or what a step sees of it.
    """
    full = lists.backbones, lists.configurations, lists.seeds, lists.baselines
    found = runs(tasks, *full, lists.clip_tasks, lists.clip_backbones)
    sweep = lists.sweep
    those = [task for task in tasks if task in sweep.tasks]
    return found + swept(those, sweep.backbones, sweep.configurations, sweep.lambdas, lists.seeds)


def repeats(lists: Any, lambda_cls: float | str) -> dict[str, str]:
    """Map each configuration that repeats another to that one: its own lambda is the recipe's.

    Args:
        lists: as of `named`. lambda_cls: the recipe's.
    """
    shared = {name for name in lists.configurations if parse(name).lambda_cls is None}
    values = [
        f"{name}-lambda{value}"
        for name in lists.sweep.configurations
        for value in lists.sweep.lambdas
    ]
    own = [parse(name) for name in (*lists.configurations, *values)]
    return {
        made.slug: made.shared.slug
        for made in own
        if made.lambda_cls == lambda_cls and made.shared.slug in shared
    }


def runs_of(lists: Any, tasks: list[str], lambda_cls: float | str) -> list[Run]:
    """List the runs of some tasks, each once: what the lists name, less what they repeat."""
    again = repeats(lists, lambda_cls)
    return [run for run in named(lists, tasks) if run.configuration not in again]
