"""The doctor's results: counts beside the official ones, and findings."""

import os
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from lssat.data.datasets.tree import Samples
from lssat.tables import DataError, s3_addresses

SEVERITIES = ("error", "warning", "note")
Parts = dict[tuple[str, str], int]  # (subset, split) -> samples
FOLDERS = 8  # with the same problem that are listed one by one
EXAMPLES = 5  # of the files that share a finding


def by_folder(paths: Iterable[str]) -> dict[str, list[str]]:
    """Group paths by folder, sorted; many folders become the one that they share."""
    folders: dict[str, list[str]] = defaultdict(list)
    ordered = sorted(paths)
    for path in ordered:
        folder, _, name = path.rpartition("/")
        folders[folder].append(name)
    if len(folders) <= FOLDERS:
        return dict(folders)
    common = os.path.commonpath(folders) if "" not in folders else ""
    return {common: [path.removeprefix(f"{common}/") for path in ordered]}


@dataclass(frozen=True)
class Finding:
    """A problem of one path: what is wrong, with the value, and what to do.

    error: samples would be lost or damaged, or the reader refuses the tree. warning: worth a look.
    note: a fact, such as a part of the release that is not there.
    """

    severity: str
    path: str
    problem: str
    fix: str
    count: int = 1  # files that it is about
    examples: tuple[str, ...] = ()


@dataclass(frozen=True)
class Count:
    """Samples of one part of a release and one split; None: not known or not applicable."""

    part: str
    split: str  # "": in no list
    official: int | None
    listed: int | None
    found: int | None
    missing: int | None = None
    extra: int | None = None


class Seen(Samples):
    """Listed samples found by name alone; they replace the rows of a reader that refused."""

    def __init__(self) -> None:
        super().__init__(dataset="", media="")

    def see(self, path: str, subset: str, split: str, there: bool, detail: str = "") -> None:
        """Add a listed sample; `detail` says what is missing if it is absent."""
        self.add(there, "", path, [], split, (), group=path, subset=subset, detail=detail)

    def listed(self) -> Parts:
        """Count the samples that the lists name; empty where none could be read."""
        return Counter((row["subset"], row["split"]) for row in [*self.rows, *self.rejects])


@dataclass
class Inventory:
    """One tree and what was found in it."""

    dataset: str
    root: str
    deep: bool = False
    own: bool = False  # data of a user's own, which nobody can fetch again
    files: int = 0  # in the tree
    read: int = 0  # of which the first bytes were read, or, with deep, all of them
    counts: list[Count] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    faulty: set[str] = field(default_factory=set)  # files that an error is about, each named once
    named: tuple[int, int] | None = None  # samples that are there, and that the lists name

    def add(
        self, severity: str, path: str, problem: str, fix: str, files: Iterable[str] = ()
    ) -> None:
        """Record a finding; `files` are those that it is about, some of which are shown."""
        names = sorted(files)
        examples = tuple(names[:EXAMPLES])
        self.findings.append(Finding(severity, path, problem, fix, len(names) or 1, examples))

    def refused(self, error: DataError) -> None:
        """Record a reader's error, unless there is one about this file already."""
        path = self.relative(error.file)
        if path not in self.faulty:
            where = f"{path}:{error.line}" if error.line else path
            self.add("error", where, error.problem, error.fix)
            self.faulty.add(path)

    def attempt(self, read: Callable, *args: Any) -> Any:
        """Return the result of `read`, or None if it raised a DataError, which is recorded."""
        try:
            return read(*args)
        except DataError as error:
            self.refused(error)
            return None

    def relative(self, path: str) -> str:
        """Return a path relative to the root; "." is the root."""
        path = s3_addresses.shown(path)
        inside = Path(path).is_relative_to(self.root)
        return Path(path).relative_to(self.root).as_posix() if inside else path

    def number(self, severity: str) -> int:
        """Return how many findings are of this severity."""
        return sum(finding.severity == severity for finding in self.findings)

    @property
    def verdict(self) -> str:
        """`wrong` (there are errors), `part` (consistent, smaller than the release) or `whole`."""
        if self.number("error"):
            return "wrong"
        if self.named and self.named[0] < self.named[1]:
            return "part"
        comparable = [row for row in self.counts if row.official is not None]
        return (
            "whole"
            if comparable and all(row.official in (row.found, row.listed) for row in comparable)
            else "part"
        )

    def as_json(self) -> dict[str, Any]:
        """Return all of it as plain values."""
        values = asdict(self)
        del values["faulty"], values["own"]
        return {"verdict": self.verdict, **values}
