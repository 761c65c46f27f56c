"""What stands behind the numbers: data, rejects, files with their hashes, recipe, environment."""

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from lssat.grid import states
from lssat.report.kit import words
from lssat.report.kit.cells import Cell, Column, Table, anchor, flagged, num, share
from lssat.report.kit.results import Cross, Task
from lssat.report.kit.section import Page, Section
from lssat.report.sections import audited
from lssat.tables import Record, sha256
from lssat.tables.data_tables import Attributes, OfSplits, Shares, SplitsSummary
from lssat.tables.project import RunFiles

SPLITS = ("train", "val", "test")
SHOWN = 500  # rejected samples written into the page; rejects.csv has all


def data(task: Task | Cross) -> dict[str, Any]:
    """Describe the splits of a task's data set: samples, crops, classes, coverage."""
    summary, unit = task.splits, f"{task.metrics['level']}s"
    classes = {str(code): f"{code} {name}" for code, name in enumerate(task.metrics["classes"])}
    rows = [
        _row(f"{unit} listed", summary["listed"]),
        _row(f"{unit} in the split", summary["samples"]),
        _row("face crops", summary["crops"]),
        _row("groups, none of them in two splits", summary["groups"]),
        *_members("class", summary.get("classes", {}), classes),
        *_members("subset", summary.get("subsets", {}), {}),
        *_attributes(summary.get("attributes"), task.metrics["classes"]),
        *_coverage(summary, unit),
    ]
    columns = [Column("Count of"), *[Column(split, "num") for split in SPLITS]]
    n = words.listing([words.count(n, name) for name, n in task.metrics["n"].items()])
    lead = (
        f"Scored on the test split: {n} in {words.count(task.metrics['groups'], 'group')}, "
        f"coverage {words.coverage(task.metrics)}."
    )
    table = Table(f"data-{task.name}", f"splits of {task.metrics['dataset']}", columns, rows)
    more = {**audited.findings(task), "choices": audited.choices(task)}
    return {"title": task.title, "lead": lead, "table": table, **more}


def _row(label: str, values: Mapping[str, Any], cell: Callable[[Any], Cell] = num) -> list[Cell]:
    return [Cell(label), *[cell(values.get(split)) for split in SPLITS]]


def _members(what: str, counts: Mapping[str, OfSplits], names: dict[str, str]) -> list[list[Cell]]:
    """Make a row for each class or subset, of counts of crops by split."""
    members = sorted({member for of_split in counts.values() for member in of_split})
    return [
        _row(
            f"face crops of {what} {names.get(member, member)}",
            {split: counts.get(split, {}).get(member, 0) for split in SPLITS},
        )
        for member in members
    ]


def _attributes(attributes: Attributes | None, names: list[str]) -> list[list[Cell]]:
    """Make a row for each attribute that some crop has; one row counts the others."""
    if attributes is None:
        return []
    rows = []
    for number, name in enumerate(names):
        counts = {split: of_split[number] for split, of_split in attributes["positives"].items()}
        if any(counts.values()):
            rows.append(_row(f"face crops with {name}", counts))
    if never := len(names) - len(rows):
        rows.append(_row("attributes that no crop has", dict.fromkeys(SPLITS, never)))
    return rows


def _coverage(summary: SplitsSummary, unit: str) -> list[list[Cell]]:
    """Make the rows of coverage: of images or videos, of the frames of videos, and by subset.

    Where they differ from the shares of what is listed, those of what is there follow.
    """
    frames, subsets = summary.get("frame_coverage"), summary.get("subset_coverage", {})
    listed = _shares(unit, "", summary["coverage"], frames, subsets)
    frames = summary.get("frame_coverage_present")
    subsets = summary.get("subset_coverage_present", {})
    there = _shares(unit, " that are there", summary["coverage_present"], frames, subsets)
    shown, others = ([[cell.text for cell in row[1:]] for row in rows] for rows in (listed, there))
    return listed if shown == others else listed + there


def _shares(
    unit: str, which: str, samples: Shares, frames: Shares | None, subsets: Mapping[str, Shares]
) -> list[list[Cell]]:
    rows = [_row(f"coverage of {unit}{which}", samples, share)]
    if frames is not None:
        rows.append(_row(f"coverage of frames{which}", frames, share))
    for subset in sorted({subset for of_split in subsets.values() for subset in of_split}):
        shares = {split: of_split.get(subset) for split, of_split in subsets.items()}
        rows.append(_row(f"coverage of {unit} of subset {subset}{which}", shares, share))
    return rows


def rejects(rows: Sequence[dict[str, Any]]) -> dict[str, Any] | None:
    """Describe what was left out: counts by data set, step and reason, then the samples."""
    if not rows:
        return None
    counts = Counter((row["dataset"], row["step"], row["reason"]) for row in rows)
    columns = [
        Column("Data set", value=0),
        Column("Step", value=1),
        Column("Reason", value=2),
        Column("Samples", "num", value=3),
    ]
    summed = [(*key, n) for key, n in sorted(counts.items())]
    kinds = dict.fromkeys(("dataset", "step", "reason"), "text")
    kinds |= dict.fromkeys(("id", "path", "detail"), "pre")
    labels = [Column(name.capitalize(), kind, value=name) for name, kind in kinds.items()]
    more = len(rows) - SHOWN
    left = f"The first {SHOWN} are listed; {more:,} more are in rejects.csv." if more > 0 else ""
    return {
        "lead": f"{words.count(len(rows), 'sample')} left out, each with its step and reason.",
        "summary": Table.of("rejects-summary", "rejects by reason", columns, summed),
        "rows_lead": left or "All of them, as in rejects.csv.",
        "rows": Table.of("rejects-rows", "rejected samples", labels, rows[:SHOWN]),
    }


def files(tasks: Sequence[Task | Cross]) -> Table:
    """List the files that the numbers come from, with the command and the hash of each."""
    columns = [
        Column("Numbers", value=0),
        Column("File", "id", value=lambda row: str(row[1])),
        Column("Command that makes it", "id", value=lambda row: command(row[1])),
        Column("sha256", "id", value=lambda row: sha256(row[1])[:16]),
    ]
    rows = [(f"{task.title}: {what}", path) for task in tasks for what, path in _files(task)]
    return Table.of("files", "files behind the numbers", columns, rows)


def _files(task: Task | Cross) -> list[tuple[str, Path]]:
    files = [
        ("tables, intervals, ROC", task.files.metrics),
        ("predictions", task.files.predictions),
        ("split counts", task.files.splits),
        ("audit", task.files.audit),
        ("look-alikes", task.files.lookalikes),
    ]
    if isinstance(task, Cross):
        return [*files, ("audit across", task.files.across)]
    files += [("robustness", task.files.robustness), ("format alone", task.files.format)]
    return files + [("slices", path) for path in task.files.slices]


def recipe(tasks: list[Task]) -> dict[str, Any]:
    """Describe recipe and environment, from the runs' own records: what all share, what differs."""
    records = [record for task in tasks for record in task.records.values()]
    groups = []
    for section in dict.fromkeys(name for record in records for name in record["params"]):
        values = [record["params"].get(section, {}) for record in records]
        groups.append(_values(section, f"params.yaml: {section}", values))
    groups.append(_values("environment", "environment", [_machine(record) for record in records]))
    mixed = any(value.small for table in groups for _, value in table.rows)
    lead = "As each run recorded it. "
    if mixed:
        lead += "Where runs differ, each value stands with its number of runs."
    elif len(records) > 1:
        lead += "All runs agree."
    return {"lead": lead, "groups": groups}


def _machine(record: Record) -> dict[str, Any]:
    git = revision(record["git"])
    return {**record["environment"], "device": record["device"], "git": git}


def _values(id: str, caption: str, values: list[dict]) -> Table:
    rows = []
    for key in dict.fromkeys(key for of_run in values for key in of_run):
        counts = Counter(str(of_run.get(key, "absent")) for of_run in values)
        small = words.listing([words.count(n, "run") for n in counts.values()])
        value = Cell(words.listing(list(counts)), small=small if len(counts) > 1 else "")
        rows.append([Cell(key), value])
    return Table(f"recipe-{id}", caption, [Column(caption), Column("Value", "id")], rows)


def runs(task: Task) -> Table:
    """Make the table that leads from a number back to its run."""
    fallen = {run["run"] for run in task.metrics["runs"] if run["collapsed"]}

    def kept(run: Record) -> Cell:
        return Cell(f"{run['best_epoch']} of {run['epochs']}", run["best_epoch"])

    def cost(name: str, scale: float, digits: int) -> Callable[[Record], Cell]:
        def cell(run: Record) -> Cell:
            value = run["costs"].get(name)
            return num(None if value is None else value * scale, digits)

        return cell

    def making(run: Record) -> str:
        return command(RunFiles(task.files.runs[run["run"]]).record)

    of_image = "an image; a multiplication and an addition are two"
    memory, co2 = "of the process, or of the GPU", "estimated where the machine's country is given"
    columns = [
        Column("Run", "id", "", "run"),
        Column("Flag", "text", "why is said below the headline",
               lambda run: flagged(run["run"] in fallen)),
        Column("Epoch", "num", "that was kept: best on validation, counted from 0", kept),
        Column("Validation", "num", "the metric that chose it", "best_value"),
        Column("Parameters", "num", "without the decoder", "parameters"),
        Column("Decoder", "num", "parameters, training only", "decoder_parameters"),
        Column("Seconds", "num", "", lambda run: num(float(run["seconds"]), 1)),
        Column("Images/s", "num", "", lambda run: num(float(run["imgs_per_second"]), 0)),
        Column("GFLOP, training", "num", of_image, cost("flops_training", 1e-9, 2)),
        Column("GFLOP, inference", "num", "an image", cost("flops_inference", 1e-9, 2)),
        Column("Peak memory (MiB)", "num", memory, cost("peak_memory", 2**-20, 0)),
        Column("Energy (Wh)", "num", "of training, by codecarbon", cost("energy_kwh", 1e3, 3)),
        Column("CO2 (g)", "num", co2, cost("co2_kg", 1e3, 3)),
        Column("MLflow run", "id", "", lambda run: run["run"].split("/", maxsplit=1)[1]),
        Column("Revision", "id", "", lambda run: revision(run["git"])),
        Column("Weights sha256", "id", "", lambda run: run["weights_sha256"][:16]),
        Column("Command that makes it", "id", "", making),
    ]  # fmt: skip
    scored = [run["run"] for run in task.metrics["runs"] if run["run"] in task.records]
    rows, ids = [task.records[run] for run in scored], [anchor(run) for run in scored]
    return Table.of(f"runs-{task.name}", f"runs of {task.title}", columns, rows, ids=ids)


def command(file: Path) -> str:
    """Return the command that makes a file."""
    return f"snakemake --cores 1 -- {file}"


def revision(git: dict[str, Any]) -> str:
    """Name a git revision, and whether the files differed from it."""
    if not git["revision"]:
        return "unknown"
    return git["revision"][:10] + (", with changes" if git["dirty"] else "")


def reproduce(page: Page) -> dict[str, Any]:
    """Return the files behind the numbers, the runs, the recipe and the parameters."""
    return {
        "files": files([*page.tasks, *page.across]),
        "tasks": [(task, runs(task), states.named(_weights(task))) for task in page.tasks],
        "recipe": recipe(page.tasks),
        "parameters": json.dumps(page.params, indent=2),
    }


def _weights(task: Task) -> dict[str, str]:
    return {run: record["weights_sha256"] for run, record in task.records.items()}


def _data_sets(page: Page) -> list[dict[str, Any]]:
    data_sets: list[Task | Cross] = [*page.of_data_sets, *page.across]
    return [data(data_set) for data_set in data_sets]


DATA = Section("data", "Data", content=_data_sets)
REJECTS = Section("rejects", "Rejects", content=lambda page: rejects(page.rejects))
REPRODUCE = Section("reproduce", "Reproduce", content=reproduce)
