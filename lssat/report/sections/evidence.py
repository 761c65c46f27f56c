"""What stands behind the numbers: data, rejects, files with their hashes, recipe, environment."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lssat.grid import states
from lssat.report.kit import words
from lssat.report.kit.cells import Cell, Column, Table, anchor, flagged, num
from lssat.report.kit.results import Cross, Task
from lssat.report.kit.section import Page, Section
from lssat.report.sections import audited
from lssat.tables import Record, sha256
from lssat.tables.data_tables import Shares, SplitsSummary
from lssat.tables.project import RunFiles

SPLITS = ("train", "val", "test")
SHOWN = 500  # rejected samples written into the page; rejects.csv has all


def data(task: Task | Cross) -> dict[str, Any]:
    """Describe the splits of a task's data set: samples, crops, classes, coverage."""
    summary, dataset = task.splits, task.metrics["dataset"]
    unit = f"{task.metrics['level']}s"
    rows = [
        _row(f"{unit} listed", summary["listed"]),
        _row(f"{unit} in the split", summary["samples"]),
        _row("face crops", summary["crops"]),
        _row("groups, none of them in two splits", summary["groups"]),
        *_nested("class", summary.get("classes", {}), _class_names(task)),
        *_nested("subset", summary.get("subsets", {}), {}),
    ]
    rows += _attributes(summary, task.metrics["classes"])
    rows += _coverage(summary, unit)
    columns = [Column("Count of"), *[Column(split, "num") for split in SPLITS]]
    n = words.listing([words.count(n, name) for name, n in task.metrics["n"].items()])
    lead = (
        f"Scored on the test split: {n} in {words.count(task.metrics['groups'], 'group')}, "
        f"coverage {words.coverage(task.metrics)}."
    )
    table = Table(f"data-{task.name}", f"splits of {dataset}", columns, rows)
    more = {**audited.found(task), "choices": audited.choices(task)}
    return {"title": task.title, "lead": lead, "table": table if rows else None, **more}


def _coverage(summary: SplitsSummary, unit: str) -> list[list[Cell]]:
    """Make the rows of coverage: of images or videos, of the frames of videos, and by subset.

    Where they differ from the shares of what is listed, those of what is there follow.
    """
    frames, subsets = summary.get("frame_coverage"), summary.get("subset_coverage", {})
    listed = _shares(unit, "", summary["coverage"], frames, subsets)
    frames = summary.get("frame_coverage_present")
    subsets = summary.get("subset_coverage_present", {})
    there = _shares(unit, " that are there", summary["coverage_present"], frames, subsets)
    same = [[c.text for c in row[1:]] for row in listed] == [[c.text for c in r[1:]] for r in there]
    return listed if same else listed + there


def _shares(
    unit: str, which: str, samples: Shares, frames: Shares | None, subsets: Mapping[str, Shares]
) -> list[list[Cell]]:
    rows = [_row(f"coverage of {unit}{which}", samples, share=True)]
    if frames is not None:
        rows.append(_row(f"coverage of frames{which}", frames, share=True))
    for member in sorted({member for split in subsets.values() for member in split}):
        shares = {split: by_member.get(member) for split, by_member in subsets.items()}
        rows.append(_row(f"coverage of {unit} of subset {member}{which}", shares, share=True))
    return rows


def _row(label: str, values: Mapping[str, Any], share: bool = False) -> list[Cell]:
    shown = [values.get(split) for split in SPLITS]
    if share:
        return [Cell(label), *[Cell(words.percent(value), value) for value in shown]]
    return [Cell(label), *[num(value) for value in shown]]


def _nested(
    one: str, counts: Mapping[str, Mapping[str, int]], names: dict[str, str]
) -> list[list[Cell]]:
    """Make a row for each class or subset (`one`), of counts of crops by split."""
    members = sorted({member for split in counts.values() for member in split})
    return [
        _row(
            f"face crops of {one} {names.get(member, member)}",
            {split: counts.get(split, {}).get(member, 0) for split in SPLITS},
        )
        for member in members
    ]


def _class_names(task: Task | Cross) -> dict[str, str]:
    return {str(code): f"{code} {name}" for code, name in enumerate(task.metrics["classes"])}


def _attributes(summary: SplitsSummary, names: list[str]) -> list[list[Cell]]:
    """Make a row for each attribute that some crop has; one row counts the others."""
    positives = summary["attributes"]["positives"] if "attributes" in summary else {}
    names = names if positives else []
    counts = [
        {split: counted[i] for split, counted in positives.items()} for i in range(len(names))
    ]
    rows = [
        _row(f"face crops with {name}", by_split)
        for name, by_split in zip(names, counts, strict=True)
        if any(by_split.values())
    ]
    if never := len(names) - len(rows):
        rows.append(_row("attributes that no crop has", dict.fromkeys(SPLITS, never)))
    return rows


def rejects(rows: Sequence[dict]) -> dict[str, Any] | None:
    """Describe what was left out: counts by data set, step and reason, then the samples."""
    if not rows:
        return None
    counts = Counter((row["dataset"], row["step"], row["reason"]) for row in rows)
    columns = [
        Column("Data set"),
        Column("Step"),
        Column("Reason"),
        Column("Samples", "num"),
    ]
    summed = [[*map(Cell, key), num(n)] for key, n in sorted(counts.items())]
    names = ["dataset", "step", "reason", "id", "path", "detail"]
    labels = [Column(n.capitalize(), "pre" if n in names[3:] else "text") for n in names]
    listed = [[Cell(str(row[name])) for name in names] for row in rows[:SHOWN]]
    more = len(rows) - len(listed)
    left = f"The first {SHOWN} are listed; {more:,} more are in rejects.csv." if more else ""
    return {
        "lead": f"{words.count(len(rows), 'sample')} left out, each with its step and reason.",
        "summary": Table("rejects-summary", "rejects by reason", columns, summed),
        "rows_lead": left or "All of them, as in rejects.csv.",
        "rows": Table("rejects-rows", "rejected samples", labels, listed),
    }


def files(tasks: Sequence[Task | Cross]) -> Table:
    """List the files that the numbers come from, with the command and the hash of each."""
    columns = [
        Column("Numbers"),
        Column("File", "id"),
        Column("Command that makes it", "id"),
        Column("sha256", "id"),
    ]
    rows = [
        _file(f"{task.title}: {what}", path)
        for task in tasks
        for what, path in (
            ("tables, intervals, ROC", task.files.metrics),
            ("predictions", task.files.predictions),
            ("split counts", task.files.splits),
            ("audit", task.files.audit),
            ("look-alikes", task.files.lookalikes),
            *_more(task),
        )
    ]
    return Table("files", "files behind the numbers", columns, rows)


def _more(task: Task | Cross) -> list[tuple[str, Path]]:
    if isinstance(task, Cross):
        return [("audit across", task.files.across)]
    slices = [("slices", path) for path in task.files.slices]
    others = [("robustness", task.files.robustness), ("format alone", task.files.format)]
    return [*others, *slices]


def _file(what: str, path: Path) -> list[Cell]:
    return [Cell(what), Cell(str(path)), Cell(command(path)), Cell(sha256(path)[:16])]


def recipe(tasks: list[Task]) -> dict[str, Any]:
    """Describe recipe and environment, from the runs' own records: what all share, what differs."""
    records = [record for task in tasks for record in task.records.values()]
    groups = []
    for section in dict.fromkeys(name for record in records for name in record["params"]):
        values = [record["params"].get(section, {}) for record in records]
        groups.append(_pairs(section, f"params.yaml: {section}", values))
    groups.append(_pairs("environment", "environment", [_machine(record) for record in records]))
    mixed = any(row[1].small for group in groups for row in group.rows)
    lead = "As each run recorded it. "
    lead += (
        "Where runs differ, each value stands with its number of runs."
        if mixed
        else ("All runs agree." if len(records) > 1 else "")
    )
    return {"lead": lead, "groups": groups}


def _machine(record: Record) -> dict[str, Any]:
    inputs = {"device": record.get("device"), "git": revision(record["git"])}
    return {**record["environment"], **inputs}


def _pairs(id: str, caption: str, values: list[dict]) -> Table:
    rows = []
    for key in dict.fromkeys(key for record in values for key in record):
        counts = Counter(str(record.get(key, "absent")) for record in values)
        small = words.listing([words.count(n, "run") for n in counts.values()])
        shown = words.listing(list(counts))
        rows.append([Cell(key), Cell(shown, small=small if len(counts) > 1 else "")])
    return Table(f"recipe-{id}", caption, [Column(caption), Column("Value", "id")], rows)


def runs(task: Task) -> Table:
    """Make the table that leads from a number back to its run."""
    columns = [
        Column("Run", "id"),
        Column("Flag", hint="why is said below the headline"),
        Column("Epoch", "num", "that was kept: best on validation, counted from 0"),
        Column("Validation", "num", "the metric that chose it"),
        Column("Parameters", "num", "without the decoder"),
        Column("Decoder", "num", "parameters, training only"),
        Column("Seconds", "num"),
        Column("Images/s", "num"),
        Column("GFLOP, training", "num", "an image; a multiplication and an addition are two"),
        Column("GFLOP, inference", "num", "an image"),
        Column("Peak memory (MiB)", "num", "of the process, or of the GPU"),
        Column("Energy (Wh)", "num", "of training, by codecarbon"),
        Column("CO2 (g)", "num", "estimated where the machine's country is given"),
        Column("MLflow run", "id"),
        Column("Revision", "id"),
        Column("Weights sha256", "id"),
        Column("Command that makes it", "id"),
    ]
    names = [run["run"] for run in task.metrics["runs"] if run["run"] in task.records]
    cells = [_run_row(task, name) for name in names]
    ids = [anchor(name) for name in names]
    return Table(f"runs-{task.name}", f"runs of {task.title}", columns, cells, ids=ids)


def _costs(costs: dict) -> list[Cell]:
    units = [("flops_training", 1e-9, 2), ("flops_inference", 1e-9, 2), ("peak_memory", 2**-20, 0)]
    units += [("energy_kwh", 1e3, 3), ("co2_kg", 1e3, 3)]
    return [
        num(None if costs.get(name) is None else costs[name] * scale, digits)
        for name, scale, digits in units
    ]


def _run_row(task: Task, run: str) -> list[Cell]:
    record = task.records[run]
    fallen = {score["run"]: bool(score["collapsed"]) for score in task.metrics["runs"]}
    return [
        Cell(run),
        flagged(fallen[run]),
        Cell(f"{record['best_epoch']} of {record['epochs']}", record["best_epoch"]),
        num(record["best_value"]),
        num(record["parameters"]),
        num(record["decoder_parameters"]),
        num(float(record["seconds"]), 1),
        num(float(record["imgs_per_second"]), 0),
        *_costs(record.get("costs", {})),
        Cell(run.split("/", maxsplit=1)[1]),
        Cell(revision(record["git"])),
        Cell((record.get("weights_sha256") or words.DASH)[:16]),
        Cell(command(RunFiles(task.files.runs[run]).record)),
    ]


def command(file: Any) -> str:
    """Return the command that makes a file."""
    return f"snakemake --cores 1 -- {file}"


def revision(git: dict) -> str:
    """Name a git revision, and whether the files differed from it."""
    if not git["revision"]:
        return "unknown"
    return git["revision"][:10] + (", with changes" if git["dirty"] else "")


def reproduce(page: Page) -> dict[str, Any]:
    """Return the files behind the numbers, the runs, the recipe and the parameters."""
    tasks = [
        {
            "title": task.title,
            "runs": runs(task),
            "mlflow": f"MLflow experiment {task.files.experiment}, parent run "
            f"{states.named(_weights(task))}, which holds this report.",
        }
        for task in page.tasks
    ]
    return {
        "files": files([*page.tasks, *page.across]),
        "tasks": tasks,
        "recipe": recipe(page.tasks),
        "parameters": json.dumps(page.params, indent=2),
    }


def _weights(task: Task) -> dict[str, str]:
    return {run: record["weights_sha256"] for run, record in task.records.items()}


def _data_sets(page: Page) -> list[dict[str, Any]]:
    every: list[Task | Cross] = [*page.of_data_sets, *page.across]
    return [data(data_set) for data_set in every]


DATA = Section("data", "Data", content=_data_sets)
REJECTS = Section("rejects", "Rejects", content=lambda page: rejects(page.rejects))
REPRODUCE = Section("reproduce", "Reproduce", content=reproduce)
