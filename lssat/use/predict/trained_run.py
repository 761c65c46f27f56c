"""A run with all that predictions need: task, settings of its crops, temperature."""

from pathlib import Path
from typing import Any, NamedTuple

from lssat import grid, metrics
from lssat.evaluation.logits import load_run
from lssat.grid import trained
from lssat.models.ssat import SSAT
from lssat.tables import Record, read_metrics
from lssat.tables.project import Results


class Opened(NamedTuple):
    """A run that is ready to predict."""

    run: str
    model: SSAT
    task: grid.Task
    crops: dict[str, Any]  # what made its crops: the settings of the faces step, and their size
    texture: tuple[str, int]  # kind and k
    threads: int
    temperature: float | None  # of its logits, fitted on validation; None: not calibrated
    calibration: str  # why, in words
    collapsed: str | None  # on the test split, and why; None: it did not, or nobody knows


def open_run(folder: Path, results: Path, device: str) -> Opened:
    """Open a run.

    Args:
        folder: the run's.
        results: folder of all results; the run's temperature is read from its task's.

    Raises:
        DataError: weights or record are missing or damaged, or of an older version.
    """
    record = trained.record(folder, "run", "task", "params", "predicts", "crops", "weights_sha256")
    model = load_run(folder).to(device)
    task = grid.Task(**record["predicts"])
    texture = record["params"]["texture"]
    return Opened(
        record["run"],
        model,
        task._replace(classes=tuple(task.classes)),
        record["crops"],
        (texture["kind"], texture["k"]),
        record["params"]["train"]["threads"],
        *_evaluated(record, Results(results).task(record["task"]).metrics),
    )


def _evaluated(record: Record, file: Path) -> tuple[float | None, str, str | None]:
    """Return the temperature, why there is one or none, and whether the run collapsed."""
    if not file.exists():
        return None, f"uncalibrated: {file} does not exist", None
    evaluated = read_metrics(file)
    sha256 = evaluated.get("weights", {}).get(record["run"])
    if sha256 is None:
        return None, f"uncalibrated: {file} is not of this run", None
    if sha256 != record["weights_sha256"]:
        return None, f"uncalibrated: {file} is of other weights of this run; evaluate again", None
    (own,) = [run for run in evaluated["runs"] if run["run"] == record["run"]]
    fallen = own["notes"]["collapsed"] if own["collapsed"] else None
    value = own.get("calibration", {}).get("temperature")
    if value is None:
        return None, f"uncalibrated: {file} holds no temperature for this run", fallen
    calibration = [f"calibrated on validation, temperature {value:.3f}", metrics.at_bound(value)]
    return value, "; ".join(filter(None, calibration)), fallen
