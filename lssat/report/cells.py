"""The tables of the page, as columns and cells that one template macro writes."""

import re
from dataclasses import dataclass, field
from typing import Any

from lssat.report import words
from lssat.report.read import Task


@dataclass(frozen=True)
class Column:
    """A column's heading; `kind` is text, num, id, pre or mark."""

    label: str
    kind: str = "text"
    hint: str = ""


@dataclass(frozen=True)
class Bar:
    """An interval drawn on the table's common scale: positions from 0 to 100."""

    low: float
    mean: float
    high: float
    baseline: float | None


@dataclass(frozen=True)
class Cell:
    """A cell: what it shows, what it sorts by, and what else stands in it."""

    text: str
    sort: float | str | None = None
    small: str = ""  # a second line
    bar: Bar | None = None
    flag: str = ""  # good | bad: a word with a sign, never colour alone
    links: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Table:
    """A table with a caption, sortable by its headings and filtered by a text field."""

    id: str
    caption: str
    columns: list[Column]
    rows: list[list[Cell]]
    best: int | None = None  # the row to set off
    foot: list[Cell] = field(default_factory=list)  # a last row that sorting leaves in place
    notes: list[str] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)  # of the rows, for links to them


def anchor(run: str) -> str:
    """Return the id of a run's row, safe in a URL."""
    return "run-" + re.sub(r"[^A-Za-z0-9_-]", "-", run)


def num(value: Any, digits: int = 3, small: str = "") -> Cell:
    """Make a cell of a number."""
    return Cell(words.number(value, digits), value, small)


def headline(task: Task) -> Table:
    """Make the headline table: a row per backbone x configuration, all that qualifies a number."""
    rows, metrics = task.headline, task.metrics
    scale = _scale(rows)
    top = words.best(rows)
    columns = [
        Column("Backbone"),
        Column("Configuration", hint="masked branch / reconstructed / classified"),
        Column("Mean", "num", f"{words.where(metrics)}, mean over seeds"),
        Column(words.confidence(metrics), "num", "resampled by group"),
        Column("Interval, baseline", "mark", f"from {scale[0]:.2f} to {scale[1]:.2f}"),
        *[Column(f"Seed {seed}", "num") for seed in task.seeds],
        Column("Baseline", "num", "the best score without looking at the input"),
        Column("Beats it", hint="the whole interval lies above the baseline"),
        Column("n", "num", f"{metrics['level']}s"),
        Column("Groups", "num", "clusters that are resampled"),
        Column("Coverage", "num", "samples of the test split that have a prediction"),
        Column("Flag"),
        Column("Runs"),
    ]
    made = [_headline_row(task, row, scale) for row in rows]
    notes = [f"{r['backbone']}, {r['configuration']}: {r['note']}" for r in rows if r["note"]]
    caption = f"{words.where(metrics)}, {metrics['level']} level, {metrics['split']} split"
    best = rows.index(top) if top else None
    return Table(f"headline-{task.name}", caption, columns, made, best, notes=_merge(notes))


def _headline_row(task: Task, row: dict, scale: tuple[float, float]) -> list[Cell]:
    values = dict(zip(row["seeds"], row["values"], strict=True))
    beats = Cell("yes", "yes", flag="good") if row["beats_baseline"] else Cell("no", "no")
    flag = Cell("collapsed", "collapsed", flag="bad") if row["collapsed"] else Cell("", "")
    links = tuple((run.rsplit("/", 1)[-1], "#" + anchor(run)) for run in row["runs"])
    coverage = task.metrics["coverage"]
    return [
        Cell(row["backbone"]),
        Cell(row["configuration"]),
        num(row["mean"]),
        Cell(words.interval(row), row["low"]),
        Cell("", row["mean"], bar=_bar(row, scale)),
        *[num(values.get(seed)) for seed in task.seeds],
        num(row["baseline"]),
        beats if row["mean"] is not None else Cell(words.DASH),
        num(row["n"]),
        num(row["groups"]),
        Cell(words.percent(coverage), coverage),
        flag,
        Cell("", ";".join(row["runs"]), links=links),
    ]


def _scale(rows: list[dict]) -> tuple[float, float]:
    keys = ("low", "mean", "high", "baseline")
    values = [row[key] for row in rows for key in keys if row[key] is not None] or [
        0,
        1,
    ]
    low, high = min(values), max(values)
    pad = 0.04 * (high - low) or 0.05
    return low - pad, high + pad


def _bar(row: dict, scale: tuple[float, float]) -> Bar | None:
    if row["mean"] is None or row["low"] is None or row["high"] is None:
        return None

    def place(value: float | None) -> float | None:
        return value and round(100 * (value - scale[0]) / (scale[1] - scale[0]), 2)

    return Bar(*[place(row[key]) for key in ("low", "mean", "high", "baseline")])  # type: ignore[arg-type]


def _merge(notes: list[str]) -> list[str]:
    """Say a note that every row shares once."""
    texts = list(dict.fromkeys(note.split(": ", 1)[1] for note in notes))
    return [texts[0]] if len(texts) == 1 and len(notes) > 1 else notes


def measures(task: Task) -> Table:
    """Make the table of all metrics: a row per backbone x configuration, a column per metric."""
    table = task.metrics["table"]
    names = list(dict.fromkeys((row["level"], row["metric"]) for row in table))
    found = {(r["backbone"], r["configuration"], r["level"], r["metric"]): r for r in table}
    rows = list(dict.fromkeys((row["backbone"], row["configuration"]) for row in table))
    columns = [Column("Backbone"), Column("Configuration")]
    columns += [Column(f"{level} {words.metric(name)}", "num") for level, name in names]
    made = [
        [
            Cell(row[0]),
            Cell(row[1]),
            *[_measure(found.get((*row, *name))) for name in names],
        ]
        for row in rows
    ]
    notes = {f"{r['level']} {words.metric(r['metric'])}: {r['note']}" for r in table if r["note"]}
    foot = _baselines(names, table)
    caption = f"all metrics of {task.title}, mean over seeds and interval"
    return Table(f"measures-{task.name}", caption, columns, made, foot=foot, notes=sorted(notes))


def _measure(row: dict | None) -> Cell:
    return num(row["mean"], small=words.interval(row)) if row else Cell(words.DASH)


def _baselines(names: list[tuple[str, str]], table: list[dict]) -> list[Cell]:
    values = {(row["level"], row["metric"]): row["baseline"] for row in table}
    return [
        Cell("trivial baseline"),
        Cell(words.DASH),
        *[num(values[name]) for name in names],
    ]


def subsets(task: Task) -> Table | None:
    """Make the table of subsets: a row per backbone x configuration, a column per subset."""
    table = task.metrics.get("subsets", [])
    if not table:
        return None
    names = list(dict.fromkeys(row["subset"] for row in table))
    found = {(row["backbone"], row["configuration"], row["subset"]): row for row in table}
    rows = list(dict.fromkeys((row["backbone"], row["configuration"]) for row in table))
    sizes = {row["subset"]: row["n"] for row in table}
    columns = [Column("Backbone"), Column("Configuration")]
    columns += [Column(name, "num", f"n = {words.number(sizes[name])}") for name in names]
    made = [
        [
            Cell(row[0]),
            Cell(row[1]),
            *[_measure(found.get((*row, name))) for name in names],
        ]
        for row in rows
    ]
    notes = sorted({f"{row['subset']}: {row['note']}" for row in table if row["note"]})
    caption = f"results of {task.title} by subset"
    return Table(f"subsets-{task.name}", caption, columns, made, notes=notes)


def subset_lead(task: Task) -> str:
    """Say what the subsets are, or that there are none."""
    table = task.metrics.get("subsets", [])
    if not table:
        return "The metrics of this task name no subsets, so there are no results by subset."
    first = table[0]
    sizes = dict.fromkeys(f"{row['subset']} n = {words.number(row['n'])}" for row in table)
    return (
        f"{first['level']} {words.metric(first['metric'])} of each subset against all reals, mean "
        f"over seeds with its {words.confidence(task.metrics)} below; {words.listing(list(sizes))}."
    )


def runs(task: Task) -> Table:
    """Make the table that leads from a number back to its run."""
    columns = [
        Column("Run", "id"),
        Column("Command that makes it", "id"),
        Column("Best epoch", "num", "chosen on the validation split, counted from 0"),
        Column("Validation", "num", "the metric that chose it"),
        Column("Parameters", "num", "without the decoder"),
        Column("Decoder", "num", "parameters, training only"),
        Column("Seconds", "num"),
        Column("Images/s", "num"),
        Column("MLflow run", "id"),
        Column("Revision", "id"),
        Column("Weights sha256", "id"),
    ]
    names = [run["run"] for run in task.metrics["runs"]]
    made = [_run_row(task, name) for name in names]
    ids = [anchor(name) for name in names]
    return Table(f"runs-{task.name}", f"runs of {task.title}", columns, made, ids=ids)


def _run_row(task: Task, run: str) -> list[Cell]:
    record = task.records[run]
    return [
        Cell(run),
        Cell(command(task.files.runs[run] / "record.json")),
        Cell(f"{record['best_epoch']} of {record['epochs']}", record["best_epoch"]),
        num(record["best_value"]),
        num(record["parameters"]),
        num(record["decoder_parameters"]),
        num(float(record["seconds"]), 1),
        num(float(record["imgs_per_second"]), 0),
        Cell(task.mlflow["runs"].get(run) or words.DASH),
        Cell(revision(record["git"])),
        Cell((record.get("weights_sha256") or words.DASH)[:16]),
    ]


def roc_lead(task: Task) -> str:
    """Say what a ROC curve of the task is."""
    if task.metrics["kind"] == "binary":
        return f"Positive is fake; one point per threshold on the {task.metrics['level']} score."
    return "Macro average of the one-vs-rest curves of all classes or attributes that vary."


def command(file: Any) -> str:
    """Return the command that makes a file."""
    return f"snakemake --cores 1 -- {file}"


def revision(git: dict) -> str:
    """Name a git revision, and whether the files differed from it."""
    if not git["revision"]:
        return "unknown"
    return git["revision"][:10] + (", with changes" if git["dirty"] else "")
