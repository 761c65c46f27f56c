"""The names of the benchmark: tasks, backbones, configurations, runs, and which runs there are."""

from lssat.grid.backbones import (
    BASELINES,
    ENCODERS,
    FAMILIES,
    MAE_WEIGHTS,
    TIMM,
    VIDEO_ENCODERS,
    Encoder,
    Family,
    VideoEncoder,
    backbone_problem,
    family,
    patch_problem,
    weights_problem,
)
from lssat.grid.blends import BLENDS
from lssat.grid.notation import (
    BASE,
    LEARNED,
    TEXTURES,
    Configuration,
    configurations,
    parse,
    share,
    variant_problem,
)
from lssat.grid.runs import RUN, SUPERVISED, Run, every_run, named, repeats, runs_of
from lssat.grid.tasks import Task, read_task
from lssat.grid.tuning import Tune, tune, tune_problem

__all__ = [
    "BASE",
    "BASELINES",
    "BLENDS",
    "ENCODERS",
    "FAMILIES",
    "LEARNED",
    "MAE_WEIGHTS",
    "RUN",
    "SUPERVISED",
    "TEXTURES",
    "TIMM",
    "VIDEO_ENCODERS",
    "Configuration",
    "Encoder",
    "Family",
    "Run",
    "Task",
    "Tune",
    "VideoEncoder",
    "backbone_problem",
    "configurations",
    "every_run",
    "family",
    "named",
    "parse",
    "patch_problem",
    "read_task",
    "repeats",
    "runs_of",
    "share",
    "tune",
    "tune_problem",
    "variant_problem",
    "weights_problem",
]
