"""Figures for a paper: one PDF: of each task ROC curves, the headline, attributes or classes."""

from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from lssat.report.kit import words
from lssat.report.kit.linechart import COLOURS
from lssat.report.kit.results import Task
from lssat.report.sections import per_class, ranks
from lssat.tables.metric_tables import Confusion, RankFamily

_LONGEST = 32  # characters of a class's name
_STYLE: dict[Any, Any] = {
    "font.size": 8,
    "pdf.fonttype": 42,
    "axes.spines.top": False,
    "axes.spines.right": False,
}


def write(file: IO[bytes] | Path, tasks: list[Task], families: list[RankFamily]) -> None:
    """Write the figures; the same results give the same bytes, no date enters.

    Args:
        file: PDF to write.
        tasks: a page or two each.
        families: ranks over tasks (`report.ranks`), a page for each that shows a difference.
    """
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot
    from matplotlib.backends.backend_pdf import PdfPages

    with (
        pyplot.rc_context(_STYLE),
        PdfPages(file, metadata={"CreationDate": None, "Creator": "lssat"}) as pages,
    ):
        for figure in _pages(pyplot, tasks, families):
            pages.savefig(figure)
            pyplot.close(figure)


def _pages(pyplot, tasks: list[Task], families: list[RankFamily]) -> Iterator[Any]:
    for family in families:
        if ranks.shown(family):
            yield _critical_difference(pyplot, family)
    for task in tasks:
        yield _page(pyplot, task)
        yield from _each(pyplot, task)


def plain(text: str) -> str:
    """Return text that matplotlib prints as it stands: it takes `$...$` for mathematics."""
    return text.replace("$", r"\$").replace("\n", " ")


def _short(name: str) -> str:
    """Return a name that leaves room for the figure beside it; tables have it whole."""
    return name if len(name) <= _LONGEST else f"{name[: _LONGEST - 1]}…"


def _critical_difference(pyplot, family: RankFamily):
    """Draw Demsar's diagram: names along their mean ranks, bars over those not shown to differ."""
    import pandas as pd
    from scikit_posthocs import critical_difference_diagram  # seconds, only where it is drawn

    names = [plain(name) for name in family["treatments"]]
    p = pd.DataFrame(family["p_pairs"], index=names, columns=names)
    mean = dict(zip(names, family["mean_ranks"], strict=True))
    figure, axis = pyplot.subplots(figsize=(6, 1.2 + 0.22 * len(names)), layout="constrained")
    critical_difference_diagram(mean, p, cd=family["cd"], alpha=words.ALPHA, ax=axis)
    over = words.count(family["n_blocks"], "task")
    figure.suptitle(plain(f"Mean ranks of {family['compared']}s over {over}"))
    return figure


def _each(pyplot, task: Task) -> Iterator[Any]:
    """Draw what the best row says of each attribute, or its confusion matrix."""
    best = words.best(task.headline)
    if best is None or not task.metrics["each"]:
        return
    pair = words.pair(best)
    kind = task.metrics["kind"]
    if kind == "multiclass" and per_class.matrix(task, pair)["counts"] is None:
        return
    figure, axis = pyplot.subplots(figsize=(5, 4), layout="constrained")
    if kind == "multilabel":
        _prevalence(axis, per_class.by_class(task, pair))
    else:
        _confusion(axis, per_class.matrix(task, pair))
    figure.suptitle(plain(f"{task.title}: {' · '.join(pair)}"))
    yield figure


def _prevalence(axis, by_class: per_class.ByClass) -> None:
    axis.axhline(0.5, linestyle=":", color="#888888", linewidth=0.8)
    for by_metric in by_class.values():
        row = by_metric["balanced_accuracy"]
        if row["mean"] is not None:
            if row["low"] is not None:
                ends, at = [row["low"], row["high"]], [row["prevalence"]] * 2
                axis.plot(at, ends, color=COLOURS[0], lw=0.8)
            axis.plot(row["prevalence"], row["mean"], "o", color=COLOURS[0], markersize=3)
    axis.set(xlabel="prevalence in the test split", ylabel="balanced accuracy")


def _confusion(axis, row: Confusion) -> None:
    places = range(len(row["classes"]))
    blank, by_true = [0.0] * len(row["classes"]), row["shares"] or []
    axis.imshow([shares or blank for shares in by_true], cmap="Blues", vmin=0, vmax=1)
    for i, shares in enumerate(by_true):
        for j, share in enumerate(shares or []):  # of an absent class there are none
            colour = "white" if share > 0.6 else "black"
            axis.text(j, i, f"{share:.2f}", ha="center", va="center", color=colour, fontsize=6)
    names = [plain(_short(name)) for name in row["classes"]]
    axis.set_xticks(places, names, rotation=45, ha="right")
    axis.set_yticks(places, names)
    axis.set(xlabel="predicted", ylabel="true, shares of its samples")


def _page(pyplot, task: Task):
    backbones = task.backbones
    figure, axes = pyplot.subplots(
        1,
        len(backbones) + 1,
        figsize=(2.6 * (len(backbones) + 1) + 0.6, 3.1),
        layout="constrained",
        squeeze=False,
    )
    *rocs, last = axes[0]
    for axis, backbone in zip(rocs, backbones, strict=True):
        _roc(axis, task, backbone)
    _intervals(last, task)
    figure.suptitle(plain(task.title))
    handles, labels = rocs[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=4, frameon=False)
    return figure


def _roc(axis, task: Task, backbone: str) -> None:
    curves = {curve["run"]: curve for curve in task.metrics["roc"]}
    axis.plot([0, 1], [0, 1], ":", color="#888888", linewidth=0.8)
    for number, configuration in enumerate(task.configurations):
        runs = [run["run"] for run in task.runs_of(backbone, configuration)]
        drawn = [run for run in runs if run in curves and curves[run]["fpr"]]
        for seed, run in enumerate(drawn):
            label = plain(configuration) if seed == 0 else None
            colour = COLOURS[number % len(COLOURS)]
            axis.plot(curves[run]["fpr"], curves[run]["tpr"], color=colour, lw=1, label=label)
    axis.set(title=plain(backbone), xlabel="false positive rate", ylabel="true positive rate")
    axis.set_aspect("equal")


def _intervals(axis, task: Task) -> None:
    rows = [row for row in task.headline if row["mean"] is not None][::-1]
    for place, row in enumerate(rows):
        number = task.columns.index(row["configuration"])
        colour = COLOURS[number % len(COLOURS)]
        if row["low"] is not None:
            axis.plot([row["low"], row["high"]], [place, place], color=colour, linewidth=1.6)
        axis.plot(row["mean"], place, "o", color=colour, markersize=3.5)
    if rows and rows[0]["baseline"] is not None:
        axis.axvline(rows[0]["baseline"], linestyle=":", color="#888888", linewidth=0.8)
    names = [plain(row["backbone"]) + (" †" if row["collapsed"] else "") for row in rows]
    axis.set_yticks(range(len(rows)), names, fontsize=6)
    title = f"{words.measure(task.metrics)}, {words.confidence(task.metrics)}"
    below = plain(words.measure(task.metrics))
    below += "\n† collapsed" if any(row["collapsed"] for row in rows) else ""
    axis.set(title=plain(title), xlabel=below)
