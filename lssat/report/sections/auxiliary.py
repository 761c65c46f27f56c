"""Does the auxiliary task help? One sentence, decided by one family of tests.

What is tested is each row with reconstruction against supervised training of the same backbone on
the same input, on each task; Holm's correction runs over all of them, so that the sentence is
wrong in at most 5 % of worlds where nothing differs (docs/statistics.md).
"""

import math
from typing import Any, NamedTuple

from lssat import grid
from lssat.metrics import statistics
from lssat.report.kit import words
from lssat.report.kit.results import Task

QUESTION = "Does the auxiliary task help?"
_LISTED = 3  # rows in a sentence; of more it counts


class Gain(NamedTuple):
    """What a row with the auxiliary task has over supervised training; above 0 is better."""

    task: str
    backbone: str
    configuration: str
    size: float | None
    low: float | None
    high: float | None
    seeds: int
    shown: bool


def brief(tasks: list[Task]) -> tuple[str, str]:
    """Return the question and its answer."""
    tested = [gain for gain in gains(tasks) if gain.size is not None]
    if not tested:
        return QUESTION, "It cannot be said: no row was run both with it and without."
    parts = []
    for verb, sign in (("help", 1), ("harm", -1)):
        shown = [gain for gain in tested if gain.shown and sign * (gain.size or 0) > 0]
        for name in dict.fromkeys(gain.task for gain in shown):
            of_task = [gain for gain in shown if gain.task == name]
            parts.append(f"on {name} it is shown to {verb}{_listed(of_task)}")
    decided = {gain.task for gain in tested if gain.shown}
    left = [gain for gain in tested if gain.task not in decided]
    if left:
        names = words.listing(list(dict.fromkeys(gain.task for gain in left)))
        most = max(left, key=lambda gain: abs(gain.size or 0))
        largest = f"the largest is {words.number(most.size)}{_most(most)}"
        parts.append(f"on {names} no difference is shown, {largest}")
    about = f" {words.scope(min(gain.seeds for gain in tested))}".rstrip()
    text = "; ".join(parts)
    return QUESTION, f"{text[0].upper()}{text[1:]}.{about}"


def gains(tasks: list[Task]) -> list[Gain]:
    """Test every row with reconstruction against its supervised one, as one family."""
    rows = [(task.name, *pair) for task in tasks for pair in _pairs(task)]
    ps = [math.nan if row["p"] is None else row["p"] for _, row, _ in rows]
    tested = []
    for (task, row, own), p in zip(rows, statistics.holm(ps), strict=True):
        sign = (1 if own == "a" else -1) * (-1 if words.lower_is_better(row["metric"]) else 1)
        size, *ends = (
            None if row[key] is None else sign * row[key] for key in ("difference", "low", "high")
        )
        low, high = ends if sign > 0 else ends[::-1]
        seeds = min(len(row[arm]["seeds"]) for arm in "ab")
        names = row[own]["backbone"], row[own]["configuration"]
        tested.append(Gain(task, *names, size, low, high, seeds, p < words.ALPHA))
    return tested


def _pairs(task: Task) -> list[tuple[dict[str, Any], str]]:
    """Return the comparisons of a row with its supervised one, each with the former's side."""
    tested = []
    for row in task.metrics["comparisons"]:
        if row["compared"] != "configuration":
            continue
        parsed = {arm: _parsed(row[arm]["configuration"]) for arm in "ab"}
        for own, other in ("ab", "ba"):
            one, two = parsed[own], parsed[other]
            if one and two and one.masked and not two.masked and one.classified == two.classified:
                tested.append((row, own))
    return tested


def _parsed(text: str) -> grid.Configuration | None:
    try:
        return grid.parse(text)
    except ValueError:  # of another program
        return None


def _listed(shown: list[Gain]) -> str:
    if len(shown) > _LISTED:
        return f", in {len(shown)} rows"
    texts = [
        f"{one.configuration} with {one.backbone} by {words.number(abs(one.size or 0))}{_span(one)}"
        for one in shown
    ]
    return f": {words.listing(texts)}"


def _span(one: Gain) -> str:
    if one.low is None or one.high is None:
        return ""
    low, high = sorted((abs(one.low), abs(one.high)))
    return f" [{words.number(low)}, {words.number(high)}]"


def _most(one: Gain) -> str:
    if one.low is None or one.high is None:
        return ""
    return f" [{words.number(one.low)}, {words.number(one.high)}]"
