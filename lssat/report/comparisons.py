"""The tables of tests: every pair of rows that ask one question, and who ranks first."""

from lssat.report import results, words
from lssat.report.cells import Cell, Column, Table, num
from lssat.report.read import Task

_TESTS = {"p": "bootstrap", "p_delong": "DeLong", "p_mcnemar": "McNemar"}
LEAD = (
    "Differences on the same test samples. The bootstrap draws clusters of samples and seeds; "
    "DeLong’s and McNemar’s tests, in their forms for clusters, take the seeds as given. "
    "p-values carry Holm’s correction over the pairs of a table."
)


def tables(task: Task) -> list[Table]:
    """Make a table for configurations and one for backbones, where there are pairs."""
    found = [_table(task, family) for family in ("configuration", "backbone")]
    return [table for table in found if table.rows]


def _table(task: Task, family: str) -> Table:
    pairs = [row for row in task.metrics["comparisons"] if row["compared"] == family]
    shared = "backbone" if family == "configuration" else "configuration"
    tests = [name for name in _TESTS if any(row[name] is not None for row in pairs)]
    what = words.where(task.metrics)
    columns = [
        Column(shared.capitalize()),
        Column(f"{family.capitalize()} a"),
        Column(f"{family.capitalize()} b"),
        Column("a − b", "num", f"{what}, means over seeds"),
        Column(words.confidence(task.metrics), "num", "of the difference"),
        Column("Effect", "num", "Cohen’s d of an AUC, else Cohen’s h"),
        *[Column(f"p, {_TESTS[name]}", "num", "Holm’s correction") for name in tests],
        Column("Differs", hint="the bootstrap’s p-value with Holm’s correction is below 0.05"),
        Column("Flag"),
    ]
    rows = [[*_row(row, family, shared, tests), _fallen(task, row)] for row in pairs]
    notes = sorted({row["note"] for row in pairs if row["note"]})
    caption = f"{task.title}: pairs of {family}s, {what}"
    return Table(f"pairs-{family}-{task.name}", caption, columns, rows, notes=notes)


def _row(row: dict, family: str, shared: str, tests: list[str]) -> list[Cell]:
    return [
        Cell(row["a"][shared]),
        Cell(row["a"][family]),
        Cell(row["b"][family]),
        num(row["difference"]),
        Cell(words.interval(row), row["low"]),
        num(row["effect"], digits=2),
        *[_p(row[f"{name}_holm"]) for name in tests],
        Cell("yes", "yes", flag="good") if words.differs(row) else Cell("not shown", "no"),
    ]


def _fallen(task: Task, row: dict) -> Cell:
    """Make the cell that says which side collapsed: a difference from it says little."""
    sides = [arm for arm in "ab" if words.pair(row[arm]) in task.collapsed]
    text = f"{words.listing(sides)} collapsed"
    return Cell(text, text, flag="bad") if sides else Cell("", "")


def _p(value: float | None) -> Cell:
    return Cell("<0.001", value) if value is not None and value < 0.001 else num(value)


def ranks(task: Task) -> Table:
    """Make the table of the probability that each row ranks first."""
    shown = sorted(task.metrics["ranked_first"], key=lambda row: -row["probability"])
    columns = [
        Column("Backbone"),
        Column("Configuration"),
        Column("Flag"),
        Column("Ranks first", "num", "share of resamples of clusters and seeds"),
    ]
    rows = [[*results.named(task, words.pair(row)), num(row["probability"])] for row in shown]
    caption = f"{task.title}: probability of the highest {words.where(task.metrics)}"
    return Table(f"first-{task.name}", caption, columns, rows)
