"""The tables of tests: every pair of rows that ask one question, and who ranks first."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from lssat import grid
from lssat.report.kit import words
from lssat.report.kit.cells import (
    ROW,
    Cell,
    Column,
    Table,
    flag_of,
    interval,
    least,
    num,
    shown,
)
from lssat.report.kit.results import Task
from lssat.report.kit.section import Page, Section
from lssat.report.sections import power
from lssat.report.sections import ranks as over
from lssat.tables.metric_tables import BackboneComparison, Comparison, Difference, Number

LEAD = (
    "Differences on the same test samples, seed by seed. Each interval and p-value covers other "
    "test sets, whose clusters of samples are taken whole, and, with several seeds, other "
    "trainings. p-values carry Holm’s correction over the pairs of a table; the sentences on top "
    "of the page carry it over the pairs of all tasks, so that a pair may be shown to differ in "
    "one place and not in the other. " + words.ALONE + " What could have been shown is said below "
    "each task’s heading, of the median pair; “Least” says it of the pair in its row."
)
FEW = " With fewer than 3 seeds ({}) tests are about these trained models."


def tables(task: Task) -> list[tuple[str, Table]]:
    """Make tables, each with its title: of backbones over all configurations, of pairs of rows."""
    titled = [
        ("Backbones, in the mean over the configurations that both have", _overall(task)),
        ("Configurations of the same backbone", _table(task, "configuration")),
        ("Backbones in the same configuration", _table(task, "backbone")),
        ("Rows of ours and of other programs", _external(task)),
        ("What could have been shown", power.table(task)),
    ]
    return [(title, table) for title, table in titled if table.rows]


def lead(tasks: list[Task]) -> str:
    """Say what the tests cover, and which tasks have too few seeds for more."""
    seeds = {task.name: min(len(row["seeds"]) for row in task.trained) for task in tasks}
    few = [f"{name}: {n}" for name, n in seeds.items() if words.few(n)]
    return LEAD + (FEW.format(words.listing(few)) if few else "")


def _table(task: Task, family: str) -> Table:
    rows = [row for row in task.metrics["comparisons"] if row["compared"] == family]
    shared = "backbone" if family == "configuration" else "configuration"
    sides = [_side(f"{family.capitalize()} {arm}", arm, family) for arm in "ab"]
    columns = [_side(shared.capitalize(), "a", shared), *sides, *_tests(task), _fallen(task)]
    return _compared(task, f"pairs-{family}", f"pairs of {family}s", columns, rows)


def _external(task: Task) -> Table:
    """Make the table of each row against those of other programs: a is ours, b theirs."""
    rows = [row for row in task.metrics["comparisons"] if row["compared"] == "external"]
    turned = [row if row["b"]["configuration"] == grid.EXTERNAL else _turned(row) for row in rows]
    columns = [
        _side("Backbone a", "a", "backbone"),
        _side("Configuration a", "a", "configuration"),
        _side("Program b", "b", "backbone"),
        *_tests(task),
        _fallen(task),
    ]
    return _compared(task, "pairs-external", "rows of ours and of other programs", columns, turned)


def _turned(row: Comparison) -> Comparison:
    """Return a comparison the other way round: b - a."""
    turned = row.copy()
    turned["a"], turned["b"] = row["b"], row["a"]
    turned["difference"], turned["effect"] = _minus(row["difference"]), _minus(row["effect"])
    turned["low"], turned["high"] = _minus(row["high"]), _minus(row["low"])
    return turned


def _minus(value: Number) -> Number:
    return None if value is None else -value


def _overall(task: Task) -> Table:
    columns = [
        *[_side(f"Backbone {arm}", arm, "backbone") for arm in "ab"],
        *_tests(task),
        Column("Configurations", "num", "that both have, averaged",
               lambda row: row["a"]["configurations"]),
        Column("Flag", value=lambda row: _flagged(_fallen_in(task, row))),
    ]  # fmt: skip
    title = "backbones in the mean over configurations"
    return _compared(task, "overall", title, columns, task.metrics["backbones"])


def _compared(
    task: Task, id: str, title: str, columns: list[Column], rows: Sequence[Difference]
) -> Table:
    notes = sorted({row["note"] for row in rows if row["note"]})
    caption = f"{task.title}: {title}, {words.measure(task.metrics)}"
    return Table.of(f"{id}-{task.name}", caption, columns, rows, notes=notes)


def _side(label: str, arm: str, key: str) -> Column:
    return Column(label, "key", value=lambda row: row[arm][key])


def _tests(task: Task) -> list[Column]:
    hint = "of this pair: shown in 80 % of repetitions, as the first of all"
    return [
        Column("a − b", "num", f"{words.measure(task.metrics)}, means over seeds", "difference"),
        Column(words.confidence(task.metrics), "num", "of the difference", interval),
        Column("Effect", "num", "Cohen’s d of an AUC, else Cohen’s h",
               lambda row: num(row["effect"], digits=2)),
        Column("p", "num", "Holm’s correction",
               lambda row: Cell(words.p(row["p_holm"]), row["p_holm"])),
        Column("Least", "num", hint, lambda row: least(row["least"])),
        Column("Differs", "text", "the corrected p-value is below 0.05",
               lambda row: shown(words.differs(row))),
    ]  # fmt: skip


def _fallen(task: Task) -> Column:
    """Return the column that says which sides collapsed: a difference from them says little."""

    def cell(row: Comparison) -> Cell:
        sides = {"a": row["a"], "b": row["b"]}
        fallen = [arm for arm, side in sides.items() if words.pair(side) in task.collapsed]
        return _flagged(f"{words.listing(fallen)} collapsed" if fallen else "")

    return Column("Flag", value=cell)


def _fallen_in(task: Task, row: BackboneComparison) -> str:
    """Say how many rows of each side's mean collapsed."""
    counts = Counter(row["backbone"] for row in task.headline if row["collapsed"])
    backbones = {"a": row["a"]["backbone"], "b": row["b"]["backbone"]}
    sides = {arm: counts[name] for arm, name in backbones.items()}
    return ", ".join(f"{n} of {arm} collapsed" for arm, n in sides.items() if n)


def _flagged(text: str) -> Cell:
    return Cell(text, text, flag="bad" if text else "")


def ranks(task: Task) -> Table:
    """Make the table of the ranks that each row may have."""
    what = words.measure(task.metrics)
    columns = [
        *ROW,
        flag_of(task),
        Column("Mean", "num", f"{what}, mean over seeds", "mean"),
        Column("Rank", "num", "between the best and the worst that the tests leave possible",
               lambda row: Cell(words.ranks(row), row["best"])),
        Column("May be first", value=lambda row: "yes" if row["top"] else "no"),
    ]  # fmt: skip
    caption = f"{task.title}: ranks by {what}, Holm’s correction over all pairs"
    return Table.of(f"first-{task.name}", caption, columns, task.metrics["ranks"])


def content(page: Page) -> dict[str, Any]:
    """Return the tables of each task, and the ranks over all of them."""
    tasks = [(task, power.sentence(task.metrics), tables(task), ranks(task)) for task in page.tasks]
    over_tasks = {"ranks_lead": over.LEAD, "ranks": over.section(page.families)}
    return {"lead": lead(page.tasks), "tasks": tasks, **over_tasks}


SECTION = Section("comparisons", "Comparisons", content=content)
