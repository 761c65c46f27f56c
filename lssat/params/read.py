"""Reading params.yaml, and handing each step the sections that its rule reads."""

import json
from pathlib import Path
from types import SimpleNamespace, UnionType
from typing import Any, get_args

from pydantic import ValidationError

from lssat.params import check
from lssat.params.base import Section
from lssat.params.data import Own
from lssat.params.sections import Params
from lssat.tables import DataError
from lssat.yaml12 import read_yaml

# What each rule reads; dvc.yaml watches the same keys (tests/test_workflow.py holds it to this).
_LISTS = ("backbones", "configurations", "seeds", "baselines", "clip_tasks", "clip_backbones")
# The recipe's lambda_cls says which runs of the sweep repeat one of the grid.
_GRID = [*(f"benchmark.{name}" for name in (*_LISTS, "sweep")), "train.lambda_cls"]
ON_REQUEST = ("variant", "sensitivity")  # rules that are asked for by name, of Snakemake alone
READS = {
    "sample": ["sample"],
    "manifest": ["datasets.{task}"],
    "faces": ["datasets.{task}", "faces"],
    "texture": ["texture.kind", "texture.k"],
    "splits": ["datasets.{task}", "splits"],
    "audit": [],  # nothing that could be edited and make runs stale
    "lookalikes": ["audit"],
    "audit_cross": ["audit"],
    "train": ["texture", "train"],
    "evaluate": [*_GRID, "evaluate", "train.threads"],
    "cross": [*_GRID, "evaluate", "train.threads"],
    "robustness": [
        *_GRID,
        "robustness",
        "texture.kind",
        "texture.k",
        "train.threads",
        *(f"evaluate.{name}" for name in ("confidence", "seed", "batch_size")),
    ],
    "slices": ["slices.attributes.{task}", "slices.min_n", "evaluate"],
    "slices_listed": ["slices.lists.{task}", "slices.min_n", "evaluate"],
    "explain": [*_GRID, "explain", "train.threads"],
    "gallery": ["benchmark.tasks", "texture.kind", "report", "sample", "datasets"],
    "variant": [
        *_GRID,
        "datasets.{task}",
        "faces",
        "texture.kind",
        "texture.k",
        "train.threads",
        "evaluate.batch_size",
    ],
    "sensitivity": [
        *_GRID,
        "datasets.{task}",
        "faces.margin",
        "sensitivity",
        *(f"evaluate.{name}" for name in ("confidence", "seed", "resamples")),
    ],
    "track": [*_GRID, "tracking"],
    "track_cross": [*_GRID, "tracking"],
    "track_slices": ["tracking"],
    "report": [
        *("benchmark", "sample", "datasets", "faces", "texture", "splits", "audit"),
        *("train", "evaluate", "robustness", "slices", "explain", "tracking", "report"),
    ],
    "track_report": ["benchmark.tasks", "tracking"],
}


def load(path: str | Path = "params.yaml") -> Params:
    """Read and validate params.yaml.

    Raises:
        DataError: all problems in one message, each with its line and key.
    """
    params, problems, _ = examine(path)
    if problems or params is None:
        raise DataError.of(path, problems)
    return params


def examine(path: str | Path) -> tuple[Params | None, list[str], check.Source]:
    """Read params.yaml and gather what is wrong with it, each problem a line.

    Returns:
        the parameters, None where they are not valid; the problems; the file as it stands.

    Raises:
        DataError: it cannot be read at all.
    """
    source = check.Source(path, *read_yaml(path))
    problems, params = [], None
    try:
        params = Params.model_validate(source.raw)
    except ValidationError as error:
        problems = [check.say(path, source.lines, each) for each in error.errors()]
    return params, problems + check.across(source), source


def section(params: Params, rule: str, **wildcards: str) -> dict[str, Any]:
    """Return the part of the parameters that a rule reads, as plain values."""
    whole = params.model_dump()
    whole["datasets"] = {name: data for name, data in whole["datasets"].items() if data}
    part: dict[str, Any] = {}
    for key in READS[rule]:
        source, target = whole, part
        *parents, last = key.format(**wildcards).split(".")
        for parent in parents:
            source, target = source[parent], target.setdefault(parent, {})
        target[last] = source[last]
    return part


def section_json(params: Params, rule: str, **wildcards: str) -> str:
    """Return `section` as the JSON argument of the rule's command."""
    return json.dumps(section(params, rule, **wildcards), sort_keys=True)


def view(source: str, rule: str, **wildcards: str) -> SimpleNamespace:
    """Give a step its parameters, and only those that its rule declares in READS.

    Args:
        source: path of a params.yaml, or the JSON that `section_json` made.
    """
    if not source.lstrip().startswith("{"):
        part = section(load(source), rule, **wildcards)
    else:
        part = json.loads(source)
    return _typed(Params, part)


def _typed(model: Any, part: dict) -> SimpleNamespace:
    made = {}
    for key, value in part.items():
        inner = model.model_fields[key].annotation if key in model.model_fields else Own
        if isinstance(inner, UnionType):  # Ffpp | None
            inner = get_args(inner)[0]
        if not (isinstance(inner, type) and issubclass(inner, Section)):
            made[key] = value
        elif set(value) == set(inner.model_fields):
            made[key] = inner.model_validate(value)
        else:
            made[key] = _typed(inner, value)
    return SimpleNamespace(**made)
