"""Nobody stands in two splits."""

from pathlib import Path

from lssat.tables.errors import DataError

UNUSED = "unused"  # the split of samples that are left out
_SHOWN = 5


def check_groups(groups: list[list[str]], names: list[str], file: Path) -> None:
    """Prove that no identity stands in two splits; a fake video counts for both of its own.

    Args:
        groups: the identities of each sample.
        names: its split; "" where none is chosen yet, and `UNUSED` count as none.

    Raises:
        DataError: with the first identities and the two splits of each.
    """
    first: dict[str, str] = {}
    twice = {}
    for identities, split in zip(groups, names, strict=True):
        for identity in identities if split not in ("", UNUSED) else ():
            if first.setdefault(identity, split) != split:
                twice[identity] = f"{identity} ({first[identity]} and {split})"
    if twice:
        some = ", ".join(twice[key] for key in sorted(twice)[:_SHOWN])
        problem = f"{len(twice):,} identities stand in two splits: {some}"
        raise DataError(file, problem, "Correct the lists of the splits; scores would be leaked")
