"""The headline tables as LaTeX (booktabs), ready for a paper."""

from lssat.report import words
from lssat.report.read import Task

_SPECIAL = str.maketrans(
    {
        **{char: f"\\{char}" for char in "&%$#_{}"},
        **{"~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "\\": r"\textbackslash{}"},
        **{"<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}", '"': "''"},
        **{"−": "$-$", "–": "--", "\n": " "},
    }
)
_HEAD = (
    "% Headline tables of the report. In the preamble: \\usepackage{booktabs}\n"
    "% Interval: bootstrap over clusters of test samples and over seeds.\n"
)


def escape(text: str) -> str:
    """Escape text, so that LaTeX prints it as it stands."""
    return text.translate(_SPECIAL)


def tables(tasks: list[Task]) -> str:
    """Return one table environment a task: every row of its headline table."""
    return _HEAD + "\n".join(map(_table, tasks))


def _table(task: Task) -> str:
    scored = task.metrics
    top = words.best(task.headline)
    count = words.count(scored["n"][scored["level"]], scored["level"])
    what = f"{task.title}: {words.where(scored)} on the {scored['split']} split, {count}"
    what += f", coverage {words.percent(scored['coverage'])}"
    lines = [
        r"\begin{table}",
        r"  \centering",
        rf"  \caption{{{escape(what)}, {words.count(len(task.seeds), 'seed')}; "
        rf"$\dagger$ collapsed.}}",
        rf"  \label{{tab:{task.name.replace('_', '-')}}}",
        r"  \begin{tabular}{llrrr}",
        r"    \toprule",
        rf"    Backbone & Configuration & Mean & {escape(words.confidence(scored))} & Baseline \\",
        r"    \midrule",
        *[_row(row, row is top) for row in task.headline],
        r"    \bottomrule",
        r"  \end{tabular}",
        r"\end{table}",
    ]
    return "\n".join(lines) + "\n"


def _row(row: dict, best: bool) -> str:
    mean = escape(words.number(row["mean"]))
    mean = rf"\textbf{{{mean}}}" if best else mean
    flag = r"$^\dagger$" if row["collapsed"] else ""
    cells = [
        escape(row["backbone"]),
        escape(row["configuration"]),
        mean + flag,
        escape(words.interval(row)),
        escape(words.number(row["baseline"])),
    ]
    return "    " + " & ".join(cells) + r" \\"
