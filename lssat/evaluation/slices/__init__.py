"""Metrics of groups of the test samples: which group is served worst, and by how much.

Reads what the evaluation predicted, and nothing else of the test split. The groups come from a
multi-label task's own labels, or from a list of annotations that the user supplies.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from lssat.evaluation.scores.levels import Level, levels
from lssat.evaluation.scores.run_group import by_seed
from lssat.evaluation.slices import annotations, differences
from lssat.evaluation.slices.groups import Slice, facts
from lssat.params import Evaluate
from lssat.tables import MANIFEST, PREDICTIONS, DataError, read_metrics, read_table, write_json
from lssat.tables.analysis_tables import (
    AnnotationList,
    Disparity,
    SlicedAttribute,
    SliceRow,
    Slices,
)
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

    _write(task, files, slices, min_n, options)


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

    _write(task, files, slices, min_n, options, annotations.counts(notes, keys))


def _write(
    task: str,
    files: Files,
    slices: Callable[[Level], list[Slice]],
    min_n: int,
    options: Evaluate,
    annotated: AnnotationList | None = None,
) -> None:
    """Compare the groups at the headline's level and write the JSON.

    `slices`: for each kind of row and attribute, its groups with n and clusters. `rows`: a
    backbone x configuration x attribute x metric, with each group's value and interval, the
    worst group, and the gap with its interval and test. `disparities`: the differences of binary
    decisions between groups. `runs`: the numbers of each run for MLflow.
    """
    known = read_metrics(files.metrics, "classes")
    predictions = read_table(files.predictions, PREDICTIONS, only={"split": ["test"]})
    sliced: list[SlicedAttribute] = []
    rows: list[SliceRow] = []
    disparities: list[Disparity] = []
    for row_levels in levels(predictions, task, known["kind"]):
        head = row_levels[-1]
        scored = by_seed(list(head.scores))
        for attribute in slices(head):
            sizes = facts(attribute, head, min_n)
            sliced.append({"attribute": attribute.name, "level": head.name, "groups": sizes})
            compared = differences.Compared(attribute, sizes, head, known["metric"], options)
            rows += compared.rows(scored)
            disparities += compared.disparities(scored)
    content = Slices(
        version=VERSION,
        task=known["task"],
        dataset=known["dataset"],
        title=known["title"],
        kind=known["kind"],
        metric=known["metric"],
        confidence=known["confidence"],
        min_n=min_n,
        source="attributes" if annotated is None else "list",
        slices=sliced,
        rows=rows,
        disparities=disparities,
        runs=differences.of_runs(rows, disparities, known["metric"]),
    )
    if annotated is not None:
        content["list"] = annotated
    write_json(files.out, content)
    print(f"{task}: {len(sliced)} attributes sliced, {len(rows)} rows", flush=True)


__all__ = ["Annotated", "Files", "listed", "own"]
