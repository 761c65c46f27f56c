"""Each attribute and each class: a table for every row, balanced accuracy, confusion matrices."""

from typing import Any

from lssat import metrics
from lssat.report.kit import words
from lssat.report.kit.cells import Cell, Chooser, Column, Table, flagged, num
from lssat.report.kit.figures import Figure, Plot
from lssat.report.kit.results import Task
from lssat.report.kit.section import Page, Section
from lssat.report.kit.svg import Axis, Heat, Trace
from lssat.report.sections import headline

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
    tables = [(_label(pair), _table(task, pair)) for pair in order]
    kind = task.metrics["kind"]
    figures = [_dots(task, order[0])] if kind == "multilabel" else _confusions(task, order)
    chosen = Chooser(f"each-{task.name}", "Row", tables)
    what = "attribute" if kind == "multilabel" else "class"
    drawn = [figure for figure in figures if figure]
    return {"title": task.title, "what": what, "tables": chosen, "figures": drawn}


def _best_first(task: Task) -> list[tuple[str, str]]:
    order = headline.row_pairs(task.metrics["each"])
    best = words.best(task.headline)
    if best is None:
        return order
    top = (best["backbone"], best["configuration"])
    return sorted(order, key=lambda pair: pair != top)


def _label(pair: tuple[str, str]) -> str:
    return " · ".join(pair)


def _of(rows: list[dict], pair: tuple[str, str]) -> list[dict]:
    return [row for row in rows if (row["backbone"], row["configuration"]) == pair]


def by_class(task: Task, pair: tuple[str, str]) -> dict[str, dict[str, dict]]:
    """Return attribute or class -> metric -> the row of it, of one row of the results."""
    by_name: dict[str, dict[str, dict]] = {}
    for row in _of(task.metrics["each"], pair):
        by_name.setdefault(row["class"], {})[row["metric"]] = row
    return by_name


def matrix(task: Task, pair: tuple[str, str]) -> dict:
    """Return the confusion matrix of one row of the results."""
    return _of(task.metrics["confusion"], pair)[0]


def _table(task: Task, pair: tuple[str, str]) -> Table:
    kind = task.metrics["kind"]
    # Accuracy stands beside its baseline, the majority.
    names = tuple(sorted(metrics.EACH[kind], key=lambda name: name != "accuracy"))
    every = by_class(task, pair)
    left = {name: rows for name, rows in every.items() if _constant(kind, rows)}
    varied = {name: rows for name, rows in every.items() if name not in left}
    columns = [Column("Attribute" if kind == "multilabel" else "Class")]
    columns += [Column("Prevalence", "num", "share of the test samples")]
    if kind == "multilabel":
        columns.append(Column("Majority", "num", "accuracy of the majority of the training split"))
    columns += [Column(words.heading(name), "num") for name in names]
    hint = f"shown of {words.metric(_shown(kind))}, with a correction for the number of rows"
    columns += [Column("Beats it", hint=hint)]
    columns += [Column("n", "num"), Column("Flag")]
    rows = [_row(kind, name, varied[name], names) for name in varied]
    notes = [_BASELINES[kind], *_left_out(kind, left), *_notes(varied)]
    place = f"each-{task.name}-{task.metrics['each'].index(_of(task.metrics['each'], pair)[0])}"
    return Table(place, f"{task.title}: {_label(pair)}", columns, rows, notes=notes)


def _constant(kind: str, rows: dict[str, dict]) -> bool:
    """Say whether all labels of the test split are alike, so that nothing can be told apart."""
    return rows[_shown(kind)]["prevalence"] in (0, 1)


def _left_out(kind: str, left: dict[str, dict[str, dict]]) -> list[str]:
    """Name in one line what the table leaves out; attributes.csv and classes.csv have it."""
    parts = [
        f"{whose} {words.listing(names)}"
        for share, whose in ((0, "no sample is"), (1, "every sample is"))
        if (names := [
            name.replace("_", " ") if kind == "multilabel" else name
            for name, rows in left.items()
            if rows[_shown(kind)]["prevalence"] == share
        ])
    ]  # fmt: skip
    if not parts:
        return []
    file = "attributes" if kind == "multilabel" else "classes"
    return [f"Left out, as all their test labels are alike: {'; '.join(parts)}. {file}.csv has "
            f"{'it' if len(left) == 1 else 'them'}."]  # fmt: skip


def _shown(kind: str) -> str:
    return metrics.EACH[kind][0]


def _row(kind: str, name: str, by_metric: dict[str, dict], names: tuple[str, ...]) -> list[Cell]:
    main = by_metric[_shown(kind)]
    majority = [num(by_metric["accuracy"]["baseline"])] if kind == "multilabel" else []
    return [
        Cell(name.replace("_", " ") if kind == "multilabel" else name),
        num(main["prevalence"]),
        *majority,
        *[headline.measured(by_metric[metric]) for metric in names],
        headline.beats(main),
        num(main["n"]),
        flagged(main["collapsed"]),
    ]


def _notes(by_name: dict[str, dict[str, dict]]) -> list[str]:
    """Say each note once with the attributes or classes that it is about."""
    about: dict[str, dict[str, None]] = {}
    for name, rows in by_name.items():
        for row in rows.values():
            for note in (row["note"] or "").split("; "):
                if note:
                    about.setdefault(note, {})[name] = None
    whole = len(by_name)
    return [
        note if len(names) == whole else f"{words.listing(list(names))}: {note}"
        for note, names in about.items()
    ]


def _dots(task: Task, pair: tuple[str, str]) -> Figure | None:
    """Draw the balanced accuracy of each attribute with its interval, the best on top."""
    rows = [row["balanced_accuracy"] for row in by_class(task, pair).values()]
    rows = sorted((row for row in rows if row["mean"] is not None), key=lambda row: row["mean"])
    if not rows:
        return None
    names = [row["class"].replace("_", " ") for row in rows]
    points = Trace(
        [row["mean"] for row in rows],
        names,
        0,
        shape="circle",
        size=7,
        spans=[(r["low"], r["high"]) if r["low"] is not None else None for r in rows],
        along="x",
        hints=[
            f"{name}: prevalence {words.number(row['prevalence'])}, balanced accuracy "
            f"{words.number(row['mean'])} {words.interval(row)}, n = {words.number(row['n'])}"
            for name, row in zip(names, rows, strict=True)
        ],
    )
    chance = Trace([0.5, 0.5], [names[0], names[-1]], line="dot", width=1)
    x, y = Axis("balanced accuracy"), Axis("", names=names, grid=False)
    title = f"Balanced accuracy of each attribute, {_label(pair)}"
    traces, size = [chance, points], (420, 70 + 18 * len(rows))
    plot = Plot(f"attributes-{task.name}", "balanced accuracy", traces, x, y, *size)
    caption = f"{words.tested(task.metrics)}, with intervals; the dotted line is chance."
    return Figure(title, _extremes(rows), [], [plot], caption=caption)


def _extremes(rows: list[dict]) -> str:
    ordered = sorted(rows, key=lambda row: row["mean"])
    low, high = ([f"{r['class']} {words.number(r['mean'])}" for r in part]
                 for part in (ordered[:3], ordered[::-1][:3]))  # fmt: skip
    return f"Lowest: {words.listing(low)}. Highest: {words.listing(high)}. Chance is 0.5."


def _confusions(task: Task, order: list[tuple[str, str]]) -> list[Figure]:
    """Draw the confusion matrix of each row as a heat map, one at a time."""
    matrices = {pair: matrix(task, pair) for pair in order}
    plots = [
        _heat(task, place, pair, row)
        for place, (pair, row) in enumerate(matrices.items())
        if row["counts"] is not None
    ]
    if not plots:
        return []
    recalls = "; ".join(
        f"{_label(pair)}: {_recalls(row)}" for pair, row in list(matrices.items())[:1]
    )
    summary = f"Share of a true class (row) that is called a class (column). Recall, {recalls}."
    caption = f"{words.tested(task.metrics)}; counts are those of all seeds."
    return [Figure("Confusion matrix", summary, [], plots, "Row", caption)]


def _recalls(row: dict) -> str:
    shares = row["shares"] or [None] * len(row["classes"])
    texts = [
        f"{name} {words.number(share and share[place])}"
        for place, (name, share) in enumerate(zip(row["classes"], shares, strict=True))
    ]
    return words.listing(texts)


def _heat(task: Task, place: int, pair: tuple[str, str], row: dict) -> Plot:
    names = row["classes"]
    empty = [None] * len(names)
    shares = [share or empty for share in row["shares"]]
    hints = [
        [
            f"true {true}, predicted {predicted}: {words.number(share)} of the class, "
            f"{words.number(n)} predictions of all seeds"
            for predicted, share, n in zip(names, of, counts, strict=True)
        ]
        for true, of, counts in zip(names, shares, row["counts"], strict=True)
    ]
    x, y = Axis("predicted", names=names, grid=False), Axis("true", names=names[::-1], grid=False)
    side = 60 * len(names)
    id, heat = f"confusion-{task.name}-{place}", Heat(names, names, shares, hints)
    return Plot(id, _label(pair), [heat], x, y, 130 + side, 70 + side // 2)


def content(page: Page) -> list[dict[str, Any]]:
    """Return what the section shows of each task of several classes or attributes."""
    return [shown for task in page.tasks if (shown := section(task))]


SECTION = Section("each", "Per class", "Each attribute, each class", content, LEAD)
