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
_UNCLEAR = "backbone unclear"  # of a number for which the paper names two
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
    for row in {words.measure(row): row for row in scored["table"]}.values():
        table = _table(task, row["level"], (row["metric"],), False)
        tables.append((words.measure(row), table))
    return Chooser(f"matrix-{task.name}", "Metric", tables)


def cells(task: Task, level: str, metric: str) -> dict[tuple[str, str], Row]:
    """Return the rows of one level and metric by backbone and configuration."""
    rows = task.metrics["table"]
    return {
        words.pair(row): row for row in rows if (row["level"], row["metric"]) == (level, metric)
    }


def _table(task: Task, level: str, metrics: tuple[str, ...], paper: bool) -> Table:
    by_metric = [cells(task, level, metric) for metric in metrics]
    known = of_backbones(task.name) if paper else {}

    def column(configuration: str) -> Column:
        def cell(names: tuple[str, str]) -> Cell:
            return _cell([rows.get((names[0], configuration)) for rows in by_metric])

        return Column(configuration, "num", value=cell)

    # a backbone as it is called here, and in the paper
    names = {backbone: _PAPER.get(backbone, backbone) for backbone, _ in by_metric[0]}
    only = [name for name in known if name not in names.values()]
    names |= {f"{name or _UNCLEAR}, paper": name for name in only}
    columns = [Column("Backbone", "key", value=lambda names: names[0]), *map(column, task.columns)]
    if paper:
        hint = "2603.22190: average accuracy of the backbone"
        columns.append(Column("Paper", "text", hint, lambda names: _paper(known.get(names[1], []))))
    what = " and ".join(words.metric(name) for name in metrics)
    every = [row for rows in by_metric for row in rows.values()]
    return Table.of(
        "-".join((f"matrix-{task.name}", level, *metrics, *(["paper"] if paper else []))),
        f"{task.title}: {level} {what} by backbone and configuration",
        columns,
        names.items(),
        notes=[_baselines(by_metric, metrics), *headline.noted(every), *_doubts(known)],
    )


def _cell(rows: list[Row | None]) -> Cell:
    """Make a cell of one row of results for each metric; a collapsed run says so."""
    if rows[0] is None:
        return Cell(words.DASH)
    text = " / ".join(words.number(row["mean"]) for row in rows if row)
    collapsed = ["▲ collapsed"] if rows[0]["collapsed"] else []
    small = "\n".join([*collapsed, *[words.interval(row) for row in rows if row]])
    return Cell(text, rows[0]["mean"], small)


def _paper(numbers: list[Published]) -> Cell:
    if not numbers:
        return Cell(words.DASH)
    return Cell(" and ".join(map(_number, numbers)), numbers[0].value)


def _number(number: Published) -> str:
    return f"{words.number(number.value, 2)} ({number.metric})"


def paper_says(task: Task) -> str:
    """Say the paper's numbers of a task in a sentence; empty where it has none."""
    numbers = [
        f"{name or _UNCLEAR} {_number(number)}"
        for name, numbers in of_backbones(task.name).items()
        for number in numbers
    ]
    return f"2603.22190 says: {words.listing(numbers)}." if numbers else ""


def _doubts(known: dict[str, list[Published]]) -> list[str]:
    """Say what is unclear about each of the paper's numbers."""
    return [
        f"Paper, {name or _UNCLEAR}, {words.number(number.value, 2)}: {number.doubt}."
        for name, numbers in known.items()
        for number in numbers
        if number.doubt
    ]


def _baselines(by_metric: list[dict[tuple[str, str], Row]], metrics: tuple[str, ...]) -> str:
    values = [
        f"{words.metric(metric)} {words.number(next(iter(rows.values()))['baseline'])}"
        for metric, rows in zip(metrics, by_metric, strict=True)
    ]
    return f"Trivial baseline: {words.listing(values)}."
