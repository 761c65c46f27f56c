"""The tables of tests: every pair of rows that ask one question, and who ranks first."""

from typing import Any

from lssat import grid
from lssat.report.kit import words
from lssat.report.kit.cells import ROW, Cell, Column, Table, num, shown
from lssat.report.kit.results import Task
from lssat.report.kit.section import Page, Section
from lssat.report.sections import headline, power
from lssat.report.sections import ranks as over

LEAD = (
    "Differences on the same test samples, seed by seed. Each interval and p-value covers other "
    "test sets, whose clusters of samples are taken whole, and, with several seeds, other "
    "trainings. p-values carry Holm’s correction over the pairs of a table; the sentences on top "
    "of the page carry it over the pairs of all tasks, so that a pair may be shown to differ in "
    "one place and not in the other. What could have been shown is said below "
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
    pairs = [row for row in task.metrics["comparisons"] if row["compared"] == family]
    shared = "backbone" if family == "configuration" else "configuration"
    what = words.where(task.metrics)
    columns = [
        Column(shared.capitalize(), "key"),
        Column(f"{family.capitalize()} a", "key"),
        Column(f"{family.capitalize()} b", "key"),
        *_tested(task),
        Column("Flag"),
    ]
    rows = [[*_row(row, family, shared), _fallen(task, row)] for row in pairs]
    notes = sorted({row["note"] for row in pairs if row["note"]})
    caption = f"{task.title}: pairs of {family}s, {what}"
    return Table(f"pairs-{family}-{task.name}", caption, columns, rows, notes=notes)


def _external(task: Task) -> Table:
    """Make the table of each row against those of other programs: a is ours, b theirs."""
    pairs = [row for row in task.metrics["comparisons"] if row["compared"] == "external"]
    turned = [row if row["b"]["configuration"] == grid.EXTERNAL else _turned(row) for row in pairs]
    columns = [Column(name, "key") for name in ("Backbone a", "Configuration a", "Program b")]
    rows = [
        [*[Cell(row["a"][key]) for key in ("backbone", "configuration")],
         Cell(row["b"]["backbone"]), *_results(row), _fallen(task, row)]
        for row in turned
    ]  # fmt: skip
    notes = sorted({row["note"] for row in pairs if row["note"]})
    caption = f"{task.title}: rows of ours and of other programs, {words.where(task.metrics)}"
    place = f"pairs-external-{task.name}"
    return Table(place, caption, [*columns, *_tested(task), Column("Flag")], rows, notes=notes)


def _turned(row: dict) -> dict:
    """Return a comparison the other way round: b - a."""
    size = {key: None if row[key] is None else -row[key] for key in ("difference", "effect")}
    low, high = (None if row[end] is None else -row[end] for end in ("high", "low"))
    return row | size | {"a": row["b"], "b": row["a"], "low": low, "high": high}


def _overall(task: Task) -> Table:
    rows = task.metrics["backbones"]
    columns = [*(Column(f"Backbone {arm}", "key") for arm in "ab"), *_tested(task)]
    columns += [Column("Configurations", "num", "that both have, averaged"), Column("Flag")]
    cells = [
        [
            *[Cell(row[arm]["backbone"]) for arm in "ab"],
            *_results(row),
            num(row["a"]["configurations"]),
            _fallen_in(task, row),
        ]
        for row in rows
    ]
    notes = sorted({row["note"] for row in rows if row["note"]})
    caption = (
        f"{task.title}: backbones in the mean over configurations, {words.where(task.metrics)}"
    )
    return Table(f"overall-{task.name}", caption, columns, cells, notes=notes)


def _tested(task: Task) -> list[Column]:
    return [
        Column("a − b", "num", f"{words.where(task.metrics)}, means over seeds"),
        Column(words.confidence(task.metrics), "num", "of the difference"),
        Column("Effect", "num", "Cohen’s d of an AUC, else Cohen’s h"),
        Column("p", "num", "Holm’s correction"),
        Column("Least", "num", "of this pair: shown in 80 % of repetitions, as the first of all"),
        Column("Differs", hint="the corrected p-value is below 0.05"),
    ]


def _row(row: dict, family: str, shared: str) -> list[Cell]:
    return [Cell(row["a"][shared]), *[Cell(row[arm][family]) for arm in "ab"], *_results(row)]


def _results(row: dict) -> list[Cell]:
    return [
        num(row["difference"]),
        Cell(words.interval(row), row["low"]),
        num(row["effect"], digits=2),
        Cell(words.p(row["p_holm"]), row["p_holm"]),
        num(row["least"]),
        shown(words.differs(row)),
    ]


def _fallen(task: Task, row: dict) -> Cell:
    """Make the cell that says which side collapsed: a difference from it says little."""
    sides = [arm for arm in "ab" if words.pair(row[arm]) in task.collapsed]
    text = f"{words.listing(sides)} collapsed"
    return Cell(text, text, flag="bad") if sides else Cell("", "")


def _fallen_in(task: Task, row: dict) -> Cell:
    """Make the cell that says how many rows of each side's mean collapsed."""
    mine = [row for row in task.headline if row["collapsed"]]
    sides = [
        f"{fallen} of {arm} collapsed"
        for arm in "ab"
        if (fallen := sum(each["backbone"] == row[arm]["backbone"] for each in mine))
    ]
    text = ", ".join(sides)
    return Cell(text, text, flag="bad") if text else Cell("", "")


def ranks(task: Task) -> Table:
    """Make the table of the ranks that each row may have."""
    shown = task.metrics["ranks"]
    columns = [
        *ROW,
        Column("Flag"),
        Column("Mean", "num", f"{words.where(task.metrics)}, mean over seeds"),
        Column("Rank", "num", "between the best and the worst that the tests leave possible"),
        Column("May be first"),
    ]
    rows = [
        [
            *headline.named(task, words.pair(row)),
            num(row["mean"]),
            Cell(words.ranks(row), row["best"]),
            Cell("yes" if row["top"] else "no", "yes" if row["top"] else "no"),
        ]
        for row in shown
    ]
    caption = (
        f"{task.title}: ranks by {words.where(task.metrics)}, Holm’s correction over all pairs"
    )
    return Table(f"first-{task.name}", caption, columns, rows)


def content(page: Page) -> dict[str, Any]:
    """Return the tables of each task, and the ranks over all of them."""
    tasks = [
        {
            "title": task.title,
            "power": power.sentence(task.metrics),
            "pairs": tables(task),
            "ranks": ranks(task),
        }
        for task in page.tasks
    ]
    over_tasks = {"ranks_lead": over.LEAD, "ranks": over.section(page.families)}
    return {"lead": lead(page.tasks), "tasks": tasks, **over_tasks}


SECTION = Section("comparisons", "Comparisons", content=content)
