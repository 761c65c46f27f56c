"""Is every finished result still there, on disk or in DVC's cache?"""

import ctypes
import hashlib
import os
from pathlib import Path

from lssat.tables.project import Project

HERE = Project()
FOLDERS = (HERE.runs.root, HERE.results.root, HERE.prepared)
# Pages with faces stay on the machine that made them, and a report of Snakemake's is the user's:
# DVC never touches nor keeps them.
_LOCAL = (f"{HERE.results.gallery.parent}/", f"{HERE.results.root}/snakemake.zip")
_CAP_DAC_OVERRIDE, _DROP = 1, 24  # prctl's PR_CAPBSET_DROP


def results(project: Path) -> dict[str, str]:
    """The md5 of every file of results, by its path."""
    return {
        name: hashlib.md5(file.read_bytes()).hexdigest()
        for folder in FOLDERS
        for file in sorted((project / folder).rglob("*"))
        if file.is_file() and not file.name.endswith(".tmp")
        if not (name := file.relative_to(project).as_posix()).startswith(_LOCAL)
    }


def lost(project: Path, before: dict[str, str]) -> list[str]:
    """The files whose content is neither on disk nor, whole, in DVC's cache."""
    there = set(results(project).values())
    gone = {name: digest for name, digest in before.items() if digest not in there}
    return [name for name, digest in gone.items() if not _cached(project, digest)]


def changed(project: Path, before: dict[str, str]) -> list[str]:
    """The files whose content is another now."""
    now = results(project)
    return [name for name, digest in before.items() if now.get(name) != digest]


def _cached(project: Path, digest: str) -> bool:
    file = project / ".dvc/cache/files/md5" / digest[:2] / digest[2:]
    return file.is_file() and hashlib.md5(file.read_bytes()).hexdigest() == digest


def as_an_ordinary_user() -> None:
    """In a child process before its program: may root pass over modes of files? No more."""
    if os.geteuid() == 0:
        assert ctypes.CDLL(None).prctl(_DROP, _CAP_DAC_OVERRIDE, 0, 0, 0) == 0


def twice(project: Path) -> int:
    """The bytes of results that the disk holds a second time in DVC's cache."""
    files = [(project / name).stat() for name in results(project)]
    return sum(known.st_size for known in files if known.st_nlink == 1)
