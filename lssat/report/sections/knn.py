"""The k-NN score of frozen features, beside the probes that are trained on them."""

from lssat.report.kit import columns, words
from lssat.report.kit.cells import ROW, Column, Table, measured
from lssat.report.kit.results import Task
from lssat.tables.metric_tables import Nearest

LEAD = (
    "Nearest neighbours score the frozen features that a linear probe reads, without training: the "
    "k most similar training samples vote (cosine, temperature 0.07); k is chosen on validation. "
    "No test compares a probe with its neighbours."
)


def table(task: Task, rows: list[Nearest]) -> Table:
    """Make the table: a row for each probe, with the score of its features' neighbours.

    Args:
        rows: `nearest` of metrics.json.
    """
    where = words.measure(task.metrics)
    shown = [
        *ROW,
        Column("k-NN", "num", f"{where}, mean over seeds and its interval", measured),
        Column("k", "num", "of each seed, chosen on validation",
               lambda row: ", ".join(map(str, row["neighbours"]))),
        columns.score_in((*task.headline, *task.beside), "Linear probe",
                         f"{where}, trained on the same features"),
        columns.BASELINE,
        Column("k-NN beats it", hint="shown to, with a correction for the number of rows",
               value=columns.beats),
        columns.SEEDS,
        columns.n(task),
    ]  # fmt: skip
    notes = words.about((words.name(row), row["note"]) for row in rows)
    caption = f"{task.title}: {where} of frozen features by their nearest neighbours"
    return Table.of(f"nearest-{task.name}", caption, shown, rows, notes=notes)
