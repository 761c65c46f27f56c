"""The sweep of lambda_cls: the headline at each weight, and what the paired differences show."""

from lssat.report.kit import columns, traces, words
from lssat.report.kit.cells import ROW, Cell, Column, Table
from lssat.report.kit.figures import Figure, Key, Plot
from lssat.report.kit.results import Task
from lssat.report.kit.section import Part, Section, by_task
from lssat.report.kit.svg import SHAPES, Axis, Trace
from lssat.tables.metric_tables import SweepRow

PAPER = 0.1  # lambda_cls of 2603.22190, and of SSAT, which it follows
_LEARNED = "learned"
_AT = 1.12  # where a learned weight stands on the axis, right of the numbers from 0 to 1
_RECIPE = "train.lambda_cls"
LEAD = (
    "The loss is lambda_cls × classification + (1 − lambda_cls) × reconstruction; the paper takes "
    "0.1 without saying why. Only differences from the recipe’s own weight are tested: on the "
    "same test samples, seed by seed, with Holm’s correction over the values of a task. "
    + words.ALONE
)


def section(task: Task) -> Part | None:
    """Describe the sweep of a task that has one: a figure, sentences for each curve, the table."""
    if not task.metrics["sweep"]:
        return None
    groups: dict[str, list[SweepRow]] = {}
    for row in task.metrics["sweep"]:
        groups.setdefault(words.name(row), []).append(row)
    paragraphs = [line for group in groups.items() for line in _sentences(task, *group)]
    folded = [("Table of the sweep", _table(task))]
    return Part(task.title, paragraphs, figures=[_figure(task, groups)], folded=folded)


def _recipe(rows: list[SweepRow]) -> float | str | None:
    """Return the recipe's lambda_cls, if one of the rows was run with it."""
    return next((row["lambda"] for row in rows if row["reference"]), None)


def _sentences(task: Task, name: str, rows: list[SweepRow]) -> list[str]:
    """Say what the tests show of one backbone and configuration, and what of the paper's value."""
    recipe = _recipe(rows)
    if recipe is None:
        return [f"{name}: no run has {_RECIPE} itself, so there is nothing to test against."]
    others = [row for row in rows if not row["reference"]]
    differing = [row for row in others if row["difference"] and words.differs(row["difference"])]
    against = f"{_RECIPE} = {_value(recipe)}"
    if not differing:
        of_all = words.count(len(others), "other value")
        first = f"{name}: none of {of_all} is shown to differ from {against}."
    else:
        gaps = words.listing([_gap(row) for row in differing])
        rest = f"; of the other {len(others) - len(differing)} no difference is shown"
        more = rest if len(differing) < len(others) else ""
        first = f"{name}: compared with {against}, {gaps}{more}."
    return [first, _paper(task, rows, recipe)]


def _gap(row: SweepRow) -> str:
    test = row["difference"]
    assert test is not None
    better = "better" if test["difference"] > 0 else "worse"
    size = words.number(abs(test["difference"]))
    return f"{_value(row['lambda'])} is {better} by {size} ({words.p_is(test['p_holm'])})"


def _paper(task: Task, rows: list[SweepRow], recipe: float | str) -> str:
    """Hold the paper's weight against the recipe's, with the interval of their difference."""
    row = next((row for row in rows if row["lambda"] == PAPER), None)
    if recipe == PAPER:
        return f"{_value(PAPER)} is the paper’s value, and the recipe’s."
    if row is None:
        return f"The paper’s value, {_value(PAPER)}, was not run."
    test = row["difference"]
    if not test:
        return f"The paper’s value, {_value(PAPER)}, could not be compared: {row['note'] or ''}"
    verb = "is" if words.differs(test) else "is not"
    return (
        f"The paper’s value, {_value(PAPER)}, scores {words.measure(task.metrics)} "
        f"{words.number(row['mean'])}, {words.number(test['difference'])} "
        f"{words.interval(test)} against {_value(recipe)}: a difference {verb} shown."
    )


def _value(weight: float | str | None) -> str:
    return f"{weight:g}" if isinstance(weight, float | int) else str(weight)


def _figure(task: Task, groups: dict[str, list[SweepRow]]) -> Figure:
    drawn, keys = [], []
    for number, (name, rows) in enumerate(groups.items()):
        keys.append(Key(name, number, shape=SHAPES[number % len(SHAPES)]))
        for line in ("solid", ""):  # a learned weight has no place among the numbers
            part = [row for row in rows if (row["lambda"] == _LEARNED) != bool(line)]
            if part:
                drawn.append(_curve(part, keys[-1], line))
    every = [row for rows in groups.values() for row in rows]
    if isinstance(recipe := _recipe(every), float):
        keys.append(Key(f"{_RECIPE} = {_value(recipe)}", -1, line="dot"))
        drawn.insert(0, _mark(recipe, every, keys[-1].label))
    where = words.measure(task.metrics)
    values = [f"{_value(row['lambda'])}: {words.number(row['mean'])}" for row in every]
    summary = f"Mean over seeds at each weight, {'; '.join(values)}."
    plot = Plot(f"sweep-{task.name}", where, drawn, _axis(every), Axis(where), 420, 290)
    n = words.listing(sorted({words.number(row["n"]) for row in every}))
    caption = f"Means over seeds with intervals, n = {n}; a hollow mark is a collapsed row."
    title = f"{words.capital(where)} against lambda_cls"
    return Figure(title, summary, keys, [plot], caption=caption)


def _axis(rows: list[SweepRow]) -> Axis:
    """Make an axis that names the weights which were run, and a place for the learned ones."""
    places = sorted({(_place(row), _value(row["lambda"])) for row in rows})
    high = _AT + 0.08 if places[-1][0] == _AT else 1.05
    return Axis("lambda_cls, the weight of classification", -0.05, high, ticks=places)


def _place(row: SweepRow) -> float:
    weight = row["lambda"]
    return weight if isinstance(weight, float | int) else _AT


def _curve(rows: list[SweepRow], key: Key, line: str) -> Trace:
    rows = [row for row in rows if row["mean"] is not None]
    hints = [
        f"{key.label}, {_value(row['lambda'])}: {traces.hint(row)}, "
        f"{words.count(len(row['seeds']), 'seed')}"
        for row in rows
    ]
    return traces.means(
        rows,
        list(map(_place, rows)),
        key.colour,
        key.label,
        name=key.label,
        line=line,
        shape=key.shape,
        size=9,
        hints=hints,
    )


def _mark(recipe: float, rows: list[SweepRow], key: str) -> Trace:
    ends = [end for row in rows for end in (row["low"], row["mean"], row["high"])]
    known = [end for end in ends if end is not None] or [0.0, 1.0]
    return Trace([recipe, recipe], [min(known), max(known)], key=key, line="dot", width=1.2)


def _table(task: Task) -> Table:
    rows = task.metrics["sweep"]
    hint = f"{_RECIPE} is marked; the paper’s is {_value(PAPER)}"
    shown = [
        *ROW,
        Column("lambda_cls", "num", hint, _weight),
        columns.score(task),
        *columns.of_test(f"from {_RECIPE}", key="difference"),
        columns.BASELINE,
        columns.RUNS,
        columns.n(task),
        columns.COLLAPSED,
    ]
    notes = sorted({row["note"] for row in rows if row["note"]})
    caption = f"{task.title}: {words.measure(task.metrics)} by lambda_cls"
    return Table.of(f"sweep-table-{task.name}", caption, shown, rows, notes=notes)


def _weight(row: SweepRow) -> Cell:
    known = "recipe" if row["reference"] else "paper" if row["lambda"] == PAPER else ""
    return Cell(_value(row["lambda"]), _place(row), known)


SECTION = Section(
    "sweep",
    "Lambda sweep",
    content=by_task(section),
    lead=LEAD,
    ask="a lambda in benchmark.variants of params.yaml",
)
