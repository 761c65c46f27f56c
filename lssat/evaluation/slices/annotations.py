"""Reading a user's list of annotations: a CSV of ids, or of identities, and categories.

docs/slices.md explains the list to users. Everything stays text, so that `000003`, `NA` and `nan`
are ids and categories like any other; an empty field means that a sample is not annotated.
"""

from pathlib import Path
from typing import NamedTuple

import pyarrow as pa

from lssat.data.datasets import lists
from lssat.tables import DataError, spelling
from lssat.tables.analysis_tables import AnnotationList

KEYS = ("id", "identity")
_MOST = 20  # categories of an attribute: more of them are numbers, or free text
_SHOWN = 5


class Notes(NamedTuple):
    """A list as it was read."""

    file: Path
    key: str  # id | identity
    names: list[str]  # the attributes
    rows: dict[str, dict[str, str]]  # key -> attribute -> category
    repeated: int  # rows that repeat a row above


def read(file: Path) -> Notes:
    """Read a list.

    Raises:
        DataError: it is absent, has other columns than agreed, a row that is too short or too
            long, two rows of one id that differ, or an attribute with too many categories.
    """
    header = _header(file)
    key = next(name for name in KEYS if name in header)
    names = [name for name in header if name != key]
    rows: dict[str, dict[str, str]] = {}
    repeated, differ = 0, []
    for line, values in lists.csv(file, header, own=True):
        row = dict(zip(header, values, strict=True))
        who = row.pop(key)
        if not who:
            raise DataError(file, f"the {key} is empty", "Name the sample, or drop the row", line)
        if who not in rows:
            rows[who] = row
        elif rows[who] == row:
            repeated += 1
        else:
            differ.append((who, line))
    if differ:
        some = ", ".join(who for who, _ in differ[:_SHOWN])
        problem = f"{len(differ):,} rows repeat an {key} with other values: {some}"
        raise DataError(file, problem, "Keep the right row of each", differ[0][1])
    for name in names:
        _check_categories(file, name, [row[name] for row in rows.values()])
    return Notes(file, key, names, rows, repeated)


def _header(file: Path) -> list[str]:
    """Return the names of the columns after they were checked."""
    if not file.is_file():
        near = spelling.nearest(file)
        meant = f"Is it {near}? Else: " if near else ""
        fix = f"{meant}Put the list there, or correct slices.lists in params.yaml"
        raise DataError(file, "does not exist; it is a list of annotations", fix)
    number, text, header = lists.header(file, own=True)
    wanted = "Its columns are id (or identity) and one or more attributes, after commas"
    for name in lists.delimiters(text) if len(header) == 1 else ():
        raise DataError(file, f"is separated by {name}, not by commas", wanted, number)
    problems = [f"names {name!r} twice" for name in sorted({*header}) if header.count(name) > 1]
    if len({*KEYS} & {*header}) != 1:
        problems.append("has no column id or identity" if not {*KEYS} & {*header} else "has both")
    problems += ["has a column without a name"] * ("" in header)
    problems += ["has no attribute"] * (len(header) < 2)
    if problems:
        what = f"{'; '.join(problems)} (it begins with {text[:60]!r})"
        raise DataError(file, what, wanted, number)
    return header


def _check_categories(file: Path, name: str, values: list[str]) -> None:
    categories = sorted({value for value in values if value})
    if not categories:
        raise DataError(file, f"{name} is empty in every row", "Fill it in or drop the column")
    if len(categories) > _MOST:
        some = ", ".join(categories[:_SHOWN])
        problem = (
            f"{name} has {len(categories):,} categories ({some}, ...), at most {_MOST} make slices"
        )
        raise DataError(file, problem, "Write ranges or fewer classes, or drop the column")


def keys(samples: pa.Table, key: str) -> dict[str, str]:
    """Return id -> what the list calls the sample.

    By `identity` that is the first identity of the manifest: of a fake of FaceForensics++ the
    original that it was made on (its target), of CelebA the person's number.
    """
    ids = samples["id"].to_pylist()
    if key == "id":
        return {id: id for id in ids}
    first = [groups[0] if groups else "" for groups in samples["groups"].to_pylist()]
    return dict(zip(ids, first, strict=True))


def check(notes: Notes, keys: dict[str, str], ids: list[str]) -> None:
    """Stop if the list names no test sample at all: it is of other data.

    Raises:
        DataError: with the first names of both.
    """
    tested = dict.fromkeys(keys[id] for id in ids)
    if not any(name in notes.rows for name in tested):
        theirs, ours = (", ".join(list(names)[:3]) for names in (notes.rows, tested))
        other = next(name for name in KEYS if name != notes.key)
        problem = f"none of its {len(notes.rows):,} {notes.key} entries is of a test sample"
        problem += f" (it begins with {theirs}; the test samples with {ours})"
        fix = f"Write them as the manifest does, or call the column {other} if that is what it is"
        raise DataError(notes.file, problem, fix)


def counts(notes: Notes, keys: dict[str, str]) -> AnnotationList:
    """Count the list's rows: those that repeat another, those of no sample of the data set."""
    known = set(keys.values())
    return AnnotationList(
        file=str(notes.file),
        key=notes.key,
        entries=len(notes.rows),
        repeated=notes.repeated,
        unknown=sum(name not in known for name in notes.rows),
    )
