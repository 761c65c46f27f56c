"""Does the auxiliary task help? One sentence, decided by one family of tests.

What is tested is each row with reconstruction against supervised training of the same backbone on
the same input, on each task; Holm's correction runs over all of them, so that the sentence is
wrong in at most 5 % of worlds where nothing differs (docs/statistics.md).
"""

from typing import NamedTuple

from lssat import grid
from lssat.report.kit import words
from lssat.report.kit.results import Task
from lssat.report.sections import answers
from lssat.tables.metric_tables import ComparedRow, Comparison

QUESTION = "Does the auxiliary task help?"


class Gain(NamedTuple):
    """What a row with the auxiliary task has over supervised training."""

    task: str
    with_it: ComparedRow
    row: Comparison
    sign: int  # of the comparison, times which above 0 is better with the auxiliary task
    shown: bool

    @property
    def size(self) -> float:
        """The difference; above 0 is better with the auxiliary task."""
        return self.sign * (self.row["difference"] or 0)

    @property
    def seeds(self) -> int:
        """The seeds of the side that has fewer."""
        return min(len(self.row["a"]["seeds"]), len(self.row["b"]["seeds"]))


def brief(tasks: list[Task]) -> tuple[str, str]:
    """Return the question and its answer."""
    tested = [gain for gain in gains(tasks) if gain.row["difference"] is not None]
    if not tested:
        return QUESTION, "It cannot be said: no row with it can be held against one without."
    shown = [gain for gain in tested if gain.shown]
    parts = []
    for verb, better in (("help", True), ("harm", False)):
        for name in dict.fromkeys(gain.task for gain in shown if (gain.size > 0) == better):
            of_task = [gain for gain in shown if gain.task == name and (gain.size > 0) == better]
            total = sum(gain.task == name for gain in tested)
            parts.append(f"on {name} it is shown to {verb}{_listed(of_task, total)}")
    if left := [gain for gain in tested if gain.task not in {gain.task for gain in shown}]:
        names = words.listing(list(dict.fromkeys(gain.task for gain in left)))
        largest = max(left, key=lambda gain: abs(gain.size))
        size = words.difference(largest.row, largest.sign)
        which = f"{_name(largest)} on {largest.task}"
        parts.append(f"on {names} no difference is shown, the largest, {which}, is {size}")
    about = f" {words.scope(min(gain.seeds for gain in tested))}".rstrip()
    return QUESTION, f"{words.capital('; '.join(parts))}.{about}"


def gains(tasks: list[Task]) -> list[Gain]:
    """Test every row with reconstruction against its supervised one, as one family."""
    pairs = [(task.name, *pair) for task in tasks for pair in _pairs(task)]
    shown = answers.shown([row for _, row, _ in pairs])
    return [
        Gain(
            name,
            row["a"] if a_has_it else row["b"],
            row,
            answers.sign(row) * (1 if a_has_it else -1),
            is_shown,
        )
        for (name, row, a_has_it), is_shown in zip(pairs, shown, strict=True)
    ]


def _pairs(task: Task) -> list[tuple[Comparison, bool]]:
    """Return the comparisons of a row with its supervised one, and whether it is the first."""
    pairs = []
    for row in task.metrics["comparisons"]:
        names = row["a"]["configuration"], row["b"]["configuration"]
        if row["compared"] == "configuration" and grid.EXTERNAL not in names:
            a, b = map(grid.parse, names)
            if bool(a.masked) != bool(b.masked) and a.classified == b.classified:
                pairs.append((row, bool(a.masked)))
    return pairs


def _listed(shown: list[Gain], total: int) -> str:
    """Name the rows of a task in which it is shown, or count them; of how many, if not of all."""
    count = f" in {len(shown)} of {words.count(total, 'row')}"
    if len(shown) > answers.LISTED:
        return count
    texts = []
    for gain in shown:
        size = words.difference(gain.row, gain.sign if gain.size > 0 else -gain.sign)
        texts.append(f"{_name(gain)} by {size}")
    return f"{count if len(shown) < total else ''}: {words.listing(texts)}"


def _name(gain: Gain) -> str:
    return f"{gain.with_it['configuration']} with {gain.with_it['backbone']}"
