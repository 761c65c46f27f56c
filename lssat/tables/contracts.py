"""The contracts between steps that are JSON: metrics.json, record.json, and how each is read.

Whoever reads metrics or a record names the keys that it needs; of the others all that their type
requires must be there (`read_as`). What is not as agreed ends the step with the file, the key and
what to do, and not later in a formula.
"""

import re
from collections.abc import Sequence
from pathlib import Path
from types import GenericAlias
from typing import Any, NotRequired, TypeVar, cast, get_type_hints

from typing_extensions import TypedDict  # pydantic takes no other before Python 3.12

from lssat.tables.errors import DataError
from lssat.tables.metric_tables import (
    BackboneComparison,
    ClassRow,
    Comparison,
    Confusion,
    Curve,
    Gain,
    Nearest,
    Number,
    Power,
    Rank,
    Row,
    RunMetrics,
    SubsetRow,
    SweepRow,
    VariantRow,
)
from lssat.tables.project import Project
from lssat.tables.texts import read_json

# Folders in which the names of those below say whose files they hold; elsewhere they may be copies.
_TASKS = Project().results.task("").root.name
_RUNS = Project().runs.root.name
VERSION = 1  # of all; a file that names none was written before there were others
STEP_REMEDY = "Run its step again: remove it and run `snakemake --cores 8`"
RECORD_REMEDY = "Train the run again: remove its folder and run `snakemake --cores 8`"

Content = TypeVar("Content")


class Metrics(TypedDict):
    """results/tasks/<task>/metrics.json; `lssat.evaluation.scores` says what each part is."""

    version: int
    task: str
    dataset: str
    kind: str
    title: str
    classes: list[str]
    metric: str
    level: str
    split: str
    coverage: float
    coverage_present: float
    confidence: float
    resamples: int
    groups: int
    n: dict[str, int]
    runs: list[RunMetrics]
    table: list[Row]
    subsets: list[SubsetRow]
    each: list[ClassRow]
    confusion: list[Confusion]
    roc: list[Curve]
    comparisons: list[Comparison]
    backbones: list[BackboneComparison]
    ranks: list[Rank]
    power: list[Power]
    sweep: list[SweepRow]
    variants: list[VariantRow]
    gains: list[Gain]
    nearest: NotRequired[list[Nearest]]  # k-NN scores of probes, where there are some
    unasked: NotRequired[list[str]]  # classes of the runs that the data set lacks: not measured
    weights: dict[str, str]  # run -> sha256 of the weights that were evaluated


class Times(TypedDict):
    """When a training began and ended, and each of its epochs did: seconds since 1970."""

    started: float
    ended: float
    epochs: list[float]


class Record(TypedDict):
    """record.json of a run: what it was, what it was made with, what it cost."""

    version: int
    run: str
    task: str
    backbone: str
    configuration: str
    seed: int
    weights: dict[str, str | None]  # source, licence
    epochs: int
    best_epoch: int
    select_metric: str
    best_value: Number
    best_loss: Number
    parameters: int
    decoder_parameters: int
    trained_parameters: NotRequired[int]  # of `parameters`; an adapter's beside them
    seconds: float
    imgs_per_second: float
    resumed: int
    times: NotRequired[Times]
    device: str
    devices: int
    environment: dict[str, Any]
    git: dict[str, Any]
    params: dict[str, Any]
    data: dict[str, str]  # split -> sha256
    train_groups: NotRequired[list[str]]  # of a share of the data (train.share)
    predicts: dict[str, Any]
    crops: dict[str, Any]
    costs: dict[str, Any]
    weights_sha256: str
    curve_sha256: str
    reconstruction_sha256: str


def read_metrics(path: Path, *needs: str, remedy: str = STEP_REMEDY) -> Metrics:
    """Read a metrics.json.

    Args:
        needs: keys that must be there.

    Raises:
        DataError: it is missing or damaged, of another version, not as agreed, or of another
            data set than the folder that it lies in.
    """
    content = _checked(path, read_json(path, remedy), Metrics, needs, STEP_REMEDY)
    *_, kind, name, _ = ("", "", *path.absolute().parts)
    if kind in (_TASKS, "cross") and (of := content.get("dataset", name)) != name:
        raise DataError(path, f"is of {of}, not of {name}", STEP_REMEDY)
    return cast(Metrics, content)


def read_record(path: Path, *needs: str, remedy: str = RECORD_REMEDY) -> Record:
    """Read a record.json; arguments and errors as those of `read_metrics`, by the run's folder."""
    content = _checked(path, read_json(path, remedy), Record, needs, RECORD_REMEDY)
    *above, task, backbone, configuration, seed, _ = ("", "", "", "", *path.absolute().parts)
    place = "/".join((task, backbone, configuration, seed))
    if above[-1:] == [_RUNS] and _same(run := content.get("run", place)) != _same(place):
        raise DataError(path, f"is of the run {run}, not of {place}", RECORD_REMEDY)
    return cast(Record, content)


def _same(run: str) -> str:
    """Return what a run shares with one that repeats it under a lambda of its own (rule repeat)."""
    return re.sub("-lambda[^/]*", "", run)


def read_as(path: Path, kind: type[Content], remedy: str = STEP_REMEDY) -> Content:
    """Read what a step wrote as its type says: every key that it requires, rows as agreed.

    Args:
        kind: a TypedDict of `analysis_tables` or `data_tables`.

    Raises:
        DataError: it is missing or damaged, of another version, or not as agreed.
    """
    needs = sorted(kind.__required_keys__)  # type: ignore[attr-defined]
    return cast(Content, _checked(path, read_json(path, remedy), kind, needs, remedy))


def _checked(path: Path, content: Any, kind: type, needs: Sequence[str], remedy: str) -> Any:
    if not isinstance(content, dict):
        raise DataError(path, "holds no keys", remedy)
    version = content.get("version", VERSION)
    if version != VERSION:
        newer = isinstance(version, int) and version > VERSION
        problem = f"version is {version!r}, and this lssat reads {VERSION}"
        raise DataError(path, problem, "Update lssat" if newer else remedy)
    lacking = [f"lacks the key {name}" for name in needs if name not in content]
    wrong = [problem for name in content for problem in _wrong(kind, name, content[name])]
    if problems := [*lacking, *wrong]:
        raise DataError(path, "; ".join(problems[:5]), remedy)
    return content


def _wrong(kind: type, name: str, value: Any) -> list[str]:
    """Say what is wrong with the value of a key, with the way to the place inside it."""
    from pydantic import (
        ConfigDict,
        TypeAdapter,
        ValidationError,
    )  # not where nothing is read: it is slow

    hints = get_type_hints(kind)
    if name not in hints:
        return []
    try:
        exact = ConfigDict(extra="forbid")  # rows have the keys of their type and no other
        listed: Any = GenericAlias(list, hints[name])  # a TypedDict alone takes no configuration
        TypeAdapter(listed, config=exact).validate_python([value], strict=True)
    except ValidationError as error:
        return [f"{_place(name, each['loc'][1:])}: {each['msg']}" for each in error.errors()]
    return []


def _place(name: str, loc: Sequence[str | int]) -> str:
    return ".".join([name, *map(str, loc)])
