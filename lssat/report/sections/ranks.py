"""Ranks over all tasks: is a backbone, or a configuration, better in general (Demsar 2006)?"""

from typing import Any, NamedTuple

import numpy as np

from lssat import metrics
from lssat.metrics import statistics
from lssat.report.kit import words
from lssat.report.kit.cells import Cell, Column, Table, num
from lssat.report.kit.figures import Figure, Plot
from lssat.report.kit.results import Task
from lssat.report.kit.svg import Axis, Trace
from lssat.tables import Row
from lssat.tables.metric_tables import RankFamily

LEAD = (
    "Mean ranks over the tasks, by the headline metric’s mean over seeds and over the other "
    "factor; 1 is the best. A difference in general has tasks as its blocks: what is better on one "
    "task need not be on another. Friedman’s test asks whether any differ, its p-value from "
    "permutations within blocks; if so, two differ by Nemenyi’s test when their mean ranks are a "
    "critical difference apart. With few tasks little can be shown."
)


class _Core(NamedTuple):
    """The part of the grid that is complete: each backbone in each configuration and task."""

    tasks: list[Task]
    backbones: list[str]
    configurations: list[str]
    left_out: list[str]


def families(tasks: list[Task]) -> list[RankFamily]:
    """Rank backbones and configurations over blocks."""
    core = _core(tasks)
    return [_family(core, compared) for compared in ("backbone", "configuration")]


def _core(tasks: list[Task]) -> _Core:
    on_clips = _on_clips(tasks)
    cells = [
        words.pair(row) for task in tasks for row in task.trained if row["backbone"] not in on_clips
    ]
    backbones = _most([backbone for backbone, _ in cells])
    configurations = _most([name for backbone, name in cells if backbone in backbones])
    names = dict.fromkeys(n for task in tasks for n in (*task.backbones, *task.configurations))
    left_out = [name for name in names if name not in (*backbones, *configurations)]
    return _Core(tasks, backbones, configurations, left_out)


def _on_clips(tasks: list[Task]) -> set[str]:
    """Return the backbones that read clips, if others read frames: they are never compared."""
    rows = [row for task in tasks for row in task.metrics["table"]]
    clips = {row["backbone"] for row in rows if row["level"] == "clip"}
    return clips if {row["backbone"] for row in rows} - clips else set()


def _most(names: list[str]) -> list[str]:
    """Return the names that occur most often, in their order."""
    counts = {name: names.count(name) for name in names}
    return [name for name, n in counts.items() if n == max(counts.values())]


def _family(core: _Core, compared: str) -> RankFamily:
    sides = core.backbones, core.configurations
    treatments, others = sides if compared == "backbone" else sides[::-1]
    rows = _rows(core, compared)
    blocks: dict[str, np.ndarray] = {}
    for task in core.tasks:
        values = [[_value(rows.get((task.name, t, o))) for t in treatments] for o in others]
        blocks[task.name] = np.array(values).mean(axis=0)
    names = [name for name, block in blocks.items() if np.isfinite(block).all()]
    dropped = [name for name in blocks if name not in names]
    kept = np.array([blocks[name] for name in names]).reshape(len(names), len(treatments))
    test = statistics.friedman(kept)
    notes = [test.note] if test.note else []
    notes += [f"without {words.listing(dropped)}: undefined"] if dropped else []
    notes += [f"not in every task: {words.listing(core.left_out)}"] if core.left_out else []
    by_treatment = [
        [row for key, row in rows.items() if key[1] == treatment and key[2] in others]
        for treatment in treatments
    ]
    return {
        "compared": compared,
        "blocks": "task",
        "n_blocks": len(names),
        "block_names": names,
        "treatments": treatments,
        "mean_ranks": _plain(test.mean_ranks),
        "rows": [len(rows) for rows in by_treatment],
        "collapsed": [sum(row["collapsed"] for row in rows) for rows in by_treatment],
        "statistic": _plain(test.statistic),
        "p": _plain(test.p),
        "p_permuted": _plain(test.p_permuted),
        "cd": _plain(test.cd),
        "p_pairs": _plain(test.p_pairs),
        "groups": _groups(treatments, test),
        "note": "; ".join(notes) or None,
    }


def _groups(treatments: list[str], test: statistics.Ranked) -> list[list[str]]:
    if not np.isnan(test.p_permuted) and test.p_permuted >= words.ALPHA:
        return [[treatments[at] for at in np.argsort(test.mean_ranks, kind="stable")]]
    return [[treatments[at] for at in group] for group in test.groups]


def _rows(core: _Core, compared: str) -> dict[tuple[str, str, str], Row]:
    """Return the headline rows by task, treatment and the other factor."""
    rows = {}
    for task in core.tasks:
        for row in task.headline:
            treatment, other = words.pair(row)
            if compared == "configuration":
                treatment, other = other, treatment
            rows[task.name, treatment, other] = row
    return rows


def _value(row: Row | None) -> float:
    if row is None or row["mean"] is None:
        return float("nan")
    return -row["mean"] if row["metric"] in metrics.LOWER_IS_BETTER else row["mean"]


def _plain(value: Any) -> Any:
    """Return numbers as valid JSON: None where undefined."""
    if isinstance(value, np.ndarray):
        return [_plain(item) for item in value]
    return float(value) if np.isfinite(value) else None


def section(families: list[RankFamily]) -> list[dict[str, Any]]:
    """Describe each family: its test in words, its table, and a figure where there is a test."""
    return [
        {
            "title": f"{family['compared'].capitalize()}s over tasks",
            "said": said(family),
            "table": _table(family),
            "figure": _figure(family, family["cd"]) if shown(family) and family["cd"] else None,
        }
        for family in families
    ]


def shown(family: RankFamily) -> bool:
    """Say whether Friedman's test shows that any differ, without which no two are."""
    return family["p_permuted"] is not None and family["p_permuted"] < words.ALPHA


def said(family: RankFamily) -> str:
    """Say in a sentence what a family shows."""
    what, over = f"{family['compared'].capitalize()}s", words.count(family["n_blocks"], "task")
    if family["p"] is None or family["p_permuted"] is None:
        return f"{what} over {over}: {family['note']}."
    asymptotic = f"by the chi-square approximation {words.p_is(family['p'])}"
    permuted = words.p_is(family["p_permuted"])
    numbers = f"Friedman’s test, {permuted} by permutation ({asymptotic})"
    if not shown(family):
        return f"{what} are not shown to differ in general, over {over}: {numbers}."
    apart = f"critical difference {words.number(family['cd'], 2)}"
    return f"{what} are not all alike over {over}: {numbers}; {apart}."


def answer(families: list[RankFamily]) -> str:
    """Say for the first screen how backbones rank over tasks; their test stands further below."""
    family = next(family for family in families if family["compared"] == "backbone")
    listed = [_ranked(family, at) for at in _order(family) if family["mean_ranks"][at] is not None]
    if not listed:
        return "Ranks over all tasks: no task in which every backbone has a number."
    tasks = words.count(family["n_blocks"], "task")
    tested = "Comparisons says" if family["p"] is not None else "there is no test of"
    ranks = words.listing(listed)
    return f"Mean ranks over {tasks}: {ranks}; {tested} whether they differ in general."


def _ranked(family: RankFamily, at: int) -> str:
    return f"{family['treatments'][at]} {words.number(family['mean_ranks'][at], 2)}"


def _order(family: RankFamily) -> list[int]:
    """Return the places of the treatments, best first; of equals by their names."""
    ranks, names = family["mean_ranks"], family["treatments"]
    return sorted(range(len(ranks)), key=lambda at: (ranks[at] is None, ranks[at], names[at]))


def _table(family: RankFamily) -> Table:
    def near(at: int) -> str:
        if family["p"] is None:
            return words.DASH
        name = family["treatments"][at]
        alike = {other for group in family["groups"] if name in group for other in group}
        return words.listing([n for n in family["treatments"] if n in alike - {name}]) or "none"

    def flag(at: int) -> Cell:
        collapsed, rows = family["collapsed"][at], family["rows"][at]
        text = f"{collapsed} of {words.count(rows, 'row')} collapsed"
        return Cell(text, float(collapsed), flag="bad") if collapsed else Cell("", "")

    columns = [
        Column(family["compared"].capitalize(), value=lambda at: family["treatments"][at]),
        Column("Mean rank", "num", "1 is the best", lambda at: num(family["mean_ranks"][at], 2)),
        Column("Not shown to differ from", hint="Nemenyi’s test, 0.05", value=near),
        Column("Tasks", "num", value=lambda at: family["n_blocks"]),
        Column("Flag", value=flag),
    ]
    # without a test the note is the sentence above the table
    notes = [family["note"]] if family["note"] and family["p"] is not None else []
    caption = f"mean ranks of {family['compared']}s over tasks"
    return Table.of(f"ranks-{family['compared']}", caption, columns, _order(family), notes=notes)


def _figure(family: RankFamily, cd: float) -> Figure:
    """Draw mean ranks with bars half a critical difference long: apart, two differ."""
    compared, best_first = family["compared"], _order(family)
    order = best_first[::-1]
    names = [family["treatments"][at] for at in order]
    means = [family["mean_ranks"][at] or 0.0 for at in order]
    trace = Trace(
        *(means, names, 0),
        shape="circle",
        size=9,
        spans=[(mean - cd / 2, mean + cd / 2) for mean in means],
        along="x",
        hints=[f"{n}: mean rank {words.number(m, 2)}" for n, m in zip(names, means, strict=True)],
    )
    ranks = [(float(rank), f"{rank}") for rank in range(1, len(names) + 1)]
    x, y = Axis("mean rank, 1 is the best", ticks=ranks), Axis(names=names, grid=False)
    plot = Plot(f"cd-{compared}", "mean ranks", [trace], x, y, 520, 60 + 30 * len(names))
    return Figure(
        f"Critical difference of {compared}s over tasks",
        f"Mean ranks: {'; '.join(_ranked(family, at) for at in best_first)}. {said(family)}",
        [],
        [plot],
        caption="Bars reach half a critical difference: where two overlap, no difference is "
        f"shown; n = {words.count(family['n_blocks'], 'task')}.",
    )
