"""What the audit found in a data set, and the choices behind its splits and crops."""

import json
from collections import Counter
from typing import Any

from lssat.data.audit.crops import FINDINGS
from lssat.report.kit import words
from lssat.report.kit.cells import Cell, Column, Table, num
from lssat.report.kit.results import Cross, Task
from lssat.tables import FACES, metadata, read_table
from lssat.tables.data_tables import Across, SimilarPair

SHOWN = 200  # pairs written into the page; the tables of the audit have all

_WORDS = {
    "identity": "identities in two splits",
    "duplicate": "pairs of {} in two splits that share a crop",
    "duplicate_within": "pairs of {} in one split that share a crop",
}


def found(task: Task | Cross) -> dict[str, Any]:
    """Describe the findings: counts, and the pairs that a person should look at."""
    unit = f"{task.metrics['level']}s"
    leaks = _leaks(task).items()
    rows = [[Cell(_WORDS[kind].format(unit)), num(n), Cell("")] for kind, n in leaks]
    rows += [_pair(pair, unit) for pair in task.lookalikes["pairs"]]
    rows += _across(task.across, unit) if isinstance(task, Cross) else []
    columns = [Column("Looked for"), Column("Found", "num"), Column("Of", "num")]
    bits = task.lookalikes["near_distance"]
    notes = [
        f"Near-duplicate: perceptual hashes that differ in at most {bits} of 64 bits. They may be "
        "copies or look-alikes; a share above "
        f"{words.percent(task.lookalikes['near_limit'])} stops the run."
    ]
    if not task.audit["identities_known"]:
        notes.insert(0, "The release tells no identities, so only copies could be looked for.")
    table = Table(f"audit-{task.name}", f"audit of {task.title}", columns, rows, notes=notes)
    return {"audit": table, "pairs": _listed(task)}


def _leaks(task: Task | Cross) -> dict[str, int]:
    known = task.audit["identities_known"]
    counts = task.audit["findings"]
    return {kind: counts[kind] for kind in _WORDS if known or kind != "identity"}


def _pair(pair: SimilarPair, unit: str) -> list[Cell]:
    what = f"{unit} of {pair['split']} with a near-duplicate in {pair['other_split']}"
    return [Cell(what), num(pair["samples"]), num(pair["of"])]


def _across(against: Across, unit: str) -> list[list[Cell]]:
    """Make the rows of the audit against the training data of another data set."""
    seen = f"train or val of {against['task']}"
    pairs, alike = f"pairs of {unit} that share a crop with", f"{unit} of test that look like one"
    return [
        [Cell(f"{pairs} {seen}"), num(against["duplicate"]), Cell("")],
        [Cell(f"{alike} of {seen}"), num(against["near_duplicate"]), num(against["of"])],
    ]


def _listed(task: Task | Cross) -> Table | None:
    """List the pairs, those of crops that are the same first."""
    rows = [row for file in task.files.findings for row in read_table(file, FINDINGS).to_pylist()]
    if not rows:
        return None
    columns = [
        *(Column("Kind"), Column("Split"), Column("Sample", "pre"), Column("Frame", "num")),
        *(Column("Other split"), Column("Other sample", "pre"), Column("Other frame", "num")),
        Column("Bits", "num", "of 64 in which the perceptual hashes differ; 0: the same crop"),
    ]
    names = ("kind", "split", "id", "frame", "other_split", "other_id", "other_frame", "distance")
    cells = [
        [
            num(row[name]) if columns[i].kind == "num" else Cell(str(row[name]).replace("_", " "))
            for i, name in enumerate(names)
        ]
        for row in rows[:SHOWN]
    ]
    more = f"The first {SHOWN} of {len(rows):,}; the tables beside audit.parquet have all."
    notes = [more] if len(rows) > SHOWN else []
    return Table(f"pairs-{task.name}", f"pairs of {task.title}", columns, cells, notes=notes)


def choices(task: Task | Cross) -> Table:
    """List what was chosen: selection, seed, hashes of the splits' ids, imbalance, detector."""
    summary, pairs = task.splits, []
    pairs += [("selection on", _SELECTION[summary["selection"]])]
    pairs += [("seed of the splits", _seed(summary["seed"]))]
    unused = words.count(summary["unused"]["samples"], task.metrics["level"])
    pairs += [("in no split", f"{unused}, {words.count(summary['unused']['crops'], 'crop')}")]
    digests = summary["ids_sha256"]
    listed = [name for name in ("train", "val", "test", "unused") if name in digests]
    pairs += [(f"sha256 of the ids of {name}", digests[name]) for name in listed]
    if isinstance(task, Task):  # others are only tested on
        pairs += [(label, _trained(task, key)) for label, key in _IMBALANCE.items()]
    pairs += [(f"crops: {name}", value) for name, value in _detector(task)]
    rows = [[Cell(name), Cell(value)] for name, value in pairs]
    columns = [Column("Choice"), Column("Value", "id")]
    return Table(f"choices-{task.name}", f"choices behind {task.title}", columns, rows)


_SELECTION = {"val": "the validation set", "train_holdout": "a part of train, held out"}
_IMBALANCE = {"class weights in the loss": "class_weights", "sampler": "sampler"}


def _seed(seed: int | None) -> str:
    return "none: all splits are the release's" if seed is None else str(seed)


def _trained(task: Task, key: str) -> str:
    """Say what the runs recorded of a key of their recipe, with the number of runs of each."""
    values = [
        record["params"]["train"].get(key, "not recorded") for record in task.records.values()
    ]
    counts = Counter(values)
    shown = [f"{value} ({words.count(n, 'run')})" for value, n in counts.items()]
    return words.listing(shown) if len(counts) > 1 else str(values[0])


def _detector(task: Task | Cross) -> list[tuple[str, str]]:
    """Return the settings in the headers of the crops' tables; shards may differ in some."""
    values: dict[str, dict[str, None]] = {}
    for _, table in task.files.faces:
        header = metadata(read_table(table, FACES))
        for key, value in json.loads(header.get("settings", "{}")).items():
            values.setdefault(key, {})[str(value)] = None
    return [(key, words.listing(list(each))) for key, each in values.items()]
