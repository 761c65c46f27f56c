"""Read what the steps left behind for one task; a file that is not as agreed stops the report."""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lssat import grid
from lssat.report.kit import words
from lssat.tables import (
    REJECTS,
    DataError,
    Metrics,
    Record,
    Row,
    RunMetrics,
    read_as,
    read_metrics,
    read_record,
    read_table,
    vouched,
)
from lssat.tables.analysis_tables import (
    Explanations,
    FormatProbe,
    Robustness,
    Sensitivity,
    Slices,
    Speed,
)
from lssat.tables.data_tables import Across, Audit, Lookalikes, SplitsSummary
from lssat.tables.project import RunFiles

Curve = dict[str, list[float | None]]
_ASK = "Remove it, or run `snakemake --cores 8 sensitivity` again"
_RECORD_NEEDS = ("curve_sha256", "reconstruction_sha256", "weights_sha256", "costs", "device")
_NEEDS = (
    *("task", "dataset", "kind", "title", "level", "metric", "coverage", "coverage_present"),
    *("runs", "table", "subsets", "each", "confusion", "comparisons", "backbones", "ranks"),
    *("power", "sweep", "variants", "gains"),
)


@dataclass(frozen=True)
class _Files:
    """Where the results on a data set lie. `faces` are pairs (shard .npy, table .parquet)."""

    metrics: Path
    predictions: Path
    splits: Path
    rejects: list[Path]
    faces: list[tuple[Path, Path]]
    audit: Path
    lookalikes: Path
    findings: list[Path]  # tables of the audit and the look-alikes


@dataclass(frozen=True)
class TaskFiles(_Files):
    """Where the results of one task lie.

    `runs` maps a run's path (`ffpp/vit_micro/MRGB-RLDP-CRGB/seed0`) to its folder with
    curve.csv, record.json and, with an auxiliary task, reconstruction.npz. `texture` is as
    `faces`, empty where no configuration needs any.
    """

    experiment: str  # of MLflow
    runs: dict[str, Path]
    texture: list[tuple[Path, Path]]
    robustness: Path
    format: Path  # of the probe that sees the files alone
    explain: Path
    maps: Path  # of explain
    slices: tuple[Path, ...] = ()  # of its own attributes, of a list; none where none are asked for
    sensitivity: Path | None = None  # None where it was not asked for
    speed: Path | None = None  # of inference; None: it was not measured


@dataclass(frozen=True)
class CrossFiles(_Files):
    """Where the results of a task's runs on another data set lie."""

    across: Path  # of the audit against the task's training data


@dataclass(frozen=True)
class _DataSet:
    """What the page says of any data set, read."""

    name: str
    title: str
    metrics: Metrics
    splits: SplitsSummary
    audit: Audit
    lookalikes: Lookalikes


@dataclass(frozen=True)
class Cross(_DataSet):
    """What the page says of a data set that runs were only tested on, read."""

    files: CrossFiles
    across: Across


@dataclass(frozen=True)
class Task(_DataSet):
    """Everything that the page says of one task, read."""

    files: TaskFiles
    records: dict[str, Record]  # by the run's path
    curves: dict[str, Curve]
    robustness: Robustness
    format: FormatProbe
    explain: Explanations
    slices: list[Slices]
    sensitivity: Sensitivity | None
    speed: Speed | None = None

    @property
    def headline(self) -> list[Row]:
        """The rows of the headline metric at the headline level, of the grid without variants."""
        return self._of_headline(swept=False)

    @property
    def trained(self) -> list[Row]:
        """The rows of the headline that were trained here: those of other programs are not."""
        return [row for row in self.headline if not _external(row)]

    @property
    def external(self) -> list[Row]:
        """The rows of the headline whose scores another program made."""
        return [row for row in self.headline if _external(row)]

    @property
    def beside(self) -> list[Row]:
        """The rows of the headline that are beside the grid: of variants."""
        return self._of_headline(swept=True)

    def _of_headline(self, swept: bool) -> list[Row]:
        wanted = (self.metrics["level"], self.metrics["metric"], swept)
        rows = self.metrics["table"]
        return [row for row in rows if (row["level"], row["metric"], row["swept"]) == wanted]

    @property
    def best_first(self) -> list[Row]:
        """The rows of the headline as `lssat show` sorts them."""
        return sorted(self.headline, key=words.standing)

    @property
    def backbones(self) -> list[str]:
        """The backbones that were trained here, in the order of the table."""
        return list(dict.fromkeys(row["backbone"] for row in self.trained))

    @property
    def configurations(self) -> list[str]:
        """The configurations of the grid, in the order of the table."""
        return list(dict.fromkeys(row["configuration"] for row in self.trained))

    @property
    def columns(self) -> list[str]:
        """The configurations, and last `external` where there are rows of other programs."""
        theirs = (row["configuration"] for row in self.external)
        return list(dict.fromkeys([*self.configurations, *theirs]))

    @property
    def collapsed(self) -> set[tuple[str, str]]:
        """The backbones and configurations that collapsed: every table flags them."""
        return {words.pair(row) for row in self.metrics["table"] if row["collapsed"]}

    @property
    def seeds(self) -> list[int]:
        """The seeds of all runs that were trained here."""
        return sorted({run["seed"] for run in self.metrics["runs"] if not _external(run)})

    @property
    def all_seeds(self) -> list[int]:
        """The seeds of all runs, also of other programs."""
        return sorted({run["seed"] for run in self.metrics["runs"]})

    def runs_of(self, backbone: str, configuration: str) -> list[RunMetrics]:
        """Return the runs of one row, by seed."""
        wanted = (backbone, configuration)
        runs = [run for run in self.metrics["runs"] if words.pair(run) == wanted]
        return sorted(runs, key=lambda run: run["seed"])


def _external(row: Mapping[str, Any]) -> bool:
    return bool(row["configuration"] == grid.EXTERNAL)


def _trained_runs(metrics: Metrics) -> set[str]:
    return {run["run"] for run in metrics["runs"] if not _external(run)}


def read_task(name: str, files: TaskFiles) -> Task:
    """Read one task.

    Raises:
        DataError: a file is missing or damaged, or metrics and runs do not name the same runs.
    """
    metrics = read_metrics(files.metrics, *_NEEDS)
    scored = _trained_runs(metrics)
    _refuse(files.metrics, name, scored ^ set(files.runs), "Evaluate the task again")
    robustness = read_as(files.robustness, Robustness)
    _refuse(files.robustness, name, _runs_of(robustness["rows"]) - scored)
    records = {
        run: read_record(RunFiles(folder).record, *_RECORD_NEEDS)
        for run, folder in files.runs.items()
    }
    every_run = {run["run"] for run in metrics["runs"]}
    return Task(
        **_data_set(name, files, metrics),
        files=files,
        records=records,
        curves={run: read_curve(RunFiles(files.runs[run]).curve, records[run]) for run in records},
        robustness=robustness,
        format=read_as(files.format, FormatProbe),
        explain=read_as(files.explain, Explanations),
        slices=[_slices(file, name, every_run) for file in files.slices],
        sensitivity=read_as(files.sensitivity, Sensitivity, _ASK) if files.sensitivity else None,
        speed=_speed(files.speed, metrics) if files.speed else None,
    )


def _refuse(file: Path, task: str, differ: set[str], remedy: str = "Run its step again") -> None:
    """Raise where a file names other runs than a task has, or lacks some of them."""
    if differ:
        problem = f"does not fit the runs of {task}: {', '.join(sorted(differ)[:5])}"
        raise DataError(file, problem, remedy)


def _runs_of(rows: Sequence[Mapping[str, Any]]) -> set[str]:
    return {run for row in rows for run in row["runs"]}


def _slices(file: Path, task: str, runs: set[str]) -> Slices:
    slices = read_as(file, Slices)
    _refuse(file, task, _runs_of(slices["rows"]) ^ runs)
    return slices


def _speed(file: Path, metrics: Metrics) -> Speed:
    speed = read_as(file, Speed)
    timed = {backbone["backbone"] for backbone in speed["backbones"]}
    named = {run["backbone"] for run in metrics["runs"] if not _external(run)}
    if missing := sorted(named - timed):
        raise DataError(file, f"says nothing of {', '.join(missing)}", "Run its step again")
    return speed


def read_cross(name: str, files: CrossFiles, tasks: list[Task]) -> Cross:
    """Read the results across data sets.

    Raises:
        DataError: a file is missing or damaged, or other runs were scored than the task's.
    """
    metrics = read_metrics(files.metrics, *_NEEDS)
    trained = {run for task in tasks if task.name == metrics["task"] for run in task.files.runs}
    _refuse(files.metrics, metrics["task"], _trained_runs(metrics) ^ trained)
    across = read_as(files.across, Across)
    return Cross(**_data_set(name, files, metrics), files=files, across=across)


def _data_set(name: str, files: _Files, metrics: Metrics) -> dict[str, Any]:
    return {
        "name": name,
        "title": metrics["title"],
        "metrics": metrics,
        "splits": read_as(files.splits, SplitsSummary),
        "audit": read_as(files.audit, Audit),
        "lookalikes": read_as(files.lookalikes, Lookalikes),
    }


def read_curve(path: Path, record: Record) -> Curve:
    """Read a training curve: column -> one number per epoch, None where the cell is empty.

    Args:
        record: of the run, which vouches for the file.

    Raises:
        DataError: no file, another one, a column is missing, or a cell is no number.
    """
    remedy = "Remove it and run `snakemake --cores 8` to train the run again"
    data = vouched(path, record["curve_sha256"], "record.json", remedy)
    rows = list(csv.DictReader(io.StringIO(data.decode(), newline="")))
    columns = list(rows[0]) if rows else []
    if lacking := {"epoch", "loss_cls", "loss_rec", "val_loss_cls"} - set(columns):
        raise DataError(path, f"lacks the column {', '.join(sorted(lacking))}", remedy)
    try:
        return {name: [float(r[name]) if r[name] else None for r in rows] for name in columns}
    except (TypeError, ValueError) as error:
        raise DataError(path, f"has a cell that is no number ({error})", remedy) from error


def read_rejects(tasks: Sequence[Task | Cross]) -> list[dict]:
    """Gather the rejects of all steps once (two tasks may share a data set), in a fixed order."""
    paths = dict.fromkeys(path for task in tasks for path in task.files.rejects)
    rows = [row for path in paths for row in read_table(path, REJECTS).to_pylist()]
    return sorted(rows, key=lambda row: [row["dataset"], row["step"], row["reason"], row["id"]])
