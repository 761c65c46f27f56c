"""The headline tables and the paper's tables 1 to 3 as LaTeX (booktabs), ready for a paper."""

from collections.abc import Mapping
from typing import Any

from lssat import metrics
from lssat.report.kit import words
from lssat.report.kit.results import Task
from lssat.report.sections import format_alone, headline, matrix
from lssat.tables.analysis_tables import SliceRow, Slices

_SPECIAL = str.maketrans(
    {
        **{char: f"\\{char}" for char in "&%$#_{}"},
        **{"~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "\\": r"\textbackslash{}"},
        **{"<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}", '"': "''"},
        **{"−": "$-$", "–": "--", "\n": " "},
    }
)
_HEAD = (
    "% Tables of the report: of each task its headline, then accuracy in the layout of tables 1\n"
    "% to 3 of 2603.22190. In the preamble: \\usepackage{booktabs}\n"
    "% Interval: of other test sets, whose clusters are whole, and of other trainings.\n"
)


def escape(text: str) -> str:
    """Escape text, so that LaTeX prints it as it stands."""
    return text.translate(_SPECIAL)


def tables(tasks: list[Task]) -> str:
    """Return the table environments: of each task the rows of its headline, matrices, slices."""
    parts = []
    for task in tasks:
        accuracies = matrix.ACCURACY[task.metrics["kind"]]
        parts += [_headline(task), *(_matrix(task, metric) for metric in accuracies)]
    parts += [_slices(task, sliced) for task in tasks for sliced in task.slices]
    return _HEAD + "\n".join(parts)


def _headline(task: Task) -> str:
    scored, best = task.metrics, words.best(task.headline)
    beside = metrics.BESIDE[scored["kind"]]
    count = words.count(scored["n"][scored["level"]], scored["level"])
    what = f"{task.title}: {words.measure(scored)} on the {scored['split']} split, {count}"
    what += f", coverage {words.coverage(scored)}"
    head = ["Backbone", "Configuration", "Mean", words.confidence(scored), "Baseline"]
    head += map(words.heading, beside)
    rows = [
        _row(row, row is best) + [_number(headline.beside(task, row, name)) for name in beside]
        for row in task.headline
    ]
    if probe := format_alone.row_of(task, scored["metric"]):
        named = {**probe, "backbone": format_alone.LABEL, "configuration": words.DASH}
        others = [_number(format_alone.row_of(task, name)) for name in beside]
        rows.append(_row(named, False) + others)
    seeds = words.seeds(task.trained or task.headline)
    caption = rf"{escape(what)}, {seeds}; bold: the highest mean; $\dagger$ collapsed."
    return _environment(task.name, caption, head, rows, texts=2)


def _environment(
    name: str, caption: str, head: list[str], rows: list[list[str]], texts: int
) -> str:
    """Return a table environment; caption and rows are LaTeX, `texts` columns are no numbers."""
    lines = [
        r"\begin{table}",
        r"  \centering",
        rf"  \caption{{{caption}}}",
        rf"  \label{{tab:{name.replace('_', '-')}}}",
        rf"  \begin{{tabular}}{{{'l' * texts}{'r' * (len(head) - texts)}}}",
        r"    \toprule",
        rf"    {' & '.join(map(escape, head))} \\",
        r"    \midrule",
        *[f"    {' & '.join(row)}" + r" \\" for row in rows],
        r"    \bottomrule",
        r"  \end{tabular}",
        r"\end{table}",
    ]
    return "\n".join(lines) + "\n"


def _matrix(task: Task, metric: str) -> str:
    """Return the table of backbones by configurations, and below it the paper's own numbers."""
    scored = task.metrics
    by_cell = matrix.cells(task, scored["level"], metric)
    rows = [
        [escape(backbone), *(_cell(by_cell.get((backbone, name))) for name in task.columns)]
        for backbone in dict.fromkeys(backbone for backbone, _ in by_cell)
    ]
    baseline = words.number(next(iter(by_cell.values()))["baseline"])
    what = f"{scored['level']} {words.metric(metric)} on the {scored['split']} split"
    what += f", trivial baseline {baseline}. {matrix.paper_says(task)}"
    caption = rf"{escape(f'{task.title}: {what}')} $\dagger$ collapsed."
    head = ["Backbone", *task.columns]
    return _environment(f"{task.name}-{metric}", caption, head, rows, texts=1)


def _cell(row: Mapping[str, Any] | None) -> str:
    if row is None:
        return escape(words.DASH)
    return rf"{_number(row)} {{\scriptsize {escape(words.interval(row))}}}"


def _number(row: Mapping[str, Any] | None) -> str:
    """Write a mean; a collapsed row has its dagger in every table."""
    text = escape(words.number(row["mean"] if row else None))
    return text + (r"$^\dagger$" if row and row["collapsed"] else "")


def _row(row: Mapping[str, Any], best: bool) -> list[str]:
    mean = escape(words.number(row["mean"]))
    mean = rf"\textbf{{{mean}}}" if best else mean
    flag = r"$^\dagger$" if row["collapsed"] else ""
    return [
        escape(row["backbone"]),
        escape(row["configuration"]),
        mean + flag,
        escape(words.interval(row)),
        escape(words.number(row["baseline"])),
    ]


def _slices(task: Task, sliced: Slices) -> str:
    """Return the table of worst groups and gaps: a row per attribute, backbone, configuration."""
    scored = task.metrics
    what = f"{task.title}: {words.measure(scored)} by group, {words.confidence(scored)} of the gap;"
    what += " p that groups differ, with Holm’s correction over the rows of an attribute;"
    caption = rf"{escape(what)} $\dagger$ collapsed."
    head = ["Attribute", "Backbone", "Configuration", "Worst group", "at", "Gap", "Interval", "p"]
    rows = [_slice(task, row) for row in sliced["rows"] if row["metric"] == sliced["metric"]]
    return _environment(f"slices-{task.name}-{sliced['source']}", caption, head, rows, texts=4)


def _slice(task: Task, row: SliceRow) -> list[str]:
    worst = next((each["mean"] for each in row["groups"] if each["group"] == row["worst"]), None)
    texts = [row["attribute"], row["backbone"], row["configuration"], row["worst"] or words.DASH]
    texts += [
        words.number(worst),
        words.number(row["gap"]),
        words.interval(row),
        words.p(row["p_holm"]),
    ]
    cells = list(map(escape, texts))
    cells[4] += r"$^\dagger$" if words.pair(row) in task.collapsed else ""
    return cells
