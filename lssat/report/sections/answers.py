"""The paper's three questions, answered in words that follow from one family of tests.

Every sentence is decided by the same Holm correction over all pairs of backbones of all tasks, so
that the whole first screen is wrong in at most 5 % of worlds where nothing differs
(docs/statistics.md).
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

from lssat.evaluation.scores import comparisons
from lssat.metrics import statistics
from lssat.report.kit import words
from lssat.report.kit.results import Task
from lssat.report.sections import ranks
from lssat.tables.metric_tables import BackboneComparison, Difference, RankFamily

ROLE = "What is the backbone’s role?"
SUITS = "Which backbone suits which task?"
FOR_ALL = "Is there one for all?"
LISTED = 3  # names or pairs in a sentence; of more it counts
_NOTHING = "It cannot be said: no two backbones are compared."


class Verdict(NamedTuple):
    """A pair of backbones on a task, by their means over shared configurations."""

    task: str
    better: str  # by its mean; shown only where `shown`
    worse: str
    row: BackboneComparison
    shown: bool
    least: float | None  # what would have been shown in 80 % of repetitions, in this family

    @property
    def size(self) -> str:
        """The difference without its sign, and its interval."""
        return words.difference(self.row, 1 if (self.row["difference"] or 0) >= 0 else -1)


class Pairs:
    """The verdicts on all pairs of backbones of a task, or of all tasks."""

    def __init__(self, verdicts: list[Verdict]) -> None:
        self.known = [pair for pair in verdicts if pair.row["difference"] is not None]
        self.shown = [pair for pair in verdicts if pair.shown]
        arms = [arm["backbone"] for pair in verdicts for arm in (pair.row["a"], pair.row["b"])]
        self.backbones = list(dict.fromkeys(arms))
        beaten = {pair.worse for pair in self.shown}
        self.beaten = [name for name in self.backbones if name in beaten]
        self.unbeaten = [name for name in self.backbones if name not in beaten]

    @property
    def best(self) -> str | None:
        """The one backbone that is shown to be worse than no other, if it is one alone.

        On one task each other one is then shown to be worse than it, or than one that is.
        """
        return self.unbeaten[0] if len(self.unbeaten) == 1 else None

    @property
    def among(self) -> str:
        """What the shown differences are about, where few seeds were trained."""
        few = self.shown and words.few(_fewest_seeds(self.shown))
        return " among these trained models" if few else ""

    @property
    def scope(self) -> str:
        """The sentence that says so."""
        return f" {words.scope(_fewest_seeds(self.known))}".rstrip()

    @property
    def largest(self) -> Verdict:
        """The pair that differs most."""
        return max(self.known, key=lambda pair: abs(pair.row["difference"] or 0))

    @property
    def averaged(self) -> str:
        """Over how many configurations means are taken, where there are several."""
        over = max(pair.row["a"]["configurations"] for pair in self.known)
        return f"in the mean over {over} configurations" if over > 1 else ""


def _fewest_seeds(verdicts: list[Verdict]) -> int:
    return min(len(arm["seeds"]) for pair in verdicts for arm in (pair.row["a"], pair.row["b"]))


def verdicts(tasks: list[Task]) -> list[Verdict]:
    """Test every pair of backbones on every task as one family."""
    rows = [(task.name, row) for task in tasks for row in task.metrics["backbones"]]
    tests = sum(row["p"] is not None for _, row in rows)
    verdicts = []
    for (name, row), is_shown in zip(rows, shown([row for _, row in rows]), strict=True):
        better, worse = row["a"]["backbone"], row["b"]["backbone"]
        if row["difference"] is None or sign(row) * row["difference"] < 0:
            better, worse = worse, better
        verdicts.append(Verdict(name, better, worse, row, is_shown, _least(row, tests)))
    return verdicts


def shown(rows: Sequence[Difference]) -> list[bool]:
    """Say of each difference whether it is shown, with Holm's correction over all of them."""
    ps = [math.nan if row["p"] is None else row["p"] for row in rows]
    return [p < words.ALPHA for p in statistics.holm(ps)]


def sign(row: Difference) -> int:
    """Return -1 where less of the row's metric is better, else 1."""
    return -1 if words.lower_is_better(row["metric"]) else 1


def _least(row: BackboneComparison, tests: int) -> float | None:
    parts = row.get("parts")
    least = comparisons.least(statistics.Parts(*parts), tests) if parts else math.nan
    return None if math.isnan(least) else least


def answers(tasks: list[Task], families: list[RankFamily]) -> list[tuple[str, list[str]]]:
    """Return each question with the sentences of its answer; `families`: ranks over tasks."""
    over_all, by_task = _tested(tasks)
    return [
        (ROLE, [_role(task, by_task[task.name]) for task in tasks]),
        (SUITS, [_suits(task, by_task[task.name]) for task in tasks]),
        (FOR_ALL, [*_one_for_all(tasks, over_all, by_task), ranks.answer(families)]),
    ]


def brief(tasks: list[Task]) -> list[tuple[str, str]]:
    """Return each question with one sentence; the same tests decide it as the longer answers."""
    over_all, by_task = _tested(tasks)
    return [
        (ROLE, _brief_role(over_all, by_task)),
        (SUITS, _brief_suits(by_task)),
        (FOR_ALL, _one_for_all(tasks, over_all, by_task)[0]),
    ]


def _tested(tasks: list[Task]) -> tuple[Pairs, dict[str, Pairs]]:
    over_all = verdicts(tasks)
    of_task = {task.name: [pair for pair in over_all if pair.task == task.name] for task in tasks}
    return Pairs(over_all), {name: Pairs(pairs) for name, pairs in of_task.items()}


def _brief_role(over_all: Pairs, by_task: dict[str, Pairs]) -> str:
    if not over_all.known:
        return _NOTHING
    if not over_all.shown:
        largest = f"the largest difference, on {over_all.largest.task}, is {over_all.largest.size}"
        averaged = f" {over_all.averaged}".rstrip()
        return f"On no task are two backbones shown to differ{averaged}; {largest}.{over_all.scope}"
    parts = [f"on {name}, {_brief_pairs(of)}" for name, of in by_task.items() if of.shown]
    open_ = [name for name, of in by_task.items() if of.known and not of.shown]
    rest = f"; on {words.listing(open_)} no difference is shown" if open_ else ""
    return f"{words.capital(words.listing(parts))}{rest}.{over_all.scope}"


def _brief_pairs(of: Pairs) -> str:
    if len(of.shown) > LISTED:
        return f"{len(of.shown)} of {len(of.known)} pairs of backbones are shown to differ"
    return words.listing([f"{pair.better} beats {pair.worse} by {pair.size}" for pair in of.shown])


def _brief_suits(by_task: dict[str, Pairs]) -> str:
    """Say of each task which backbone is shown to be best, or among which it stays open."""
    tasks_of: dict[str, list[str]] = {}
    for name, pairs in by_task.items():
        tasks_of.setdefault(_brief_best(pairs), []).append(name)
    parts = [f"on {words.listing(names)}, {best}" for best, names in tasks_of.items()]
    return f"{words.capital('; '.join(parts))}."


def _brief_best(pairs: Pairs) -> str:
    if not pairs.backbones:
        return "no two backbones are compared"
    if pairs.best:
        return f"{pairs.best}{pairs.among}"
    if len(pairs.unbeaten) > LISTED:
        left = f"{len(pairs.unbeaten)} of {len(pairs.backbones)} backbones"
        return f"{left} cannot be told apart"
    return f"{words.listing(pairs.unbeaten)} cannot be told apart"


def _role(task: Task, pairs: Pairs) -> str:
    if not pairs.known:
        alone = len(task.backbones) < 2
        why = "one backbone, so nothing is compared" if alone else "no two can be compared"
        return f"{task.name}: {why}."
    if pairs.shown:
        return f"{task.name}: {_differ(pairs)}.{pairs.scope}"
    least, power = pairs.largest.least, ""
    if least is not None:
        power = (
            f"; of these means, a true difference of {words.possible(least)} would be shown with "
            "80 % power, with the correction over all tasks"
        )
    return (
        f"{task.name}: no difference between backbones is shown; the largest is "
        f"{pairs.largest.size}{power}.{pairs.scope}"
    )


def _differ(pairs: Pairs) -> str:
    verb = "is" if len(pairs.shown) == 1 else "are"
    of = words.count(len(pairs.known), "pair")
    which = f"{len(pairs.shown)} of {of} of backbones {verb} shown to differ"
    if len(pairs.known) == 1:
        which = "its two backbones are shown to differ"
    averaged = f", {pairs.averaged}" if pairs.averaged else ""
    gaps = [f"{pair.better} over {pair.worse} by {pair.size}" for pair in pairs.shown]
    return f"{which}{averaged}: {words.listing(gaps)}"


def _suits(task: Task, pairs: Pairs) -> str:
    if not pairs.backbones:
        return f"{task.name}: nothing is compared."
    if pairs.best:
        than = _others(len(pairs.backbones) - 1)
        text = f"{pairs.best}, shown to be better than {than}{pairs.among}"
    else:
        worse = words.listing(pairs.beaten)
        than = f"; shown to be worse{pairs.among}: {worse}" if worse else ""
        text = f"{words.listing(pairs.unbeaten)} cannot be told apart{than}"
    out = words.listing([name for name in task.backbones if name not in pairs.backbones])
    return f"{task.name}: {text}{f'; not compared: {out}' if out else ''}."


def _others(n: int) -> str:
    return "the other" if n == 1 else f"the {n} others"


def _one_for_all(tasks: list[Task], over_all: Pairs, by_task: dict[str, Pairs]) -> list[str]:
    names = over_all.backbones
    if not names:
        return [_NOTHING]
    on = "the one task" if len(tasks) == 1 else f"all {len(tasks)} tasks"
    than = _others(len(names) - 1)
    best = {of.best if set(of.backbones) == set(names) else None for of in by_task.values()}
    if len(best) == 1 and (name := best.pop()):
        out = any(name not in names for task in tasks for name in task.backbones)
        comparable = " that can be compared" if out else ""
        return [f"{name} is shown to be better than {than}{comparable} on {on}{over_all.among}."]
    first = f"No backbone is shown to be better than {than} on {on}"
    if not over_all.unbeaten:
        return [f"{first}.", f"Each is shown to be worse than another somewhere{over_all.among}."]
    if not over_all.beaten:
        return [f"{first}, and none to be worse than another anywhere."]
    unbeaten, beaten = over_all.unbeaten, over_all.beaten
    nowhere = f"{words.listing(unbeaten)} {_verb(unbeaten)} nowhere shown to be worse than another"
    somewhere = f"{words.listing(beaten)} {_verb(beaten)} somewhere{over_all.among}"
    return [f"{first}.", f"{nowhere}; {somewhere}."]


def _verb(names: list[str]) -> str:
    return "is" if len(names) == 1 else "are"
