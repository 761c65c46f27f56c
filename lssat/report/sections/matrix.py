"""The layout of the paper's tables 1 to 3: backbones down, configurations across, one metric."""

from lssat.report.kit import words
from lssat.report.kit.cells import Cell, Chooser, Column, Table
from lssat.report.kit.results import Task
from lssat.report.sections import headline
from lssat.report.sections.published import Published, of_backbones
from lssat.tables import Row

# What the paper can mean by accuracy, of each kind of task. Its 0.88 on AffectNet can only be a
# mean of one-vs-rest accuracies, so that stands beside top-1.
ACCURACY = {
    "binary": ("accuracy",),
    "multilabel": ("accuracy",),
    "multiclass": ("top1", "mean_ovr_accuracy"),
}
# Names of the paper's backbones for ours.
_PAPER = {"vit_base": "ViT-B", "vit_large": "ViT-L", "vit_huge14": "ViT-H", "vit_huge16": "ViT-H"}
LEAD = (
    "As in the paper’s tables: a row per backbone, a column per configuration. Mean over seeds "
    "with its interval. The paper’s own numbers have none, and it does not say what it averages."
)


def chooser(task: Task) -> Chooser:
    """Make a table of accuracy in the paper's sense, then one for each level and metric."""
    scored = task.metrics
    first = ACCURACY[scored["kind"]]
    measures = " and ".join(words.metric(name) for name in first)
    tables = [
        (f"accuracy as in the paper ({measures})", _table(task, scored["level"], first, True))
    ]
    for level, metric in dict.fromkeys((row["level"], row["metric"]) for row in scored["table"]):
        label = f"{level} {words.metric(metric)}"
        tables.append((label, _table(task, level, (metric,), False)))
    return Chooser(f"matrix-{task.name}", "Metric", tables)


def cells(task: Task, level: str, metric: str) -> dict[tuple[str, str], Row]:
    """Return the rows of one level and metric by backbone and configuration."""
    rows = [
        row for row in task.metrics["table"] if (row["level"], row["metric"]) == (level, metric)
    ]
    return {(row["backbone"], row["configuration"]): row for row in rows}


def _table(task: Task, level: str, metrics: tuple[str, ...], paper: bool) -> Table:
    by_metric = [cells(task, level, metric) for metric in metrics]
    names = list(dict.fromkeys(backbone for backbone, _ in by_metric[0]))
    columns = [
        Column("Backbone", "key"),
        *[Column(configuration, "num") for configuration in task.columns],
    ]
    rows = [
        [Cell(name), *[_cell([one.get((name, configuration)) for one in by_metric], metrics)
                       for configuration in task.columns]]
        for name in names
    ]  # fmt: skip
    if paper:
        columns.append(Column("Paper", hint="2603.22190: average accuracy of the backbone"))
        rows = _with_paper(task, names, rows)
    what = " and ".join(words.metric(name) for name in metrics)
    caption = f"{task.title}: {level} {what} by backbone and configuration"
    place = "-".join((f"matrix-{task.name}", level, *metrics, *(["paper"] if paper else [])))
    every = [row for rows_of in by_metric for row in rows_of.values()]
    notes = [_baselines(by_metric, metrics), *headline.noted(every)]
    notes += _doubts(task) if paper else []
    return Table(place, caption, columns, rows, notes=notes)


def _cell(rows: list[Row | None], metrics: tuple[str, ...]) -> Cell:
    """Make a cell of one row of results for each metric; a collapsed run says so."""
    if rows[0] is None:
        return Cell(words.DASH)
    text = " / ".join(words.number(row["mean"]) for row in rows if row)
    down = ["▲ collapsed"] if rows[0]["collapsed"] else []
    small = "\n".join([*down, *[words.interval(row) for row in rows if row]])
    return Cell(text, rows[0]["mean"], small)


def _with_paper(task: Task, names: list[str], rows: list[list[Cell]]) -> list[list[Cell]]:
    """Add the paper's column, and rows for its backbones that are not in the grid."""
    known = of_backbones(task.name)
    ours = {_PAPER.get(name, name) for name in names}
    rows = [
        [*row, _paper(known.get(_PAPER.get(name, name), []))]
        for name, row in zip(names, rows, strict=True)
    ]
    empty = [Cell(words.DASH)] * len(task.columns)
    return rows + [
        [Cell(f"{name or 'backbone contradictory'}, paper"), *empty, _paper(numbers)]
        for name, numbers in known.items()
        if name not in ours
    ]


def _paper(numbers: list[Published]) -> Cell:
    if not numbers:
        return Cell(words.DASH)
    text = " and ".join(f"{words.number(each.value, 2)} ({each.metric})" for each in numbers)
    return Cell(text, numbers[0].value)


def paper_says(task: Task) -> str:
    """Say the paper's numbers of a task in a sentence; empty where it has none."""
    said = [
        f"{name or 'backbone contradictory'} {words.number(each.value, 2)} ({each.metric})"
        for name, numbers in of_backbones(task.name).items()
        for each in numbers
    ]
    return f"2603.22190 says: {words.listing(said)}." if said else ""


def _doubts(task: Task) -> list[str]:
    """Say what is unclear about each of the paper's numbers."""
    return [
        f"Paper, {each.backbone or 'backbone contradictory'}, {words.number(each.value, 2)}: "
        f"{each.doubt}."
        for numbers in of_backbones(task.name).values()
        for each in numbers
        if each.doubt
    ]


def _baselines(by_metric: list[dict], metrics: tuple[str, ...]) -> str:
    values = [
        f"{words.metric(metric)} {words.number(next(iter(rows.values()))['baseline'])}"
        for metric, rows in zip(metrics, by_metric, strict=True)
    ]
    return f"Trivial baseline: {words.listing(values)}."
