"""The names of the benchmark: tasks, backbones, configurations, runs, and which runs there are."""

from lssat.grid.backbones import (
    BASELINES,
    ENCODERS,
    FAMILIES,
    TIMM,
    VIDEO_ENCODERS,
    Encoder,
    VideoEncoder,
    backbone_problem,
    family,
    patch_problem,
    weights_problem,
)
from lssat.grid.blends import BLENDS
from lssat.grid.notation import (
    BASE,
    EXTERNAL,
    TEXTURES,
    Configuration,
    configurations,
    parse,
    variant_problem,
)
from lssat.grid.runs import (
    BESIDE,
    RUN,
    SUPERVISED,
    Run,
    every_run,
    external,
    named,
    repeats,
    runs_of,
)
from lssat.grid.tasks import Task, read_task
from lssat.grid.tuning import Tune, tune, tune_problem

__all__ = [
    "BASE",
    "BASELINES",
    "BESIDE",
    "BLENDS",
    "ENCODERS",
    "EXTERNAL",
    "FAMILIES",
    "RUN",
    "SUPERVISED",
    "TEXTURES",
    "TIMM",
    "VIDEO_ENCODERS",
    "Configuration",
    "Encoder",
    "Run",
    "Task",
    "Tune",
    "VideoEncoder",
    "backbone_problem",
    "configurations",
    "every_run",
    "external",
    "family",
    "named",
    "parse",
    "patch_problem",
    "read_task",
    "repeats",
    "runs_of",
    "tune",
    "tune_problem",
    "variant_problem",
    "weights_problem",
]
