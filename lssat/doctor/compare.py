"""What a reader took from a tree, beside what the lists name and what the release holds."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any

from lssat.doctor.findings import Count, Inventory, Parts
from lssat.doctor.walk import Tree


def as_given(
    options: Any, asked: bool, tree: Tree, inventory: Inventory
) -> Iterator[tuple[str, Any]]:
    """Yield the options as the one reading of a release that has one form at a time."""
    yield "", options


def counts(
    name: str, rows: list[dict], rejects: list[dict], listed: Parts, official: Parts
) -> list[Count]:
    """Return a row per subset and split; a part that no list could be read of has no `listed`."""
    found = Counter((row["subset"], row["split"]) for row in rows)
    # Excluded on request: neither found nor missing.
    out = Counter(row["id"].split("/")[0] for row in rejects if row["reason"] == "excluded_class")
    table = []
    for part in dict.fromkeys([*official, *listed, *found]):
        subset, split = part
        what = f"{subset} {name}".strip() or "images"
        named = listed[part] - out[split] if part in listed else None
        lost = None if named is None else max(named - found[part], 0)
        seen = None if named is None and not found[part] else found[part]
        table.append(Count(what, split, official.get(part), named, seen, lost))
    return table


def losses(rejects: list[dict], severity: str, inventory: Inventory) -> None:
    """Write down what the reader rejected, by folder and reason."""
    groups: dict[tuple[str, str, str], list[str]] = defaultdict(list)
    for row in rejects:
        path = PurePosixPath(row["path"])
        detail = row["detail"] if row["reason"] != "missing" else _kind(row["detail"])
        groups[path.parent.as_posix(), row["reason"], detail].append(path.name)
    for (folder, reason, detail), names in sorted(groups.items()):
        n = f"{len(names):,} {'file' if len(names) == 1 else 'files'}"
        about = f" ({detail})" if detail else ""
        if reason == "missing":
            key = f"datasets.{inventory.dataset}.rejects_limit"
            it = "it" if len(names) == 1 else "them"
            fix = f"Fetch {it}, or do without the share that {key} allows"
            verb = "is" if len(names) == 1 else "are"
            inventory.add(severity, folder, f"{n} of the lists {verb} missing{about}", fix, names)
        elif reason == "excluded_class":
            inventory.add("note", folder, f"{n} excluded: {detail}", "Nothing to do", names)
        elif reason == "duplicate":
            fix = "Nothing to do; one row of each is used"
            inventory.add("warning", folder, f"{n} listed twice, with equal rows", fix, names)
        else:
            inventory.add(severity, folder, f"{n} not usable: {reason}{about}", "Mend them", names)


def _kind(detail: str) -> str:
    """Drop the file's own name from a detail, so that equal losses stand together."""
    words = detail.split()
    return " ".join(words[:-1]) if words and "." in words[-1] else detail


def identities(rows: list[dict], inventory: Inventory) -> None:
    """Write down who stands in two splits."""
    splits: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        for who in row["groups"]:
            splits[who].add(row["split"])
    if both := [who for who, where in splits.items() if len(where) > 1]:
        problem = f"{len(both):,} identities stand in more than one split"
        inventory.add("error", ".", problem, "Fetch the lists of the splits again", both)


def part_of_release(table: list[Count], inventory: Inventory) -> bool:
    """Compare the lists with the release; return whether they name fewer than it holds."""
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
    return bool(fewer)


def extras(
    rows: list[dict], rejects: list[dict], short: bool, tree: Tree, inventory: Inventory
) -> None:
    """Count and write down what lies beside the samples and is in no list.

    Next to lists that name fewer samples than the release, such files show that one was cut.
    """
    taken: dict[str, set[str]] = defaultdict(set)
    for row in [*rows, *rejects]:
        path = PurePosixPath(row["path"])
        taken[path.parent.as_posix()].add(path.name)
    suffixes = {PurePosixPath(row["path"]).suffix for row in rows}
    for folder, names in sorted(taken.items()):
        beside = tree.files[folder] | (tree.folders[folder] if "" in suffixes else set())
        more = {name for name in beside - names if PurePosixPath(name).suffix in suffixes}
        if not more:
            continue
        inventory.counts.append(Count(folder, "", None, None, None, None, len(more)))
        problem = f"{len(more):,} {'file is' if len(more) == 1 else 'files are'} in no list"
        if short:
            problem += ", and the lists name fewer samples than the release: a list was cut"
            inventory.add("error", folder, problem, "Fetch the lists again", more)
        else:
            inventory.add("note", folder, problem, "They are not used", more)
