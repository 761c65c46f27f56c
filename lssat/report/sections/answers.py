"""The paper's three questions, answered in words that follow from one family of tests.

Every sentence is decided by the same Holm correction over all pairs of backbones of all tasks, so
that the whole first screen is wrong in at most 5 % of worlds where nothing differs
(docs/statistics.md).
"""

import math
from typing import Any, NamedTuple

from lssat.evaluation.scores import comparisons
from lssat.metrics import statistics
from lssat.report.kit import words
from lssat.report.kit.results import Task
from lssat.report.sections import ranks
from lssat.tables.metric_tables import RankFamily

_LISTED = 3  # names or pairs in a sentence; of more it counts


class Verdict(NamedTuple):
    """A pair of backbones on a task, by their means over shared configurations."""

    task: str
    better: str  # by its mean; shown only where `shown`
    worse: str
    row: dict[str, Any]  # of metrics.json
    shown: bool
    least: float | None  # what would have been shown in 80 % of repetitions, in this family

    @property
    def seeds(self) -> int:
        """The seeds of the backbone that has fewer."""
        return min(len(self.row[arm]["seeds"]) for arm in "ab")


def answers(tasks: list[Task], families: list[RankFamily]) -> list[tuple[str, list[str]]]:
    """Return each question with the sentences of its answer; `families`: ranks over tasks."""
    tested = verdicts(tasks)
    return [
        ("What is the backbone’s role?", [_role(task, tested) for task in tasks]),
        ("Which backbone suits which task?", [_suits(task, tested) for task in tasks]),
        ("Is there one for all?", [*_one_for_all(tasks, tested), ranks.answer(families)]),
    ]


def brief(tasks: list[Task]) -> list[tuple[str, str]]:
    """Return each question with one sentence; the same tests decide it as the longer answers."""
    tested = verdicts(tasks)
    return [
        ("What is the backbone’s role?", _brief_role(tested)),
        ("Which backbone suits which task?", _brief_suits(tasks, tested)),
        ("Is there one for all?", _one_for_all(tasks, tested)[0]),
    ]


def _brief_role(tested: list[Verdict]) -> str:
    known = [verdict for verdict in tested if verdict.row["difference"] is not None]
    if not known:
        return "It cannot be said: no two backbones are compared."
    about = f" {words.scope(_seeds(known))}".rstrip()
    shown = [verdict for verdict in known if verdict.shown]
    if not shown:
        most = max(known, key=lambda verdict: abs(verdict.row["difference"]))
        largest = f"the largest difference, on {most.task}, is {_open(most)}"
        return f"On no task are two backbones shown to differ{_mean(known)}; {largest}.{about}"
    on = [f"on {name}, {_pairs_shown(of_task)}" for name, of_task in _by_task(shown).items()]
    without = [name for name in _by_task(known) if name not in _by_task(shown)]
    rest = f"; on {words.listing(without)} no difference is shown" if without else ""
    text = f"{words.listing(on)}{rest}.{about}"
    return text[0].upper() + text[1:]


def _by_task(tested: list[Verdict]) -> dict[str, list[Verdict]]:
    names = dict.fromkeys(verdict.task for verdict in tested)
    return {name: [verdict for verdict in tested if verdict.task == name] for name in names}


def _pairs_shown(of_task: list[Verdict]) -> str:
    if len(of_task) > _LISTED:
        return f"{len(of_task)} pairs of backbones are shown to differ"
    return words.listing(
        [f"{verdict.better} beats {verdict.worse} by {_gap(verdict)}" for verdict in of_task]
    )


def _brief_suits(tasks: list[Task], tested: list[Verdict]) -> str:
    """Say of each task which backbone is shown to be best, or among which it stays open."""
    parts: dict[str, list[str]] = {}
    for task in tasks:
        of_task = [verdict for verdict in tested if verdict.task == task.name]
        parts.setdefault(_suited(of_task), []).append(task.name)
    text = "; ".join(f"on {words.listing(names)}, {what}" for what, names in parts.items())
    return f"{text[0].upper()}{text[1:]}."


def _suited(of_task: list[Verdict]) -> str:
    if not of_task:
        return "no two backbones are compared"
    if best := _best(of_task):
        return f"{best}{_among([verdict for verdict in of_task if verdict.shown])}"
    beaten = {verdict.worse for verdict in of_task if verdict.shown}
    left = [name for name in _backbones(of_task) if name not in beaten]
    if len(left) > _LISTED:
        return f"{len(left)} of {len(_backbones(of_task))} backbones cannot be told apart"
    return f"{words.listing(left)} cannot be told apart"


def verdicts(tasks: list[Task]) -> list[Verdict]:
    """Test every pair of backbones on every task as one family."""
    rows = [(task.name, row) for task in tasks for row in task.metrics["backbones"]]
    ps = [float("nan") if row["p"] is None else row["p"] for _, row in rows]
    tests = sum(not math.isnan(p) for p in ps)
    tested = []
    for (name, row), p in zip(rows, statistics.holm(ps), strict=True):
        arms = [row[arm]["backbone"] for arm in "ab"]
        up = row["difference"] is not None and _sign(row) * row["difference"] >= 0
        better, worse = arms if up else arms[::-1]
        tested.append(Verdict(name, better, worse, row, p < words.ALPHA, _least(row, tests)))
    return tested


def _sign(row: dict[str, Any]) -> int:
    return -1 if words.lower_is_better(row["metric"]) else 1


def _least(row: dict[str, Any], tests: int) -> float | None:
    parts = row.get("parts")
    return comparisons.least(statistics.Parts(*parts), tests) if parts else None


def _role(task: Task, verdicts: list[Verdict]) -> str:
    of_task = [verdict for verdict in verdicts if verdict.task == task.name]
    known = [verdict for verdict in of_task if verdict.row["difference"] is not None]
    if not known:
        why = "one backbone, so nothing is compared"
        return f"{task.name}: {why if len(task.backbones) < 2 else 'no two can be compared'}."
    about = words.scope(_seeds(known))
    if shown := [verdict for verdict in known if verdict.shown]:
        return f"{task.name}: {_differ(shown, known)}. {about}".strip()
    most = max(known, key=lambda verdict: abs(verdict.row["difference"]))
    text = f"{task.name}: no difference between backbones is shown; the largest is {_open(most)}"
    could = (
        f"; of these means, a true difference of {words.number(most.least)} would be shown with "
        "80 % power, with the correction over all tasks"
    )
    return f"{text}{could if most.least is not None else ''}. {about}".strip()


def _differ(shown: list[Verdict], known: list[Verdict]) -> str:
    verb = "is" if len(shown) == 1 else "are"
    of = f"{len(shown)} of {words.count(len(known), 'pair')} of backbones {verb} shown to differ"
    if len(known) == 1:
        of = "its two backbones are shown to differ"
    gaps = words.listing(
        [f"{verdict.better} over {verdict.worse} by {_gap(verdict)}" for verdict in shown]
    )
    return f"{of}{_mean(known, ', ')}: {gaps}"


def _mean(known: list[Verdict], before: str = " ") -> str:
    """Say over how many configurations means are taken, where there are several."""
    over = max(verdict.row["a"]["configurations"] for verdict in known)
    return f"{before}in the mean over {over} configurations" if over > 1 else ""


def _seeds(verdicts: list[Verdict]) -> int:
    return min(verdict.seeds for verdict in verdicts)


def _gap(verdict: Verdict) -> str:
    low, high = sorted(_sign(verdict.row) * verdict.row[end] for end in ("low", "high"))
    if verdict.better != verdict.row["a"]["backbone"]:
        low, high = -high, -low
    size = words.number(abs(verdict.row["difference"]))
    return f"{size} [{words.number(low)}, {words.number(high)}]"


def _open(verdict: Verdict) -> str:
    """Write a difference that is not shown, without its sign, and its interval."""
    size = words.number(abs(verdict.row["difference"]))
    low, high = verdict.row["low"], verdict.row["high"]
    if low is None or high is None:
        return size
    if verdict.row["difference"] < 0:
        low, high = -high, -low
    return f"{size} [{words.number(low)}, {words.number(high)}]"


def _suits(task: Task, verdicts: list[Verdict]) -> str:
    of_task = [verdict for verdict in verdicts if verdict.task == task.name]
    if not of_task:
        return f"{task.name}: nothing is compared."
    shown = [verdict for verdict in of_task if verdict.shown]
    among = _among(shown)
    if best := _best(of_task):
        text = f"{best}, shown to be better than {_others(len(_backbones(of_task)) - 1)}{among}"
    else:
        beaten = {verdict.worse for verdict in shown}
        left = [name for name in _backbones(of_task) if name not in beaten]
        worse = [name for name in _backbones(of_task) if name in beaten]
        than = f"; shown to be worse{among}: {words.listing(worse)}" if worse else ""
        text = f"{words.listing(left)} cannot be told apart{than}"
    out = [name for name in task.backbones if name not in _backbones(of_task)]
    return f"{task.name}: {text}{f'; not compared: {words.listing(out)}' if out else ''}."


def _among(shown: list[Verdict]) -> str:
    return " among these trained models" if shown and words.few(_seeds(shown)) else ""


def _others(n: int) -> str:
    return "the other" if n == 1 else f"the {n} others"


def _backbones(verdicts: list[Verdict]) -> list[str]:
    return list(dict.fromkeys(verdict.row[arm]["backbone"] for verdict in verdicts for arm in "ab"))


def _best(of_task: list[Verdict]) -> str | None:
    """Return the one backbone of a task that is shown to be worse than no other.

    Each other one is then shown to be worse than it, or than one that is.
    """
    beaten = {verdict.worse for verdict in of_task if verdict.shown}
    left = [name for name in _backbones(of_task) if name not in beaten]
    return left[0] if len(left) == 1 else None


def _one_for_all(tasks: list[Task], verdicts: list[Verdict]) -> list[str]:
    every = _backbones(verdicts)
    if not every:
        return ["It cannot be said: no two backbones are compared."]
    on = "the one task" if len(tasks) == 1 else f"all {len(tasks)} tasks"
    shown = [verdict for verdict in verdicts if verdict.shown]
    of_tasks = [[verdict for verdict in verdicts if verdict.task == task.name] for task in tasks]
    best = {
        _best(of_task) if set(_backbones(of_task)) == set(every) else None for of_task in of_tasks
    }
    among = _among(shown)
    if len(best) == 1 and (name := best.pop()):
        out = any(name not in every for task in tasks for name in task.backbones)
        than = _others(len(every) - 1) + (" that can be compared" if out else "")
        return [f"{name} is shown to be better than {than} on {on}{among}."]
    first = f"No backbone is shown to be better than {_others(len(every) - 1)} on {on}"
    beaten = {verdict.worse for verdict in shown}
    never = [name for name in every if name not in beaten]
    if not never:
        return [f"{first}.", f"Each is shown to be worse than another somewhere{among}."]
    if len(never) == len(every):
        return [f"{first}, and none to be worse than another anywhere."]
    worse = [name for name in every if name in beaten]
    nowhere = f"{words.listing(never)} {_verb(never)} nowhere shown to be worse than another"
    return [f"{first}.", f"{nowhere}; {words.listing(worse)} {_verb(worse)} somewhere{among}."]


def _verb(names: list[str]) -> str:
    return "is" if len(names) == 1 else "are"
