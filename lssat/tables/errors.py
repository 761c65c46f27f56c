"""The one error that users see: which file, what is wrong with it, what to do."""

from pathlib import Path

from lssat.tables.addresses import shown


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
        listing = "\n  ".join(["", *unique])
        return cls(file, f"{len(unique)} {many}", f"Nothing was run{listing}")

    @classmethod
    def all_of(cls, errors: list["DataError"]) -> "DataError":
        """Join errors of several files into one message; the later ones are indented below."""
        first, *others = errors
        if not others:
            return first
        lines = str(cls.all_of(others)).removesuffix(".").replace("\n", "\n  ")
        return cls(first.file, first.problem, f"{first.fix}.\n  {lines}", first.line)
