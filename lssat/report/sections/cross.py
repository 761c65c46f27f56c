"""Results across data sets: what runs score where they were not trained, beside where they were."""

from collections.abc import Mapping
from typing import Any

from lssat.report.kit import columns, words
from lssat.report.kit.cells import ROW, Cell, Column, Table, flagged, num
from lssat.report.kit.results import Cross, Task
from lssat.report.kit.section import Page, Part, Section
from lssat.tables import Metrics, Row

LEAD = (
    "The same runs on data sets that they have never seen: nothing was trained, chosen or "
    "calibrated there. Intervals cover other groups of the data set they stand for."
)


def section(each: Cross, tasks: list[Task]) -> Part:
    """Describe one data set: its size, and a row per backbone x configuration."""
    metrics = each.metrics
    n = words.listing([words.count(n, name) for name, n in metrics["n"].items()])
    text = (
        f"Runs of {metrics['task']} on {each.name}: {n} in "
        f"{words.count(metrics['groups'], 'group')}, coverage {words.coverage(metrics)}."
    )
    trained = next(task for task in tasks if task.name == metrics["task"])
    common = common_classes(metrics, trained)
    return Part(each.title, tables=[_table(each, trained)], lead=f"{text}{common}")


def common_classes(metrics: Metrics, trained: Task) -> str:
    """Say which classes of the runs are not measured, since the data set lacks them."""
    unasked = metrics.get("unasked", [])
    if not unasked:
        return ""
    every = len(trained.metrics["classes"])
    what, how = "classes", "a run chooses among the common ones"
    if metrics["kind"] == "multilabel":
        what, how = "attributes", "numbers are of the common ones"
    return (
        f" It has {len(metrics['classes'])} of the {every} {what} of {metrics['task']}; logits of "
        f"{words.listing(unasked)} are left out, and {how}. The number at home is of all {every}."
    )


def _table(each: Cross, trained: Task) -> Table:
    metrics = each.metrics
    metric = metrics["metric"]
    inside = _found(trained.metrics, metric)
    outside = _found(metrics, metric)
    levels = list(dict.fromkeys(level for *_, level in outside))
    columns = [*ROW]
    for level in levels:
        label = f"{level} {words.metric(metric)}"
        columns.append(Column(f"{label}, {trained.name}", "num", "test split of the training data"))
        columns.append(Column(f"{label}, {each.name}", "num", "mean over seeds and interval"))
    columns += [Column("Baseline", "num", "the best score without looking at the input")]
    columns += [
        Column("Beats it", hint="shown to"),
        Column("Seeds", "num"),
        Column("n", "num"),
        Column("Flag"),
    ]
    rows, notes = [], []
    for backbone, configuration in dict.fromkeys(key[:2] for key in outside):
        key = (backbone, configuration)
        row = next(r for k, r in outside.items() if k[:2] == key)  # the headline's level is first
        pairs = [(inside.get((*key, lvl)), outside.get((*key, lvl))) for lvl in levels]
        values = [_value(side) for pair in pairs for side in pair]
        rows.append([Cell(backbone), Cell(configuration), *values, *_end(row)])
        notes += [f"{backbone}, {configuration}: {row['note']}"] if row["note"] else []
    caption = f"{words.metric(metric)} on {each.name} beside {trained.name}"
    return Table(f"cross-{each.name}", caption, columns, rows, notes=notes)


def _found(metrics: Metrics, metric: str) -> dict[tuple[str, str, str], Row]:
    rows = [row for row in metrics["table"] if row["metric"] == metric]
    return {(row["backbone"], row["configuration"], row["level"]): row for row in rows}


def _value(row: Mapping[str, Any] | None) -> Cell:
    return num(row["mean"], small=words.interval(row)) if row else Cell(words.DASH)


def _end(row: Mapping[str, Any]) -> list[Cell]:
    return [
        num(row["baseline"]),
        columns.beats(row),
        num(len(row["seeds"])),
        num(row["n"]),
        flagged(row["collapsed"]),
    ]


def content(page: Page) -> list[Part]:
    """Return a part for each data set."""
    return [section(each, page.tasks) for each in page.across]


SECTION = Section(
    "cross",
    "Across data sets",
    content=content,
    lead=LEAD,
    ask="benchmark.cross of params.yaml",
)
