"""The samples of a tree beside those of its lists and of the release."""

from collections import Counter, defaultdict
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa

from lssat import params
from lssat.data import datasets
from lssat.data.datasets import checks
from lssat.data.datasets.limit import limit
from lssat.data.doctor.findings import Count, Inventory, Parts, by_folder
from lssat.tables import MANIFEST
from lssat.tables.listed_counts import count
from lssat.tables.rows import RejectRow, SampleRow

_MEANT = "is it "  # before the file that was probably meant by a missing one


def counts(
    name: str, rows: list[SampleRow], rejects: list[RejectRow], listed: Parts, official: Parts
) -> list[Count]:
    """Return a row per subset and split; `listed` is None where no list could be read."""
    read = Counter((row["subset"], row["split"]) for row in rows)
    # Excluded on request: neither found nor missing.
    out = Counter(row["id"].split("/")[0] for row in rejects if row["reason"] == "excluded_class")
    table = []
    for part in dict.fromkeys([*official, *listed, *read]):
        subset, split = part
        title = f"{subset} {name}".strip() or "samples"
        named = listed[part] - out[split] if part in listed else None
        lost = None if named is None else max(named - read[part], 0)
        seen = None if named is None and not read[part] else read[part]
        table.append(Count(title, split, official.get(part), named, seen, lost))
    return table


def losses(rejects: list[RejectRow], severity: str, partial: bool, inventory: Inventory) -> None:
    """Record the reader's rejects by reason and folder; a part may lack files."""
    groups: dict[tuple[str, str], list[str]] = defaultdict(list)
    first: dict[tuple[str, str], str] = {}
    for row in rejects:
        reason, detail = row["reason"], row["detail"]
        # Details name a file or a box and differ from row to row: the first is shown.
        first_words = " ".join(detail.split(_MEANT)[0].strip("; ").split()[:2])
        kind = {"excluded_class": detail, "missing": first_words}.get(reason, "")
        groups[reason, kind].append(row["path"])
        first.setdefault((reason, kind), detail)
    for (reason, kind), paths in sorted(groups.items()):
        for folder, names in by_folder(paths).items():
            about = kind or first[reason, kind]
            if reason == "missing" and _MEANT in first[reason, kind]:
                about = f"{names[0]}: {first[reason, kind]}"
            grade = "part" if partial and reason == "missing" else severity
            level, problem, fix = _loss(reason, about, len(names), grade, inventory.dataset)
            inventory.add(level, folder or ".", problem, fix, names)


def _loss(reason: str, about: str, n: int, severity: str, dataset: str) -> tuple[str, str, str]:
    """Return severity, problem and fix of samples rejected for one reason."""
    files = f"{n:,} {'file' if n == 1 else 'files'}"
    detail = f" ({about})" if about else ""
    if reason == "missing":
        it, verb = ("it", "is") if n == 1 else ("them", "are")
        problem = f"{files} of the lists {verb} missing{detail}"
        if severity == "part":
            return "note", problem, f"Right for a part (datasets.{dataset}.partial: true)"
        mend = f"Rename {it}, or fetch {it}" if _MEANT in about else f"Fetch {it}"
        fix = f"{mend}, or do without the share that datasets.{dataset}.rejects_limit allows"
        part = f"if a part is all that you have, write datasets.{dataset}.partial: true"
        return severity, problem, f"{fix}; {part}"
    if reason == "excluded_class":
        return "note", f"{files} excluded: {about}", "Nothing to do"
    if reason == "duplicate":
        fix = "Nothing to do; one row of each is used"
        return "warning", f"{files} listed twice, with equal rows", fix
    fix = f"Mend it, or do without the share that datasets.{dataset}.rejects_limit allows"
    return severity, f"{files} not usable: {reason}{detail}", fix


def identities(rows: list[SampleRow], inventory: Inventory) -> None:
    """Record the identities that are in two splits."""
    splits: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        for who in row["groups"]:
            splits[who].add(row["split"])
    if both := [who for who, where in splits.items() if len(where) > 1]:
        problem = f"identities in more than one split: {len(both):,}"
        inventory.add("error", ".", problem, "Fetch the lists of the splits again", both)


def needs(
    options: params.Dataset,
    rows: list[SampleRow],
    rejects: list[RejectRow],
    unread: set[str],
    lacking: Callable | None,
    inventory: Inventory,
) -> None:
    """Record how many listed samples exist, and what the splits lack.

    Args:
        rows, rejects: of the reading that params.yaml uses.
        unread: paths of what cannot be read, as far as it was looked at.
    """
    named = count(rows, rejects)
    inventory.named = len(rows), sum(named.values())
    if lacking is None:
        return
    kept = [row for row in limit(rows, options.limit) if row["path"] not in unread]
    samples = pa.Table.from_pylist(kept, schema=MANIFEST)
    task = datasets.task(inventory.dataset, options)
    if problem := lacking(inventory.dataset, samples, named, task, options):
        inventory.add("error", ".", *problem)


def part_of_release(table: list[Count], inventory: Inventory) -> None:
    """Compare the lists with the release: do they name fewer than it holds, or more?"""
    fewer: list[str] = []
    more: list[str] = []
    for row in table:
        named = row.found if row.listed is None else row.listed
        if row.official is not None and named is not None and named != row.official:
            text = f"{row.part} {row.split} {named:,} of {row.official:,}"
            (fewer if named < row.official else more).append(text)
    for severity, rows, word in (("note", fewer, "fewer"), ("warning", more, "more")):
        if rows:
            some = ", ".join(rows[:3]) + (" and others" if len(rows) > 3 else "")
            problem = f"the lists name {word} samples than the release has: {some}"
            fix = {
                "fewer": "Right for a part of the release; else fetch the lists again",
                "more": "Are they another release's?",
            }[word]
            inventory.add(severity, ".", problem, fix)


def extras(
    rows: list[SampleRow], rejects: list[RejectRow], short: bool, root: Path, inventory: Inventory
) -> None:
    """Count and record the unlisted files beside the samples.

    Next to lists that name fewer samples than the release, such files show that one was cut.
    """
    more = checks.extras(root, rows, rejects)
    cut = short and len(more) > checks.missing(rejects)
    for folder, extra in by_folder(more).items():
        n = len(extra)
        inventory.counts.append(Count(folder or ".", "", None, None, None, None, n))
        problem = f"{n:,} {'file is' if n == 1 else 'files are'} in no list"
        severity, fix = "note", "Not used" if n == 1 else "They are not used"
        if cut:
            problem += checks.CUT
            severity, fix = "error", checks.ways_out(inventory.dataset)
        inventory.add(severity, folder or ".", problem, fix, extra)
