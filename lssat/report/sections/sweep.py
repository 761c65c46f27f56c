"""The sweep of lambda_cls: the headline at each weight, and what the paired differences show."""

from lssat.report.kit import words
from lssat.report.kit.cells import ROW, Cell, Column, Table, anchor, flagged, num, shown
from lssat.report.kit.figures import Figure, Key, Plot
from lssat.report.kit.results import Task
from lssat.report.kit.section import Page, Part, Section
from lssat.report.kit.svg import SHAPES, Axis, Trace

PAPER = 0.1  # lambda_cls of 2603.22190, and of SSAT, which it follows
_LEARNED = "learned"
_AT = 1.12  # where a learned weight stands on the axis, right of the numbers from 0 to 1
_RECIPE = "train.lambda_cls"
LEAD = (
    "The loss is lambda_cls × classification + (1 − lambda_cls) × reconstruction; the paper takes "
    "0.1 without saying why. Only differences from the recipe’s own weight are tested: on the "
    "same test samples, seed by seed, with Holm’s correction over the values of a task."
)


def section(task: Task) -> Part:
    """Describe the sweep of a task that has one: a figure, sentences for each curve, the table."""
    rows = task.metrics["sweep"]
    groups = _groups(rows)
    paragraphs = [line for group in groups.items() for line in _said(task, *group)]
    folded = [("Table of the sweep", _table(task, rows))]
    return Part(task.title, paragraphs, figures=[_figure(task, groups)], folded=folded)


def _groups(rows: list[dict]) -> dict[str, list[dict]]:
    groups: dict[str, list[dict]] = {}
    for row in rows:
        groups.setdefault(f"{row['backbone']} · {row['configuration']}", []).append(row)
    return groups


def _recipe(rows: list[dict]) -> float | str | None:
    """Return the recipe's lambda_cls, if one of the rows was run with it."""
    return next((row["lambda"] for row in rows if row["reference"]), None)


def _said(task: Task, name: str, rows: list[dict]) -> list[str]:
    """Say what the tests show of one backbone and configuration, and what of the paper's value."""
    recipe = _recipe(rows)
    if recipe is None:
        return [f"{name}: no run has {_RECIPE} itself, so there is nothing to test against."]
    others = [row for row in rows if not row["reference"]]
    shown = [row for row in others if row["difference"] and words.differs(row["difference"])]
    against = f"{_RECIPE} = {_value(recipe)}"
    if not shown:
        of_all = words.count(len(others), "other value")
        first = f"{name}: none of {of_all} is shown to differ from {against}."
    else:
        gaps = words.listing([_gap(row) for row in shown])
        rest = f"; of the other {len(others) - len(shown)} no difference is shown"
        more = rest if len(shown) < len(others) else ""
        first = f"{name}: compared with {against}, {gaps}{more}."
    return [first, *_paper(task, rows, recipe)]


def _gap(row: dict) -> str:
    test = row["difference"]
    better = "better" if test["difference"] > 0 else "worse"
    size = words.number(abs(test["difference"]))
    return f"{_value(row['lambda'])} is {better} by {size} (p {_is(test['p_holm'])})"


def _paper(task: Task, rows: list[dict], recipe: float | str) -> list[str]:
    """Hold the paper's weight against the recipe's, with the interval of their difference."""
    row = next((row for row in rows if row["lambda"] == PAPER), None)
    if recipe == PAPER:
        return [f"{_value(PAPER)} is the paper’s value, and the recipe’s."]
    if row is None:
        return [f"The paper’s value, {_value(PAPER)}, was not run."]
    test = row["difference"]
    if not test:
        return [f"The paper’s value, {_value(PAPER)}, could not be compared: {row['note'] or ''}"]
    verb = "is" if words.differs(test) else "is not"
    return [
        f"The paper’s value, {_value(PAPER)}, scores {words.where(task.metrics)} "
        f"{words.number(row['mean'])}, {words.number(test['difference'])} "
        f"{words.interval(test)} against {_value(recipe)}: a difference {verb} shown."
    ]


def _value(weight: float | str) -> str:
    return weight if isinstance(weight, str) else f"{weight:g}"


def _is(p: float) -> str:
    return words.p(p) if p < 0.001 else f"= {words.p(p)}"


def _figure(task: Task, groups: dict[str, list[dict]]) -> Figure:
    traces, keys = [], []
    for number, (name, rows) in enumerate(groups.items()):
        shape = SHAPES[number % len(SHAPES)]
        numbers = [row for row in rows if row["lambda"] != _LEARNED]
        learned = [row for row in rows if row["lambda"] == _LEARNED]
        traces += [_curve(part, name, number, shape, line)
                   for part, line in ((numbers, "solid"), (learned, "")) if part]  # fmt: skip
        keys.append(Key(name, number, shape=shape))
    every = [row for rows in groups.values() for row in rows]
    if isinstance(recipe := _recipe(every), float):
        key = Key(f"{_RECIPE} = {_value(recipe)}", -1, line="dot")
        traces.insert(0, _mark(recipe, every, key.label))
        keys.append(key)
    where = words.where(task.metrics)
    values = [f"{_value(row['lambda'])}: {words.number(row['mean'])}" for row in every]
    title = f"{where[0].upper()}{where[1:]} against lambda_cls"
    summary = f"Mean over seeds at each weight, {'; '.join(values)}."
    plot = Plot(f"sweep-{task.name}", where, traces, _axis(every), Axis(where), 420, 290)
    n = words.listing(sorted({words.number(row["n"]) for row in every}))
    caption = f"Means over seeds with intervals, n = {n}; a hollow mark is a collapsed row."
    return Figure(title, summary, keys, [plot], caption=caption)


def _axis(rows: list[dict]) -> Axis:
    """Make an axis that names the weights which were run, and a place for the learned ones."""
    weights = sorted({row["lambda"] for row in rows if row["lambda"] != _LEARNED})
    learned = [(_AT, _LEARNED)] if any(row["lambda"] == _LEARNED for row in rows) else []
    ticks = [*((weight, _value(weight)) for weight in weights), *learned]
    high = _AT + 0.08 if learned else 1.05
    return Axis("lambda_cls, the weight of classification", -0.05, high, ticks=ticks)


def _place(row: dict) -> float:
    return _AT if row["lambda"] == _LEARNED else row["lambda"]


def _curve(rows: list[dict], name: str, number: int, shape: str, line: str) -> Trace:
    rows = [row for row in rows if row["mean"] is not None]
    return Trace(
        [_place(row) for row in rows],
        [row["mean"] for row in rows],
        number,
        name,
        name,
        line,
        shape=[shape + ("-open" if row["collapsed"] else "") for row in rows],
        size=9,
        spans=[
            None if row["low"] is None or row["high"] is None else (row["low"], row["high"])
            for row in rows
        ],
        hints=[
            f"{name}, {_value(row['lambda'])}: {words.number(row['mean'])} {words.interval(row)}, "
            f"{words.count(len(row['seeds']), 'seed')}, n = {words.number(row['n'])}"
            + (", collapsed" if row["collapsed"] else "")
            for row in rows
        ],
    )


def _mark(recipe: float, rows: list[dict], key: str) -> Trace:
    ends = [row[end] for row in rows for end in ("low", "mean", "high") if row[end] is not None]
    span = [min(ends, default=0), max(ends, default=1)]
    return Trace([recipe, recipe], span, key=key, line="dot", width=1.2)


def _table(task: Task, rows: list[dict]) -> Table:
    where = words.where(task.metrics)
    columns = [
        *ROW,
        Column("lambda_cls", "num", f"{_RECIPE} is marked; the paper’s is {_value(PAPER)}"),
        Column(where, "num", "mean over seeds and its interval"),
        Column("Difference", "num", f"from {_RECIPE}, with its interval"),
        Column("p", "num", "Holm’s correction"),
        Column("Differs", hint="the corrected p-value is below 0.05"),
        Column("Baseline", "num"),
        Column("Seeds", "num", "each links to its run"),
        Column("n", "num", f"{task.metrics['level']}s"),
        Column("Flag"),
    ]
    notes = sorted({row["note"] for row in rows if row["note"]})
    caption = f"{task.title}: {where} by lambda_cls"
    cells = [_row(row) for row in rows]
    return Table(f"sweep-table-{task.name}", caption, columns, cells, notes=notes)


def _row(row: dict) -> list[Cell]:
    weight, test = row["lambda"], row["difference"]
    known = "recipe" if row["reference"] else "paper" if weight == PAPER else ""
    seeds = Cell(str(len(row["seeds"])), len(row["seeds"]), link="#" + anchor(row["runs"][0]))
    tested = [Cell(words.DASH)] * 3
    if test:
        tested = [
            num(test["difference"], small=words.interval(test)),
            Cell(words.p(test["p_holm"]), test["p_holm"]),
            shown(words.differs(test)),
        ]
    return [
        Cell(row["backbone"]),
        Cell(row["configuration"]),
        Cell(_value(weight), _place(row), known),
        num(row["mean"], small=words.interval(row)),
        *tested,
        num(row["baseline"]),
        seeds,
        num(row["n"]),
        flagged(row["collapsed"]),
    ]


def content(page: Page) -> list[Part]:
    """Return a part for each task that has a sweep."""
    return [section(task) for task in page.tasks if task.metrics["sweep"]]


SECTION = Section(
    "sweep",
    "Lambda sweep",
    content=content,
    lead=LEAD,
    ask="a lambda in benchmark.variants of params.yaml",
)
