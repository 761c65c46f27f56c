"""Each attribute and each class: a table for every row, balanced accuracy, confusion matrices."""

from typing import Any

from lssat import metrics
from lssat.report.kit import columns, traces, words
from lssat.report.kit.cells import Chooser, Column, Table, flagged, measured
from lssat.report.kit.figures import Figure, Plot
from lssat.report.kit.results import Task
from lssat.report.kit.section import Section, by_task
from lssat.report.kit.svg import Axis, Heat, Trace
from lssat.tables.metric_tables import ClassRow, Confusion

ByClass = dict[str, dict[str, ClassRow]]  # attribute or class -> metric -> row
LEAD = (
    "Means over seeds with intervals. The row that is best on test by the headline metric is shown "
    "at first; every other can be chosen. Prevalence is the share of the test samples. A confusion "
    "matrix sums the counts of a row’s seeds and shows shares of the true class, which are their "
    "mean as well."
)
_BASELINES = {
    "multilabel": "Baselines: accuracy, that of the majority of the training split; balanced "
    "accuracy and AUC 0.5; AP the prevalence; F1 always saying yes.",
    "multiclass": "Baselines: recall that of a random guess; precision the prevalence; F1 naming "
    "the class every time; AUC 0.5. The AUC is of the class against the rest.",
}


def section(task: Task) -> dict[str, Any] | None:
    """Describe the attributes or classes of a task; None for a task of two classes."""
    if not task.metrics["each"]:
        return None
    order = _best_first(task)
    tables = [(" · ".join(pair), _table(task, pair)) for pair in order]
    multilabel = task.metrics["kind"] == "multilabel"
    figure = _dots(task, order[0]) if multilabel else _confusions(task, order)
    return {
        "title": task.title,
        "what": "attribute" if multilabel else "class",
        "tables": Chooser(f"each-{task.name}", "Row", tables),
        "figures": [figure] if figure else [],
    }


def _best_first(task: Task) -> list[tuple[str, str]]:
    best = words.best(task.headline)
    order = dict.fromkeys(map(words.pair, task.metrics["each"]))
    return sorted(order, key=lambda pair: best is not None and pair != words.pair(best))


def by_class(task: Task, pair: tuple[str, str]) -> ByClass:
    """Return attribute or class -> metric -> the row of it, of one row of the results."""
    by_name: ByClass = {}
    for row in task.metrics["each"]:
        if words.pair(row) == pair:
            by_name.setdefault(row["class"], {})[row["metric"]] = row
    return by_name


def matrix(task: Task, pair: tuple[str, str]) -> Confusion:
    """Return the confusion matrix of one row of the results."""
    return next(row for row in task.metrics["confusion"] if words.pair(row) == pair)


def _table(task: Task, pair: tuple[str, str]) -> Table:
    kind = task.metrics["kind"]
    multilabel, main = kind == "multilabel", metrics.EACH[kind][0]
    # Accuracy stands beside its baseline, the majority.
    names = sorted(metrics.EACH[kind], key=lambda name: name != "accuracy")
    every = by_class(task, pair)
    # Where all labels of the test split are alike, nothing can be told apart.
    constant = {n: rows for n, rows in every.items() if rows[main]["prevalence"] in (0, 1)}
    varied = {name: rows for name, rows in every.items() if name not in constant}

    def column(metric: str) -> Column:
        return Column(words.heading(metric), "num", value=lambda rows: measured(rows[metric]))

    majority = Column("Majority", "num", "accuracy of the majority of the training split",
                      lambda rows: rows["accuracy"]["baseline"])  # fmt: skip
    many = "attributes" if multilabel else "classes"
    hint = f"shown of {words.metric(main)}, with a correction for all rows and {many}"
    shown = [
        Column("Attribute" if multilabel else "Class",
               value=lambda rows: _spelt(kind, rows[main]["class"])),
        Column("Prevalence", "num", "share of the test samples",
               lambda rows: rows[main]["prevalence"]),
        *([majority] if multilabel else []),
        *map(column, names),
        Column("Beats it", hint=hint, value=lambda rows: columns.beats(rows[main])),
        Column("n", "num", value=lambda rows: rows[main]["n"]),
        Column("Flag", value=lambda rows: flagged(rows[main]["collapsed"])),
    ]  # fmt: skip
    notes = [(name, row["note"]) for name, rows in varied.items() for row in rows.values()]
    first = next(n for n, row in enumerate(task.metrics["each"]) if words.pair(row) == pair)
    return Table.of(
        f"each-{task.name}-{first}",
        f"{task.title}: {' · '.join(pair)}",
        shown,
        varied.values(),
        notes=[
            f"{_BASELINES[kind]} “Beats it” is of {words.metric(main)}, with a correction for all "
            f"rows and {many}.",
            *_left_out(kind, constant),
            *words.about(notes, len(varied)),
        ],
    )


def _spelt(kind: str, name: str) -> str:
    return name.replace("_", " ") if kind == "multilabel" else name


def _left_out(kind: str, constant: ByClass) -> list[str]:
    """Name in one line what the table leaves out; attributes.csv and classes.csv have it."""
    main = metrics.EACH[kind][0]
    parts = []
    for share, whose in ((0, "no sample is"), (1, "every sample is")):
        names = [n for n, rows in constant.items() if rows[main]["prevalence"] == share]
        if names:
            parts.append(f"{whose} {words.listing([_spelt(kind, name) for name in names])}")
    if not parts:
        return []
    file = "attributes" if kind == "multilabel" else "classes"
    them = "it" if len(constant) == 1 else "them"
    return [
        f"Left out, as all their test labels are alike: {'; '.join(parts)}. {file}.csv has {them}."
    ]


def _dots(task: Task, pair: tuple[str, str]) -> Figure | None:
    """Draw the balanced accuracy of each attribute with its interval, the best on top."""
    rows = [by_metric["balanced_accuracy"] for by_metric in by_class(task, pair).values()]
    rows = sorted((r for r in rows if r["mean"] is not None), key=lambda row: row["mean"] or 0)
    if not rows:
        return None
    names = [row["class"].replace("_", " ") for row in rows]
    hints = [
        f"{name}: prevalence {words.number(row['prevalence'])}, balanced accuracy "
        f"{traces.hint(row)}"
        for name, row in zip(names, rows, strict=True)
    ]
    points = traces.means(rows, names, 0, along="x", size=7, hints=hints)
    chance = Trace([0.5, 0.5], [names[0], names[-1]], line="dot", width=1)
    x, y = Axis("balanced accuracy"), Axis("", names=names, grid=False)
    size = (420, 70 + 18 * len(rows))
    plot = Plot(f"attributes-{task.name}", "balanced accuracy", [chance, points], x, y, *size)
    ends = [
        words.listing([f"{row['class']} {words.number(row['mean'])}" for row in part])
        for part in (rows[:3], rows[::-1][:3])
    ]
    return Figure(
        f"Balanced accuracy of each attribute, {' · '.join(pair)}",
        f"Lowest: {ends[0]}. Highest: {ends[1]}. Chance is 0.5.",
        [],
        [plot],
        caption=f"{words.tested(task.metrics)}, with intervals; the dotted line is chance.",
    )


def _confusions(task: Task, order: list[tuple[str, str]]) -> Figure | None:
    """Draw the confusion matrix of each row as a heat map, one at a time."""
    matrices = [matrix(task, pair) for pair in order]
    plots = [
        _heat(task, place, row, row["counts"])
        for place, row in enumerate(matrices)
        if row["counts"] is not None
    ]
    if not plots:
        return None
    recalls = f"{words.name(matrices[0])}: {_recalls(matrices[0])}"
    summary = f"Share of a true class (row) that is called a class (column). Recall, {recalls}."
    caption = f"{words.tested(task.metrics)}; counts are those of all seeds."
    return Figure("Confusion matrix", summary, [], plots, "Row", caption)


def _recalls(row: Confusion) -> str:
    shares = row["shares"] or [None] * len(row["classes"])
    texts = [
        f"{name} {words.number(share and share[place])}"
        for place, (name, share) in enumerate(zip(row["classes"], shares, strict=True))
    ]
    return words.listing(texts)


def _heat(task: Task, place: int, row: Confusion, counts: list[list[int]]) -> Plot:
    names = row["classes"]
    blank: list[float | None] = [None] * len(names)
    shares = [[*share] if share else blank for share in row["shares"] or []]
    hints = [
        [
            f"true {true}, predicted {predicted}: {words.number(share)} of the class, "
            f"{words.number(n)} predictions of all seeds"
            for predicted, share, n in zip(names, of_class, predictions, strict=True)
        ]
        for true, of_class, predictions in zip(names, shares, counts, strict=True)
    ]
    x, y = Axis("predicted", names=names, grid=False), Axis("true", names=names[::-1], grid=False)
    side = 60 * len(names)
    id, heat = f"confusion-{task.name}-{place}", Heat(names, names, shares, hints)
    return Plot(id, words.name(row), [heat], x, y, 130 + side, 70 + side // 2)


SECTION = Section("per_class", "Per class", "Each attribute, each class", by_task(section), LEAD)
