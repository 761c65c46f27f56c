"""Results across data sets: what runs score where they were not trained, beside where they were."""

from lssat.report.kit import columns as shared
from lssat.report.kit import words
from lssat.report.kit.cells import ROW, Column, Table
from lssat.report.kit.results import Cross, Task
from lssat.report.kit.section import Page, Part, Section
from lssat.tables import Metrics

LEAD = (
    "The same runs on data sets that they have never seen: nothing was trained, chosen or "
    "calibrated there. Intervals cover other groups of the data set they stand for."
)


def section(cross: Cross, tasks: list[Task]) -> Part:
    """Describe one data set: its size, and a row per backbone x configuration."""
    metrics = cross.metrics
    n = words.listing([words.count(n, name) for name, n in metrics["n"].items()])
    trained = next(task for task in tasks if task.name == metrics["task"])
    lead = (
        f"Runs of {metrics['task']} on {cross.name}: {n} in "
        f"{words.count(metrics['groups'], 'group')}, coverage {words.coverage(metrics)}."
        f"{common_classes(metrics, trained)}"
    )
    return Part(cross.title, tables=[_table(cross, trained)], lead=lead)


def common_classes(metrics: Metrics, trained: Task) -> str:
    """Say which classes of the runs are not measured, since the data set lacks them."""
    unasked = metrics.get("unasked", [])
    if not unasked:
        return ""
    total = len(trained.metrics["classes"])
    what, how = "classes", "a run chooses among the common ones"
    if metrics["kind"] == "multilabel":
        what, how = "attributes", "numbers are of the common ones"
    return (
        f" It has {len(metrics['classes'])} of the {total} {what} of {metrics['task']}; logits of "
        f"{words.listing(unasked)} are left out, and {how}. The number at home is of all {total}."
    )


def _table(cross: Cross, trained: Task) -> Table:
    metric = cross.metrics["metric"]
    rows = [row for row in cross.metrics["table"] if row["metric"] == metric]
    home = [row for row in trained.metrics["table"] if row["metric"] == metric]
    columns = [*ROW]
    for level in dict.fromkeys(row["level"] for row in rows):
        name = f"{level} {words.metric(metric)}"
        for those, whose, hint in (
            (home, trained.name, "test split of the training data"),
            (rows, cross.name, "mean over seeds and interval"),
        ):
            at_level = (row for row in those if row["level"] == level)
            columns.append(shared.score_in(at_level, f"{name}, {whose}", hint))
    columns += [
        shared.BASELINE,
        Column("Beats it", "text", "shown to", shared.beats),
        shared.SEEDS,
        Column("n", "num", value="n"),
        shared.COLLAPSED,
    ]
    of_headline = [row for row in rows if row["level"] == rows[0]["level"]]
    notes = [f"{', '.join(words.pair(row))}: {row['note']}" for row in of_headline if row["note"]]
    caption = f"{words.metric(metric)} on {cross.name} beside {trained.name}"
    return Table.of(f"cross-{cross.name}", caption, columns, of_headline, notes=notes)


def content(page: Page) -> list[Part]:
    """Return a part for each data set."""
    return [section(cross, page.tasks) for cross in page.across]


SECTION = Section(
    "cross",
    "Across data sets",
    content=content,
    lead=LEAD,
    ask="benchmark.cross of params.yaml",
)
