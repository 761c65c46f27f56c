"""Read two runs that are to be compared, and put their common test samples beside each other."""

from dataclasses import dataclass
from pathlib import Path
from typing import cast

import pyarrow as pa
import pyarrow.compute as pc

from lssat import grid
from lssat.evaluation.scores.levels import Level, levels
from lssat.grid import EXTERNAL, trained
from lssat.tables import PREDICTIONS, DataError, Metrics, Record, read_metrics, read_table
from lssat.tables.project import Project, Results

_SAMPLE = ("id", "frame", "clip")


@dataclass(frozen=True)
class Arm:
    """One of the two: its record and its evaluation."""

    letter: str  # A | B
    folder: Path  # of another program's scores: where a run of its name would lie
    record: Record  # of such scores what there is: names, and the sha256 of their file
    metrics: Metrics  # of its whole task
    rows: pa.Table  # schema PREDICTIONS, the test split's
    file: Path  # of the rows

    @property
    def run(self) -> str:
        """Its path, such as ffpp/vit_mini/MRGB-RLDP-CRGB/seed0."""
        return self.record["run"]

    @property
    def name(self) -> str:
        """Its name in the comparison: both may have one path, in two folders."""
        return f"{self.letter}/{self.run}"

    @property
    def temperature(self) -> float | None:
        """What divides its logits in predictions, fitted on validation; None: not calibrated."""
        (own,) = [run for run in self.metrics["runs"] if run["run"] == self.run]
        return (own.get("calibration") or {}).get("temperature")

    @property
    def external(self) -> str | None:
        """The file of scores that another program gave; None: a run that was trained here."""
        (own,) = [run for run in self.metrics["runs"] if run["run"] == self.run]
        return own["external"]["file"] if "external" in own else None

    @property
    def project(self) -> Project:
        """The project that it lies in."""
        return Project.of_run(self.folder)


def read(letter: str, name: Path, runs: Path, results: Path | None, dataset: str | None) -> Arm:
    """Read one of the two.

    Args:
        name: its folder, or its path below `runs`; of another program's scores the latter too:
            `celeba/forest/external/seed0`.
        results: folder of all results; None: `results` beside the folder of its runs.
        dataset: that the runs were only tested on; None: their own.

    Raises:
        DataError: no such run; it has no predictions, or they are of other weights.
    """
    if name.parent.name == EXTERNAL:
        return _scores(letter, name if len(name.parts) > 4 else runs / name, results)
    folder = trained.find(name, runs)
    record = trained.record(folder, "run", "task", "weights_sha256", "curve_sha256")
    known = Results(results) if results else Project.of_run(folder).results
    own = known.task(record["task"])
    evaluated = own.cross(dataset) if dataset else own
    metrics = _measured(evaluated.metrics)
    sha256 = metrics.get("weights", {}).get(record["run"])
    if sha256 != record["weights_sha256"]:
        what = "does not say of which weights it is" if sha256 is None else "is of other weights"
        problem = f"{what}, for {folder}"
        raise DataError(evaluated.metrics, problem, "Run `snakemake --cores 8` to evaluate")
    return _arm(letter, folder, record, metrics, evaluated.predictions)


def _measured(file: Path) -> Metrics:
    needs = ("kind", "dataset", "level", "metric", "classes")
    return read_metrics(file, *needs, remedy="Evaluate the run first: `snakemake --cores 8`")


def _scores(letter: str, folder: Path, results: Path | None) -> Arm:
    """Read the scores that another program gave a task's test split."""
    run = grid.Run.of(f"{folder}")
    known = Results(results) if results else Project.of_run(folder).results
    evaluated = known.task(run.task)
    metrics = _measured(evaluated.metrics)
    theirs = {each["run"]: each["external"] for each in metrics["runs"] if "external" in each}
    if run.path not in theirs:
        there = ", ".join(theirs) or "it has none of other programs"
        problem = f"holds no scores of {run.path}"
        raise DataError(evaluated.metrics, problem, f"Name a row of benchmark.external: {there}")
    told = run._asdict() | {"run": run.path, "weights_sha256": theirs[run.path]["sha256"]}
    return _arm(letter, folder, cast(Record, told), metrics, evaluated.predictions)


def _arm(letter: str, folder: Path, record: Record, metrics: Metrics, file: Path) -> Arm:
    rows = read_table(file, PREDICTIONS, only={"run": [record["run"]], "split": ["test"]})
    return Arm(letter, folder, record, metrics, rows, file)


def together(a: Arm, b: Arm) -> tuple[list[Level], dict[str, int]]:
    """Return the common test samples, with the scores of both under their names.

    Returns:
        the levels (`scores.levels`), the last of which is the headline's, and how many rows are
        `common`, `only_a` and `only_b`.

    Raises:
        DataError: runs of different tasks, frames beside clips, no common samples, or other
            labels of a sample.
    """
    facts = [(x.record["task"], x.metrics["dataset"], x.metrics["kind"], x.metrics["classes"])
             for x in (a, b)]  # fmt: skip
    if facts[0] != facts[1]:
        (one, on, *_), (two, other, *_) = facts
        what = f"is a run of {two} on {other}" if (one, on) != (two, other) else "has other classes"
        problem = f"{what}, {a.folder} of {one} on {on}"
        raise DataError(b.folder, problem, "Compare two runs of one task, on one data set")
    kinds = [x.rows["level"].unique().to_pylist() for x in (a, b)]
    if kinds[0] != kinds[1]:
        problem = f"was scored on {kinds[1][0]}s, {a.folder} on {kinds[0][0]}s"
        raise DataError(b.folder, problem, "Their samples are not the same: compare like with like")
    one, two, counts = _common(a, b)
    if not len(one):
        problem = f"has no test sample in common with {a.file}"
        raise DataError(b.file, problem, "Were they trained on the same data set and splits?")
    if one["labels"] != two["labels"]:
        problem = f"gives common test samples other labels than {a.file}"
        raise DataError(b.file, problem, "They are of two versions of the data set")
    return _levels(a, b, one, two), counts


def calibrated(a: Arm, b: Arm) -> Level:
    """Return the headline's level of `together` with the scores that `lssat predict` gives.

    Logits are divided by the temperature that the run's validation chose, if there is one.
    """
    one, two, _ = _common(a, b)
    return _levels(a, b, _tempered(one, a.temperature), _tempered(two, b.temperature))[-1]


def _levels(a: Arm, b: Arm, one: pa.Table, two: pa.Table) -> list[Level]:
    parts = [_named(rows, arm.name) for rows, arm in ((one, a), (two, b))]
    parts[1] = _as_first(parts[1], parts[0])
    (found,) = levels(pa.concat_tables(parts), a.record["task"], a.metrics["kind"])
    return found


def _tempered(rows: pa.Table, temperature: float | None) -> pa.Table:
    logits = rows["logits"].combine_chunks()
    divided = pc.divide(logits.flatten().cast(pa.float64()), temperature or 1.0)
    lists = pa.ListArray.from_arrays(logits.offsets, divided.cast(pa.float32()))
    return rows.set_column(rows.schema.get_field_index("logits"), "logits", lists)


def _common(a: Arm, b: Arm) -> tuple[pa.Table, pa.Table, dict[str, int]]:
    """Return the rows of both whose samples are in both, in one order."""
    keys = [list(zip(*(arm.rows[name].to_pylist() for name in _SAMPLE), strict=True))
            for arm in (a, b)]  # fmt: skip
    places = [{key: at for at, key in enumerate(arm_keys)} for arm_keys in keys]
    common = sorted(places[0].keys() & places[1].keys())
    one, two = ([place[key] for key in common] for place in places)
    counts = dict(common=len(common), only_a=len(keys[0]) - len(one))
    counts |= dict(only_b=len(keys[1]) - len(two))
    rows = [arm.rows.take(pa.array(at, pa.int64())) for arm, at in ((a, one), (b, two))]
    return rows[0], rows[1], counts


def _named(rows: pa.Table, name: str) -> pa.Table:
    where = rows.schema.get_field_index("run")
    return rows.set_column(where, "run", pa.array([name] * len(rows)))


def _as_first(rows: pa.Table, first: pa.Table) -> pa.Table:
    """Take groups and subsets from the first, so that one version defines the clusters."""
    for name in ("group", "subset"):
        rows = rows.set_column(rows.schema.get_field_index(name), name, first[name])
    return rows
