"""The paper's three questions, answered in words that follow from the tests and nothing else."""

from collections import defaultdict
from typing import Any

from lssat.report import ranks, words
from lssat.report.read import Task


def answers(tasks: list[Task], families: list[dict[str, Any]]) -> list[tuple[str, list[str]]]:
    """Return each question with the sentences of its answer; `families`: ranks over tasks."""
    return [
        ("What is the backbone’s role?", list(map(_role, tasks))),
        ("Which backbone suits which task?", list(map(_suits, tasks))),
        ("Is there one for all?", [*_one_for_all(tasks), ranks.answer(families)]),
    ]


def _role(task: Task) -> str:
    pairs = [row for row in task.metrics["comparisons"] if row["compared"] == "backbone"]
    if not pairs:
        return f"{task.name}: one backbone, so nothing is compared."
    shown = [row for row in pairs if words.differs(row)]
    of_all = f"{words.count(len(pairs), 'pair')} of backbones under one configuration"
    if not shown:
        return f"{task.name}: none of {of_all} is shown to differ."
    most = max(shown, key=lambda row: abs(row["difference"]))
    better, worse = (most["a"], most["b"]) if most["difference"] > 0 else (most["b"], most["a"])
    gap = words.number(abs(most["difference"]))
    least = f"at most by {gap} ({better['backbone']} over {worse['backbone']})"
    return f"{task.name}: {len(shown)} of {of_all} differ, {least}."


def _shares(task: Task) -> dict[str, float]:
    """Return the probability that a backbone holds the first rank with one of its rows."""
    shares: dict[str, float] = defaultdict(float)
    for row in task.metrics["ranked_first"]:
        shares[row["backbone"]] += row["probability"]
    return dict(shares)


def _suits(task: Task) -> str:
    shares = _shares(task)
    if not shares:
        return f"{task.name}: undefined, no row has finite scores."
    best = max(shares, key=lambda name: shares[name])
    first = f"{task.name}: {best} ranks first in {words.percent(shares[best])} of the resamples"
    won, of_all = _won(task, best)
    if not of_all:
        return f"{first}."
    pairs = words.count(of_all, "pair")
    return f"{first}; {won} of its {pairs} with another backbone {_show(won)} it to be better."


def _show(count: int) -> str:
    return "shows" if count == 1 else "show"


def _won(task: Task, name: str) -> tuple[int, int]:
    """Count the pairs in which a backbone is shown to be better, and all of its pairs."""
    pairs = [row for row in task.metrics["comparisons"] if row["compared"] == "backbone"]
    mine = [row for row in pairs if name in (row["a"]["backbone"], row["b"]["backbone"])]
    shown = [row for row in mine if words.differs(row)]
    better = [row["a" if row["difference"] > 0 else "b"]["backbone"] for row in shown]
    return better.count(name), len(mine)


def _one_for_all(tasks: list[Task]) -> list[str]:
    leading = {
        task.name: max(shares, key=lambda name: shares[name])
        for task in tasks
        if (shares := _shares(task))
    }
    if not leading:
        return ["It cannot be said: no task has a row with finite scores."]
    beaten = _beaten(tasks)
    every = list(dict.fromkeys(name for task in tasks for name in task.backbones))
    never = [name for name in every if name not in beaten]
    if len(set(leading.values())) == 1:
        name = next(iter(leading.values()))
        first = f"{name} ranks first most often on {_all(len(leading))}."
    else:
        led = [f"{name} on {task}" for task, name in leading.items()]
        first = f"No backbone ranks first most often on {_all(len(leading))}: {words.listing(led)}."
    if not never:
        return [first, "Each backbone is shown to be worse than another somewhere."]
    verb = "is" if len(never) == 1 else "are"
    return [first, f"{words.listing(never)} {verb} nowhere shown to be worse than another."]


def _all(count: int) -> str:
    return "the one task" if count == 1 else f"all {count} tasks"


def _beaten(tasks: list[Task]) -> set[str]:
    """Return the backbones that are shown to be worse than another one on some task."""
    found = set()
    for task in tasks:
        for row in task.metrics["comparisons"]:
            if row["compared"] == "backbone" and words.differs(row):
                found.add((row["b"] if row["difference"] > 0 else row["a"])["backbone"])
    return found
