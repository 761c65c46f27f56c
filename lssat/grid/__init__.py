"""The names of the benchmark: tasks, backbones, configurations, runs, and which runs there are."""

from lssat.grid.backbones import (
    BASELINES,
    ENCODERS,
    MAE_WEIGHTS,
    TIMM,
    VIDEO_ENCODERS,
    Encoder,
    VideoEncoder,
    backbone_problem,
    patch_problem,
    weights_problem,
)
from lssat.grid.notation import LEARNED, TEXTURES, Configuration, configurations, parse, share
from lssat.grid.runs import SUPERVISED, Run, every_run, named, repeats, runs_of, swept
from lssat.grid.tasks import Task, read_task

__all__ = [
    "BASELINES",
    "ENCODERS",
    "LEARNED",
    "MAE_WEIGHTS",
    "SUPERVISED",
    "TEXTURES",
    "TIMM",
    "VIDEO_ENCODERS",
    "Configuration",
    "Encoder",
    "Run",
    "Task",
    "VideoEncoder",
    "backbone_problem",
    "configurations",
    "every_run",
    "named",
    "parse",
    "patch_problem",
    "read_task",
    "repeats",
    "runs_of",
    "share",
    "swept",
    "weights_problem",
]
