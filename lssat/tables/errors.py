"""The one error that users see: which file, what is wrong with it, what to do."""

import errno
import os
from pathlib import Path

from lssat.tables.s3_addresses import shown

_LACKS = "lacks it, as Lustre does locks: mount it with them (-o flock), or move the project"
_SYSTEM = {  # what a machine refuses, whoever asks: what to do
    errno.ENAMETOOLONG: "Give it a shorter name: 255 bytes, 4,095 with its folders",
    errno.ENOTDIR: "One of the folders on the way to it is a file: correct the path",
    errno.EISDIR: "Name a file, or remove the folder",
    errno.ELOOP: "Its links lead round in a circle: put the file itself there",
    errno.EACCES: "Ask its owner for permission, or correct its mode (chmod)",
    errno.EPERM: "Ask its owner for permission, or correct its mode (chmod)",
    errno.EROFS: "Choose a folder that can be written",
    errno.ENOSPC: "Free space, or choose another folder",
    errno.EDQUOT: "Free space, or have the quota raised",
    errno.EIO: "The disk fails: look at the system's log (dmesg), and copy what can be read",
    errno.ESTALE: "The network's file system has lost it: try again, or mount it anew",
    errno.EMFILE: "Let a process open more files (ulimit -n)",
    errno.ENFILE: "The machine has too many open files: close other programs",
    errno.ENOLCK: "Its file system keeps no locks: start its lock service, or move the project",
    errno.ENOSYS: f"Its file system {_LACKS}",
    errno.EOPNOTSUPP: f"Its file system {_LACKS}",
    errno.ENOMEM: "Free memory, or run fewer jobs at a time (--cores)",
}
_NAMED = {errno.ENOTDIR, errno.EISDIR, errno.EACCES, errno.EPERM}  # mean nothing without a name
_LONG = 200  # characters of a path that a message shows


def refused(error: OSError) -> "DataError | None":
    """Return the message of what the system refuses, where no reader nearer to it has a better.

    None of errors that tell of a mistake of ours: they keep their traceback.
    """
    fix = _SYSTEM.get(error.errno or 0)
    if fix is None or (error.filename is None and error.errno in _NAMED):
        return None
    file = os.fsdecode(error.filename) if isinstance(error.filename, str | bytes) else os.getcwd()
    file = file if len(file) <= _LONG else f"{file[:_LONG]}..."
    return DataError(file, f"the system says: {os.strerror(error.errno or 0)}", fix)


def denied(path: str | Path) -> "DataError":
    """Return the error of a file or folder that may not be read; it names the owner."""
    try:
        owner = f"owner: uid {Path(path).stat().st_uid}"
    except OSError:
        owner = "its folder is closed too"
    return DataError(path, f"cannot be read ({owner})", "Ask the owner for permission to read it")


class DataError(Exception):
    """Input that cannot be used: ``file[:line]: what is wrong. what to do.``"""

    def __init__(self, file: str | Path, problem: str, fix: str, line: int | None = None):
        file, problem, fix = shown(str(file)), shown(problem), shown(fix)
        self.file, self.problem, self.fix, self.line = file, problem, fix, line
        where = f"{file}:{line}" if line is not None else f"{file}"
        super().__init__(f"{where}: {problem}. {fix}.")

    @classmethod
    def of(cls, file: str | Path, problems: list[str]) -> "DataError":
        """Gather several problems (each a line `file:line: what. what to do.`) into one error."""
        unique = list(dict.fromkeys(problems))
        many = "problem" if len(unique) == 1 else "problems"
        listing = "\n  ".join(["", *unique]).removesuffix(".")
        return cls(file, f"{len(unique)} {many}", f"Nothing was run{listing}")

    @classmethod
    def all_of(cls, errors: list["DataError"]) -> "DataError":
        """Join errors of several files into one message; the later ones are indented below."""
        first, *others = errors
        if not others:
            return first
        lines = str(cls.all_of(others)).removesuffix(".").replace("\n", "\n  ")
        return cls(first.file, first.problem, f"{first.fix}.\n  {lines}", first.line)
