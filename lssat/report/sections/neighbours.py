"""The k-NN score of frozen features, beside the probes that are trained on them."""

from lssat.report.kit import words
from lssat.report.kit.cells import ROW, Cell, Column, Table, num
from lssat.report.kit.results import Task
from lssat.report.sections import headline

LEAD = (
    "Nearest neighbours score the frozen features that a linear probe reads, without training: the "
    "k most similar training samples vote (cosine, temperature 0.07), k is chosen on validation. "
    "Nothing here is a test between a probe and its neighbours."
)


def table(task: Task, rows: list[dict]) -> Table:
    """Make the table: a row for each probe, with the score of its features' neighbours.

    Args:
        rows: `nearest` of metrics.json.
    """
    where = words.where(task.metrics)
    columns = [
        *ROW,
        Column("k-NN", "num", f"{where}, mean over seeds and its interval"),
        Column("k", "num", "of each seed, chosen on validation"),
        Column("Linear probe", "num", f"{where}, trained on the same features"),
        Column("Baseline", "num", "the best score without looking at the input"),
        Column("k-NN beats it", hint="shown to, with a correction for the number of rows"),
        Column("Seeds", "num"),
        Column("n", "num", f"{task.metrics['level']}s"),
    ]
    probes = {words.pair(row): row for row in (*task.headline, *task.beside)}
    cells = [
        [
            Cell(row["backbone"]),
            Cell(row["configuration"]),
            num(row["mean"], small=words.interval(row)),
            Cell(", ".join(map(str, row["neighbours"]))),
            headline.measured(probes.get(words.pair(row))),
            num(row["baseline"]),
            headline.beats(row),
            num(len(row["seeds"])),
            num(row["n"]),
        ]
        for row in rows
    ]
    notes = [
        f"{row['backbone']}, {row['configuration']}: {row['note']}" for row in rows if row["note"]
    ]
    caption = f"{task.title}: {where} of frozen features by their nearest neighbours"
    return Table(f"nearest-{task.name}", caption, columns, cells, notes=notes)
