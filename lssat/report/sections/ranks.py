"""Ranks over all tasks: is a backbone, or a configuration, better in general (Demsar 2006)?"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from lssat import metrics
from lssat.metrics import statistics
from lssat.report.kit import words
from lssat.report.kit.cells import Cell, Column, Table, num
from lssat.report.kit.figures import Figure, Plot
from lssat.report.kit.results import Task
from lssat.report.kit.svg import Axis, Trace

LEAD = (
    "Mean ranks over the tasks, by the headline metric’s mean over seeds and over the other "
    "factor; 1 is the best. A difference in general has tasks as its blocks: what is better on one "
    "task need not be on another. Friedman’s test asks whether any differ, its p-value from "
    "permutations within blocks; if so, two differ by Nemenyi’s test when their mean ranks are a "
    "critical difference apart. With few tasks little can be shown."
)
_OTHER = {"backbone": "configuration", "configuration": "backbone"}


class _Core(NamedTuple):
    """The part of the grid that is complete: each backbone in each configuration and task."""

    tasks: list[Task]
    backbones: list[str]
    configurations: list[str]
    left_out: list[str]


def families(tasks: list[Task]) -> list[dict[str, Any]]:
    """Rank backbones and configurations over blocks.

    Returns:
        a dict for what is `compared` (backbone, configuration) over `blocks` (always `task`,
        with the mean over the other factor): `n_blocks`, `block_names`, `treatments`,
        `mean_ranks`, `collapsed` (rows of each that collapsed), `rows` (of each), `statistic`,
        `p`, `p_permuted`, `cd`, `p_pairs`, `groups` (names that are not shown to differ: all
        where Friedman's test shows nothing), `note`; None where undefined.
    """
    core = _core(tasks)
    return [_family(core, compared) for compared in ("backbone", "configuration")]


def _core(tasks: list[Task]) -> _Core:
    cells = [
        (row["backbone"], row["configuration"])
        for task in tasks
        for row in task.trained
        if row["backbone"] not in _on_clips(tasks)
    ]
    backbones = _most([backbone for backbone, _ in cells])
    configurations = _most([name for backbone, name in cells if backbone in backbones])
    every = [name for task in tasks for name in (*task.backbones, *task.configurations)]
    known = {*backbones, *configurations}
    return _Core(
        tasks, backbones, configurations, [n for n in dict.fromkeys(every) if n not in known]
    )


def _on_clips(tasks: list[Task]) -> set[str]:
    """Return the backbones that read clips, if others read frames: they are never compared."""
    rows = [row for task in tasks for row in task.metrics["table"]]
    clips = {row["backbone"] for row in rows if row["level"] == "clip"}
    return clips if {row["backbone"] for row in rows} - clips else set()


def _most(names: list[str]) -> list[str]:
    """Return the names that occur most often, in their order."""
    counts = {name: names.count(name) for name in names}
    return [name for name, n in counts.items() if n == max(counts.values())]


def _family(core: _Core, compared: str) -> dict[str, Any]:
    treatments = core.backbones if compared == "backbone" else core.configurations
    others = core.configurations if compared == "backbone" else core.backbones
    rows = _rows(core, compared)
    blocks: dict[str, np.ndarray] = {}
    for task in core.tasks:
        values = np.array(
            [[_value(rows.get((task.name, t, o))) for t in treatments] for o in others]
        )
        blocks[task.name] = values.mean(axis=0)
    names = [name for name, block in blocks.items() if np.isfinite(block).all()]
    dropped = [name for name in blocks if name not in names]
    kept = np.array([blocks[name] for name in names]).reshape(len(names), len(treatments))
    test = statistics.friedman(kept)
    notes = [test.note] if test.note else []
    notes += [f"without {words.listing(dropped)}: undefined"] if dropped else []
    notes += [f"not in every task: {words.listing(core.left_out)}"] if core.left_out else []
    by_treatment = {
        t: [row for key, row in rows.items() if key[1] == t and key[2] in others]
        for t in treatments
    }
    return {
        **{"compared": compared, "blocks": "task"},
        **{"n_blocks": len(names), "block_names": names, "treatments": treatments},
        "mean_ranks": _plain(test.mean_ranks),
        "rows": [len(by_treatment[t]) for t in treatments],
        "collapsed": [sum(row["collapsed"] for row in by_treatment[t]) for t in treatments],
        **{
            name: _plain(getattr(test, name))
            for name in ("statistic", "p", "p_permuted", "cd", "p_pairs")
        },
        "groups": _groups(treatments, test),
        "note": "; ".join(notes) or None,
    }


def _groups(treatments: list[str], test: statistics.Ranked) -> list[list[str]]:
    if not np.isnan(test.p_permuted) and test.p_permuted >= words.ALPHA:
        return [[treatments[at] for at in np.argsort(test.mean_ranks, kind="stable")]]
    return [[treatments[at] for at in group] for group in test.groups]


def _rows(core: _Core, compared: str) -> dict[tuple[str, str, str], Mapping[str, Any]]:
    """Return the headline rows by task, treatment and the other factor."""
    rows: list[tuple[str, Mapping[str, Any]]]
    rows = [(task.name, row) for task in core.tasks for row in task.headline]
    return {(name, row[compared], row[_OTHER[compared]]): row for name, row in rows}


def _value(row: Mapping[str, Any] | None) -> float:
    if row is None or row["mean"] is None:
        return float("nan")
    return -row["mean"] if row["metric"] in metrics.LOWER_IS_BETTER else row["mean"]


def _plain(value: Any) -> Any:
    """Return numbers as valid JSON: None where undefined."""
    if isinstance(value, np.ndarray):
        return [_plain(item) for item in value]
    return float(value) if np.isfinite(value) else None


def section(families: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Describe each family: its test in words, its table, and a figure where there is a test."""
    return [
        {
            "title": f"{family['compared'].capitalize()}s over tasks",
            "said": said(family),
            "table": _table(family),
            "figure": _figure(family) if shown(family) else None,
        }
        for family in families
    ]


def shown(family: dict[str, Any]) -> bool:
    """Say whether Friedman's test shows that any differ, without which no two are."""
    return family["p_permuted"] is not None and family["p_permuted"] < words.ALPHA


def said(family: dict[str, Any]) -> str:
    """Say in a sentence what a family shows."""
    what, over = f"{family['compared'].capitalize()}s", words.count(family["n_blocks"], "task")
    if family["p"] is None:
        return f"{what} over {over}: {family['note']}."
    asymptotic = f"by the chi-square approximation p {_p(family['p'])}"
    numbers = f"Friedman’s test, p {_p(family['p_permuted'])} by permutation ({asymptotic})"
    if not shown(family):
        return f"{what} are not shown to differ in general, over {over}: {numbers}."
    apart = f"critical difference {words.number(family['cd'], 2)}"
    return f"{what} are not all alike over {over}: {numbers}; {apart}."


def _p(value: float) -> str:
    return "< 0.001" if value < 0.001 else f"= {words.number(value)}"


def answer(families: list[dict[str, Any]]) -> str:
    """Say for the first screen how backbones rank over tasks; their test stands further below."""
    family = next(family for family in families if family["compared"] == "backbone")
    ranks = dict(zip(family["treatments"], family["mean_ranks"], strict=True))
    known = sorted((rank, name) for name, rank in ranks.items() if rank is not None)
    if not known:
        return "Ranks over all tasks: no task in which every backbone has a number."
    listed = words.listing([f"{name} {words.number(rank, 2)}" for rank, name in known])
    tasks = words.count(family["n_blocks"], "task")
    tested = "Comparisons says" if family["p"] is not None else "there is no test of"
    return f"Mean ranks over {tasks}: {listed}; {tested} whether they differ in general."


def _table(family: dict[str, Any]) -> Table:
    columns = [
        Column(family["compared"].capitalize()),
        Column("Mean rank", "num", "1 is the best"),
        Column("Not shown to differ from", hint="Nemenyi’s test, 0.05"),
        Column("Tasks", "num"),
        Column("Flag"),
    ]
    rows = [_row(family, at) for at in _order(family)]
    notes = [family["note"]] if family["note"] else []
    place = f"ranks-{family['compared']}"
    caption = f"mean ranks of {family['compared']}s over tasks"
    return Table(place, caption, columns, rows, notes=notes)


def _order(family: dict[str, Any]) -> list[int]:
    ranks = family["mean_ranks"]
    return sorted(range(len(ranks)), key=lambda at: (ranks[at] is None, ranks[at]))


def _row(family: dict[str, Any], at: int) -> list[Cell]:
    name = family["treatments"][at]
    near = {other for group in family["groups"] if name in group for other in group} - {name}
    alike = [family for family in family["treatments"] if family in near]
    fallen, rows = family["collapsed"][at], family["rows"][at]
    text = f"{fallen} of {words.count(rows, 'row')} collapsed"
    return [
        Cell(name),
        num(family["mean_ranks"][at], 2),
        Cell(words.listing(alike) or "none" if family["p"] is not None else words.DASH),
        num(family["n_blocks"]),
        Cell(text, float(fallen), flag="bad") if fallen else Cell("", ""),
    ]


def _figure(family: dict[str, Any]) -> Figure:
    """Draw mean ranks with bars half a critical difference long: apart, two differ."""
    order = _order(family)[::-1]
    names = [family["treatments"][at] for at in order]
    means, half = [family["mean_ranks"][at] for at in order], family["cd"] / 2
    trace = Trace(
        *(means, names, 0),
        shape="circle",
        size=9,
        spans=[(mean - half, mean + half) for mean in means],
        along="x",
        hints=[f"{n}: mean rank {words.number(m, 2)}" for n, m in zip(names, means, strict=True)],
    )
    ranks = [(float(rank), f"{rank}") for rank in range(1, len(names) + 1)]
    x = Axis("mean rank, 1 is the best", ticks=ranks)
    title = f"Critical difference of {family['compared']}s over tasks"
    text = "; ".join(
        f"{family['treatments'][at]} {words.number(family['mean_ranks'][at], 2)}"
        for at in order[::-1]
    )
    summary = f"Mean ranks: {text}. {said(family)}"
    place = f"cd-{family['compared']}"
    n = f"n = {words.count(family['n_blocks'], 'task')}"
    caption = (
        f"Bars reach half a critical difference: where two overlap, no difference is shown; {n}."
    )
    return Figure(
        title,
        summary,
        [],
        [
            Plot(
                place,
                "mean ranks",
                [trace],
                x,
                Axis(names=names, grid=False),
                520,
                60 + 30 * len(names),
            )
        ],
        caption=caption,
    )
