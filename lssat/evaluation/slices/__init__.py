"""Metrics of groups of the test samples: which group is served worst, and by how much.

Reads what the evaluation predicted, and nothing else of the test split. The groups come from a
multi-label task's own labels, or from a list of annotations that the user supplies.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lssat.evaluation.scores.levels import Level, levels
from lssat.evaluation.scores.run_group import by_seed
from lssat.evaluation.slices import annotations, differences
from lssat.evaluation.slices.groups import Slice, facts
from lssat.params import Evaluate
from lssat.tables import MANIFEST, PREDICTIONS, DataError, read_metrics, read_table, write_json
from lssat.tables.contracts import VERSION


@dataclass(frozen=True)
class Files:
    """Where the step reads and writes."""

    predictions: Path
    metrics: Path  # of the evaluation, with the task
    out: Path


@dataclass(frozen=True)
class Annotated:
    """A list of annotations, and the manifest whose samples it names."""

    csv: Path
    manifest: Path


def own(task: str, files: Files, names: list[str], min_n: int, options: Evaluate) -> None:
    """Slice a multi-label task by some of its own attributes; writes JSON (`_write`).

    Raises:
        DataError: the task has no such attribute, or predictions that cannot be used.
    """
    classes = read_metrics(files.metrics, "classes")["classes"]
    if strange := [name for name in names if name not in classes]:
        problem = f"slices.attributes.{task}: {task} has no attribute {', '.join(strange)}"
        raise DataError("params.yaml", problem, f"It has {', '.join(classes)}")

    def slices(level: Level) -> list[Slice]:
        return [Slice.of_label(name, level.labels, classes.index(name)) for name in names]

    _write(task, files, slices, min_n, options, {"source": "attributes"})


def listed(task: str, files: Files, lists: Annotated, min_n: int, options: Evaluate) -> None:
    """Slice a task by a user's list of annotations (docs/slices.md); writes JSON (`_write`).

    Raises:
        DataError: the list is not as agreed, or speaks of no test sample.
    """
    notes = annotations.read(lists.csv)
    samples = read_table(lists.manifest, MANIFEST)
    keys = annotations.keys(samples, notes.key)

    def slices(level: Level) -> list[Slice]:
        if strange := [id for id in level.ids if id not in keys]:
            problem = f"lacks {strange[0]}, a test sample of {files.predictions}"
            raise DataError(lists.manifest, problem, "Run the evaluation again")
        annotations.check(notes, keys, level.ids)
        of = [notes.rows.get(keys[id], {}) for id in level.ids]
        return [Slice.of_notes(name, [note.get(name, "") for note in of]) for name in notes.names]

    source = {"source": "list", "list": annotations.counts(notes, keys)}
    _write(task, files, slices, min_n, options, source)


def _write(
    task: str,
    files: Files,
    slices: Callable[[Level], list[Slice]],
    min_n: int,
    options: Evaluate,
    source: dict[str, Any],
) -> None:
    """Compare the groups at the headline's level and write the JSON.

    `slices`: for each kind of row and attribute, its groups with n and clusters. `rows`: a
    backbone x configuration x attribute x metric, with each group's value and interval, the
    worst group, and the gap with its interval and test. `disparities`: the differences of binary
    decisions between groups. `runs`: the numbers of each run for MLflow.
    """
    known = read_metrics(files.metrics, "classes")
    predictions = read_table(files.predictions, PREDICTIONS, only={"split": ["test"]})
    content: dict[str, list] = {"slices": [], "rows": [], "disparities": [], "runs": []}
    for row_levels in levels(predictions, task, known["kind"]):
        head = row_levels[-1]
        scored = by_seed(list(head.scores))
        chosen = slices(head)
        for attribute in chosen:
            size = facts(attribute, head, min_n)
            content["slices"].append(
                {"attribute": attribute.name, "level": head.name, "groups": size}
            )
            one = differences.Compared(attribute, size, head, known["metric"], options)
            content["rows"] += one.rows(scored)
            content["disparities"] += one.disparities(scored)
    content["runs"] = differences.of_runs(content["rows"], content["disparities"], known["metric"])
    shared = ("task", "dataset", "title", "kind", "metric", "confidence")
    evaluated: Mapping[str, Any] = known
    facts_ = {name: evaluated[name] for name in shared}
    about = {"version": VERSION, "min_n": min_n}
    write_json(files.out, facts_ | about | source | content)
    rows = len(content["rows"])
    print(f"{task}: {len(content['slices'])} attributes sliced, {rows} rows", flush=True)


__all__ = ["Annotated", "Files", "listed", "own"]
