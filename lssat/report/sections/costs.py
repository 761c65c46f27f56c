"""What each row cost beside what it scored, and which rows no cheaper one matches."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from lssat.report.kit.results import Task
from lssat.tables import Record
from lssat.tables.analysis_tables import Speed


class Cost(NamedTuple):
    """A cost: of each run's record (`lssat.training`), or of its backbone."""

    name: str  # its key in record.json or in the record's `costs`
    label: str
    hint: str
    scale: float  # from the record's unit to the label's
    digits: int
    more_is_cheaper: bool = False

    @property
    def heading(self) -> str:
        """The label as a heading or an option begins: with a capital."""
        return self.label[0].upper() + self.label[1:]


COSTS = (
    Cost("flops_training", "training GFLOP", "an image or clip, mean over all epochs", 1e-9, 3),
    Cost("flops_run", "training TFLOP of a run", "all phases, epochs and samples", 1e-12, 3),
    Cost("flops_inference", "inference GFLOP", "an image or clip", 1e-9, 3),
    Cost("parameters", "parameters (M)", "without the decoder", 1e-6, 3),
    Cost("inference_imgs_per_second", "inference images/s", "more is cheaper", 1, 0, True),
    Cost("inference_latency_ms", "inference latency (ms)", "of one image or clip, median", 1, 2),
    Cost("seconds", "training time (s)", "wall time of a run", 1, 1),
    Cost("peak_memory", "peak memory (MiB)", "of the process, or of the GPU", 2**-20, 0),
    Cost("energy_kwh", "energy (Wh)", "of training, by codecarbon", 1e3, 3),
)

_TIMED = {"inference_imgs_per_second", "inference_latency_ms"}


@dataclass(frozen=True)
class Priced:
    """A row of the headline table with its costs, in the units of the records."""

    row: Mapping[str, Any]
    # cost -> a value for each seed, or one of the backbone; absent where a run lacks it
    seeds: dict[str, list[float]]
    devices: tuple[str, ...]  # that its runs were trained on

    def mean(self, cost: str) -> float | None:
        """Return the mean over seeds, None where a run has no value."""
        values = self.seeds.get(cost)
        return sum(values) / len(values) if values else None


def priced(task: Task) -> list[Priced]:
    """Return the headline rows of a task with the costs that their runs recorded."""
    speeds = _speeds(task.speed) if task.speed else {}
    return [
        _priced(row, [task.records[run] for run in row["runs"]], speeds.get(row["backbone"], {}))
        for row in task.trained
    ]


def _speeds(speed: Speed) -> dict[str, dict[str, list[float]]]:
    """Return backbone -> the costs that were measured once for it, alone (`evaluation.speed`)."""
    return {
        entry["backbone"]: {
            "inference_imgs_per_second": [entry["batches"][-1]["imgs_per_second"]],
            "inference_latency_ms": [entry["batches"][0]["latency_ms"]],
        }
        for entry in speed["backbones"]
    }


def _priced(
    row: Mapping[str, Any], records: Sequence[Record], speeds: dict[str, list[float]]
) -> Priced:
    costs: dict[str, list[float]] = dict(speeds)
    for cost in (cost for cost in COSTS if cost.name not in _TIMED):
        values = [_value(record, cost.name) for record in records]
        known = [value for value in values if value is not None]
        if len(known) == len(values):
            costs[cost.name] = known
    return Priced(row, costs, tuple(dict.fromkeys(str(r.get("device")) for r in records)))


def _value(record: Mapping[str, Any], name: str) -> float | None:
    return record.get(name, record.get("costs", {}).get(name))


def front(rows: Sequence[Priced], cost: Cost) -> list[Priced]:
    """Return the rows that no other one equals or beats in both cost and score, cheapest first.

    Means decide, intervals do not. Collapsed rows, and rows without score or cost, are left out;
    of rows that are equal in both, all stay.
    """
    able = [
        entry
        for entry in rows
        if entry.row["mean"] is not None
        and entry.mean(cost.name) is not None
        and not entry.row["collapsed"]
    ]
    kept = [entry for entry in able if not any(_beats(other, entry, cost) for other in able)]
    return sorted(kept, key=lambda entry: (_price(entry, cost), entry.row["mean"]))


def _price(entry: Priced, cost: Cost) -> float:
    value = entry.mean(cost.name)
    assert value is not None
    return -value if cost.more_is_cheaper else value


def _beats(a: Priced, b: Priced, cost: Cost) -> bool:
    """Say whether a is as good in both as b, and better in one."""
    prices = _price(a, cost), _price(b, cost)
    no_worse = prices[0] <= prices[1] and a.row["mean"] >= b.row["mean"]
    return no_worse and (prices[0] < prices[1] or a.row["mean"] > b.row["mean"])
