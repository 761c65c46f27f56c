"""The one error that users see: which file, what is wrong with it, what to do."""

from pathlib import Path


class DataError(Exception):
    """Input that cannot be used: ``file[:line]: what is wrong. what to do.``"""

    def __init__(self, file: str | Path, problem: str, fix: str, line: int | None = None):
        self.file, self.problem, self.fix, self.line = str(file), problem, fix, line
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
        """Join errors of different files into one, each on lines of its own."""
        *others, last = errors
        before = "".join(f"{error}\n" for error in others)
        if not before:
            return last
        return cls(f"{before}{last.file}", last.problem, last.fix, last.line)
