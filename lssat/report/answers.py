"""The paper's three questions, answered in words that follow from one family of tests.

Every sentence is decided by the same Holm correction over all pairs of backbones of all tasks, so
that the whole first screen is wrong in at most 5 % of worlds where nothing differs
(docs/statistics.md).
"""

from typing import Any, NamedTuple

from lssat import statistics
from lssat.report import ranks, words
from lssat.report.read import Task

_ENOUGH = 3  # seeds from which a sentence is about backbones, not about trained models


class Verdict(NamedTuple):
    """A pair of backbones on a task, by their means over shared configurations."""

    task: str
    better: str  # by its mean; shown only where `shown`
    worse: str
    row: dict[str, Any]  # of metrics.json
    shown: bool


def answers(tasks: list[Task], families: list[dict[str, Any]]) -> list[tuple[str, list[str]]]:
    """Return each question with the sentences of its answer; `families`: ranks over tasks."""
    found = verdicts(tasks)
    return [
        ("What is the backbone’s role?", [_role(task, found) for task in tasks]),
        ("Which backbone suits which task?", [_suits(task, found) for task in tasks]),
        ("Is there one for all?", [*_one_for_all(tasks, found), ranks.answer(families)]),
    ]


def verdicts(tasks: list[Task]) -> list[Verdict]:
    """Test every pair of backbones on every task as one family."""
    rows = [(task.name, row) for task in tasks for row in task.metrics["backbones"]]
    ps = [float("nan") if row["p"] is None else row["p"] for _, row in rows]
    found = []
    for (name, row), p in zip(rows, statistics.holm(ps), strict=True):
        arms = [row[arm]["backbone"] for arm in "ab"]
        up = row["difference"] is not None and _sign(row) * row["difference"] >= 0
        better, worse = arms if up else arms[::-1]
        found.append(Verdict(name, better, worse, row, p < words.ALPHA))
    return found


def _sign(row: dict[str, Any]) -> int:
    return -1 if words.lower_is_better(row["metric"]) else 1


def _role(task: Task, verdicts: list[Verdict]) -> str:
    mine = [each for each in verdicts if each.task == task.name]
    if not mine:
        why = "one backbone, so nothing is compared"
        return f"{task.name}: {why if len(task.backbones) < 2 else 'no two can be compared'}."
    shown = [each for each in mine if each.shown]
    if shown:
        gaps = words.listing([f"{each.better} over {each.worse} by {_gap(each)}" for each in shown])
        told = f"{task.name}: {len(shown)} of {words.count(len(mine), 'pair')} of backbones differ"
        return f"{told}, in the mean over their configurations: {gaps}.{_scope(mine)}"
    most = max(mine, key=lambda each: abs(each.row["difference"] or 0))
    text = f"{task.name}: no difference between backbones is shown; the largest is {_gap(most)}"
    least = most.row["least"]
    could = f"; one of {words.number(least)} would have been in 80 % of repetitions"
    return f"{text}{could if least is not None else ''}.{_scope(mine)}"


def _gap(each: Verdict) -> str:
    row = each.row
    if row["low"] is None:
        return f"{words.number(abs(row['difference']))}"
    ends = sorted((abs(row["low"]), abs(row["high"])))
    if row["low"] < 0 < row["high"]:
        size = max(abs(row["low"]), abs(row["high"]))
        return f"{words.number(abs(row['difference']))} (it may be up to {words.number(size)})"
    low, high = (words.number(end) for end in ends)
    return f"{words.number(abs(row['difference']))} [{low}, {high}]"


def _scope(mine: list[Verdict]) -> str:
    """Say what too few seeds leave the sentence to be about."""
    seeds = min(len(each.row[arm]["seeds"]) for each in mine for arm in "ab")
    if seeds >= _ENOUGH:
        return ""
    return f" With {words.count(seeds, 'seed')} this is about these trained models."


def _suits(task: Task, verdicts: list[Verdict]) -> str:
    mine = [each for each in verdicts if each.task == task.name]
    if not mine:
        return f"{task.name}: nothing is compared."
    names = _backbones(mine)
    beaten = {each.worse for each in mine if each.shown}
    left = [name for name in names if name not in beaten]
    if len(left) == 1:
        return f"{task.name}: {left[0]}, shown to be better than every other."
    than = f" (not {words.listing(sorted(beaten))})" if beaten else ""
    return f"{task.name}: {words.listing(left)} cannot be told apart{than}."


def _backbones(verdicts: list[Verdict]) -> list[str]:
    return list(dict.fromkeys(each.row[arm]["backbone"] for each in verdicts for arm in "ab"))


def _one_for_all(tasks: list[Task], verdicts: list[Verdict]) -> list[str]:
    every = list(
        dict.fromkeys(row[arm]["backbone"] for _, _, _, row, _ in verdicts for arm in "ab")
    )
    if not every:
        return ["It cannot be said: no two backbones are compared."]
    on = "the one task" if len(tasks) == 1 else f"all {len(tasks)} tasks"
    for name in every:
        pairs = [each for each in verdicts if name in (each.better, each.worse)]
        won = {(each.task, each.worse) for each in pairs if each.shown and each.better == name}
        if len(won) == len(tasks) * (len(every) - 1):
            return [f"{name} is shown to be better than every other on {on}."]
    first = f"No backbone is shown to be better than every other on {on}."
    beaten = {each.worse for each in verdicts if each.shown}
    never = [name for name in every if name not in beaten]
    if not never:
        return [first, "Each backbone is shown to be worse than another somewhere."]
    verb = "is" if len(never) == 1 else "are"
    return [first, f"{words.listing(never)} {verb} nowhere shown to be worse than another."]
