"""What the audit found in a data set, and the choices behind its splits and crops."""

import json
from collections import Counter
from typing import Any

from lssat.data.audit.crops import FINDINGS
from lssat.report.kit import words
from lssat.report.kit.cells import Column, Table
from lssat.report.kit.results import Cross, Task
from lssat.tables import FACES, metadata, read_table

SHOWN = 200  # pairs written into the page; the tables of the audit have all

_WORDS = {
    "identity": "identities in two splits",
    "duplicate": "pairs of {} in two splits that share a crop",
    "duplicate_within": "pairs of {} in one split that share a crop",
}
_SELECTION = {"val": "the validation set", "train_holdout": "a part of train, held out"}


def findings(task: Task | Cross) -> dict[str, Any]:
    """Describe the findings: counts, and the pairs that a person should look at."""
    unit = f"{task.metrics['level']}s"
    known = task.audit["identities_known"]
    leaks = [kind for kind in _WORDS if known or kind != "identity"]
    counts = task.audit["findings"]
    rows: list[tuple[str, int, int | str]]
    rows = [(_WORDS[kind].format(unit), counts[kind], "") for kind in leaks]
    for pair in task.lookalikes["pairs"]:
        what = f"{unit} of {pair['split']} with a near-duplicate in {pair['other_split']}"
        rows.append((what, pair["samples"], pair["of"]))
    if isinstance(task, Cross):
        against = task.across
        seen = f"train or val of {against['task']}"
        shared, alike = f"pairs of {unit} that share a crop with", f"{unit} of test that look like"
        rows.append((f"{shared} {seen}", against["duplicate"], ""))
        rows.append((f"{alike} one of {seen}", against["near_duplicate"], against["of"]))
    columns = [
        Column("Looked for", value=0),
        Column("Found", "num", value=1),
        Column("Of", "num", value=2),
    ]
    bits, limit = task.lookalikes["near_distance"], task.lookalikes["near_limit"]
    notes = [
        f"Near-duplicate: perceptual hashes that differ in at most {bits} of 64 bits. They may be "
        f"copies or look-alikes; a share above {words.percent(limit)} stops the run."
    ]
    if not known:
        notes.insert(0, "The release tells no identities, so only copies could be looked for.")
    table = Table.of(f"audit-{task.name}", f"audit of {task.title}", columns, rows, notes=notes)
    return {"audit": table, "pairs": _pairs(task)}


def _pairs(task: Task | Cross) -> Table | None:
    """List the pairs, those of crops that are the same first."""
    rows = [row for file in task.files.findings for row in read_table(file, FINDINGS).to_pylist()]
    if not rows:
        return None
    bits = "of 64 in which the perceptual hashes differ; 0: the same crop"
    columns = [
        Column("Kind", value=lambda row: row["kind"].replace("_", " ")),
        Column("Split", value="split"),
        Column("Sample", "pre", value="id"),
        Column("Frame", "num", value="frame"),
        Column("Other split", value="other_split"),
        Column("Other sample", "pre", value="other_id"),
        Column("Other frame", "num", value="other_frame"),
        Column("Bits", "num", bits, "distance"),
    ]
    more = f"The first {SHOWN} of {len(rows):,}; the tables beside audit.parquet have all."
    notes = [more] if len(rows) > SHOWN else []
    title = f"pairs of {task.title}"
    return Table.of(f"pairs-{task.name}", title, columns, rows[:SHOWN], notes=notes)


def choices(task: Task | Cross) -> Table:
    """List what was chosen: selection, seed, hashes of the splits' ids, imbalance, detector."""
    summary = task.splits
    seed, unused, digests = summary["seed"], summary["unused"], summary["ids_sha256"]
    chosen = {
        "selection on": _SELECTION[summary["selection"]],
        "seed of the splits": "none: all splits are the release's" if seed is None else str(seed),
        "in no split": f"{words.count(unused['samples'], task.metrics['level'])}, "
        f"{words.count(unused['crops'], 'crop')}",
    }
    for name in ("train", "val", "test", "unused"):
        if name in digests:
            chosen[f"sha256 of the ids of {name}"] = digests[name]
    if isinstance(task, Task):  # others are only tested on
        chosen["class weights in the loss"] = _of_recipe(task, "class_weights")
        chosen["sampler"] = _of_recipe(task, "sampler")
    chosen |= {f"crops: {name}": value for name, value in _detector(task).items()}
    columns = [Column("Choice", value=0), Column("Value", "id", value=1)]
    title = f"choices behind {task.title}"
    return Table.of(f"choices-{task.name}", title, columns, chosen.items())


def _of_recipe(task: Task, key: str) -> str:
    """Say what the runs recorded of a key of their recipe, with the number of runs of each."""
    recipes = [record["params"]["train"] for record in task.records.values()]
    counts = Counter(recipe.get(key, "not recorded") for recipe in recipes)
    if len(counts) == 1:
        return str(next(iter(counts)))
    return words.listing([f"{value} ({words.count(n, 'run')})" for value, n in counts.items()])


def _detector(task: Task | Cross) -> dict[str, str]:
    """Return the settings in the headers of the crops' tables; shards may differ in some."""
    values: dict[str, dict[str, None]] = {}
    for _, table in task.files.faces:
        header = metadata(read_table(table, FACES))
        for key, value in json.loads(header.get("settings", "{}")).items():
            values.setdefault(key, {})[str(value)] = None
    return {key: words.listing(list(of_shards)) for key, of_shards in values.items()}
