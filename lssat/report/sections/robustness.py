"""Robustness: curves against strength, mean corruption scores, one crop under each perturbation."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from lssat.data import shards
from lssat.evaluation import perturb
from lssat.report.kit import columns, traces, words
from lssat.report.kit.cells import ROW, Cell, Column, Table, flag_of, measured, num, share
from lssat.report.kit.figures import Figure, Key, Plot
from lssat.report.kit.pictures import COLOURS, Pair, Picture, gapped, picture, tile
from lssat.report.kit.results import Task
from lssat.report.kit.section import Page, Part, Section
from lssat.report.kit.svg import SHAPES, Axis, Trace
from lssat.tables import FACES
from lssat.tables.analysis_tables import (
    Perturbation,
    RecodedScore,
    Robustness,
    RobustnessRow,
    Score,
)

LEAD = (
    "The headline metric on test crops that were perturbed in seven ways at five strengths "
    "(DeeperForensics-1.0; JPEG at the qualities of ImageNet-C), texture computed from the "
    "perturbed crop; docs/robustness.md has the formulas. Nothing was selected by these numbers."
)
_SHIFT = 0.06  # of a step of strength, between the marks of two configurations
_SURVIVES = "share of what clean has above the baseline, of all samples re-encoded alike"


def content(page: Page) -> dict[str, Any]:
    """Return one crop under each perturbation, if any may be shown, and a part for each task.

    Raises:
        DataError: the crop's shard is damaged.
    """
    names = list(_kinds(page.tasks).values())
    shown = strip([task for task in page.tasks if page.place(task) == "report"])
    return {"names": names, "strip": shown, "parts": [_part(task) for task in page.tasks]}


def _part(task: Task) -> Part:
    folded = [("Table of perturbations", table(task))]
    return Part(task.title, figures=[curves(task)], folded=folded, lead=lead(task))


def _kinds(tasks: Sequence[Task]) -> dict[str, str]:
    kinds = (kind for task in tasks for kind in task.robustness["perturbations"])
    return {kind["name"]: kind["title"] for kind in kinds}


def lead(task: Task) -> str:
    """Say how much of the test split was scored, and what the intervals cover."""
    scores = task.robustness
    parts = [f"{n:,} of {of:,} {name}s" for name, (n, of) in scores["samples"].items()]
    runs = "every seed" if scores["seeds"] == "all" else "the first seed of each row"
    return (
        f"{words.capital(words.measure(task.metrics))} of {words.listing(parts)} of the test "
        f"split, in whole groups, {runs}. The {words.confidence(scores)} covers "
        f"{words.covers(scores['rows'])}. {survives(task)}"
    ).strip()


def table(task: Task) -> Table:
    """Make the table of mean corruption scores: a row per backbone x configuration."""
    scores = task.robustness
    kinds = scores["perturbations"]
    points = len(kinds) * len(scores["strengths"])

    def of_clean(cell: Callable[[RobustnessRow], Cell]) -> Callable[[RobustnessRow], Cell]:
        return lambda row: cell(row) if _is_above(row, scores["metric"]) else Cell(words.DASH)

    def column(kind: Perturbation) -> Column:
        def cell(row: RobustnessRow) -> Cell:
            return measured(next(k for k in row["kinds"] if k["perturbation"] == kind["name"]))

        return Column(kind["title"], "num", "mean over the strengths", cell)

    return Table.of(
        f"robustness-{task.name}",
        f"robustness of {task.title}, {words.metric(scores['metric'])}",
        [
            *ROW,
            Column("Clean", "num", "on the same samples, unperturbed",
                   lambda row: measured(row["clean"])),
            Column("Mean corruption", "num", f"mean over {points} perturbations and strengths",
                   lambda row: measured(row["corrupted"])),
            Column("Drop", "num", "clean minus mean corruption, paired", _drop),
            Column("Retained", "num", "share of what clean has above the baseline",
                   of_clean(lambda row: share(row["corrupted"]["retained"]))),
            Column("Re-encoded alike", "num", _how(scores), lambda row: measured(row["recoded"])),
            Column("Survives", "num", _SURVIVES, of_clean(lambda row: _survives(row["recoded"]))),
            *map(column, kinds),
            columns.BASELINE,
            columns.SEEDS,
            Column("n", "num", value="n"),
            flag_of(task),
        ],
        scores["rows"],
        notes=[f"{words.name(row)}: {note}" for note, row in _notes(scores)],
    )  # fmt: skip


def _notes(scores: Robustness) -> Iterator[tuple[str, RobustnessRow]]:
    """Yield what there is to say of rows: first of all what is missing, then why."""
    rows = scores["rows"]
    for row in rows:
        if not _is_above(row, scores["metric"]):
            yield (
                "its clean interval is not wholly better than the baseline, so no share is given",
                row,
            )
    yield from (
        (f"retained: {row['corrupted']['retained_note']}", row)
        for row in rows
        if row["corrupted"]["retained_note"]
    )
    yield from (
        (f"survives: {row['recoded']['survives_note']}", row)
        for row in rows
        if row["recoded"]["survives_note"]
    )
    yield from ((row["corrupted"]["note"], row) for row in rows if row["corrupted"]["note"])


def _how(scores: Robustness) -> str:
    how = scores["recoded"]
    return f"all crops reduced to {how['scale']:g}, enlarged, JPEG {how['quality']}"


def survives(task: Task) -> str:
    """Say how much of the best score survives where all classes are re-encoded alike."""
    scores = task.robustness
    known = [
        {**row, "mean": row["clean"]["mean"]}
        for row in scores["rows"]
        if row["recoded"]["survives"] is not None and _is_above(row, scores["metric"])
    ]
    best: Any = words.best(known)
    if best is None:
        return ""
    had, left = (
        words.number(score["mean"] - best["baseline"]) for score in (best, best["recoded"])
    )
    survived = _survives(best["recoded"])
    return (
        f"After re-encoding all classes alike ({_how(scores)}), {left} of the {had} that "
        f"{words.name(best)} has above the trivial baseline survives: "
        f"{f'{survived.text} {survived.small}'.strip()}."
    )


def _survives(recoded: RecodedScore) -> Cell:
    low, high = recoded["survives_low"], recoded["survives_high"]
    ends = "" if low is None else f"[{words.percent(low)}, {words.percent(high)}]"
    return share(recoded["survives"], ends)


def _drop(row: RobustnessRow) -> Cell:
    drop = row["corrupted"]
    ends = {"low": drop["drop_low"], "high": drop["drop_high"]}
    return num(drop["drop"], small=words.interval(ends))


def _is_above(row: RobustnessRow, metric: str) -> bool:
    """Say whether the clean score's interval is better than the baseline: else no share is told."""
    clean, lower = row["clean"], words.lower_is_better(metric)
    end, baseline = clean["high"] if lower else clean["low"], row["baseline"]
    if end is None or baseline is None:
        return False
    return end < baseline if lower else end > baseline


def curves(task: Task) -> Figure:
    """Draw a panel for each perturbation, of the backbone that is chosen: metric by strength."""
    scores = task.robustness
    scale = _scale(scores["rows"])
    tested = {row["backbone"] for row in scores["rows"]}
    best_first = dict.fromkeys(row["backbone"] for row in task.best_first)
    plots = [
        _curves(task, backbone, kind, scale)
        for backbone in best_first
        if backbone in tested
        for kind in scores["perturbations"]
    ]
    keys = [
        Key(name, number, shape=SHAPES[number % len(SHAPES)])
        for number, name in enumerate(task.configurations)
    ]
    means = [
        f"{words.name(row)}: mean {words.number(row['corrupted']['mean'])} "
        f"{words.interval(row['corrupted'])}"
        for row in scores["rows"]
    ]
    title = f"{words.capital(words.measure(task.metrics))} by strength"
    what = "means over seeds" if scores["seeds"] == "all" else "the first seed of each row"
    sizes = dict.fromkeys((row["n"], row["groups"]) for row in scores["rows"])
    n = words.listing([words.sized(n, task.metrics["level"], groups) for n, groups in sizes])
    caption = (
        f"{title}, {what}, with intervals; strength 0 is the unperturbed crop, the dotted "
        f"line the trivial baseline. All panels of the task have one scale; {n}."
    )
    summary = f"Mean corruption score, {'; '.join(means)}."
    return Figure(title, summary, keys, plots, "Backbone", caption)


def _curves(task: Task, backbone: str, kind: Perturbation, scale: tuple[float, float]) -> Plot:
    rows = [row for row in task.robustness["rows"] if row["backbone"] == backbone]
    baseline, strongest = rows[0]["baseline"], max(task.robustness["strengths"])
    drawn = [Trace([0, strongest], [baseline, baseline], line="dot", width=1)]
    drawn += [_curve(row, kind, task.configurations) for row in rows]
    x = Axis("strength", -0.25, strongest + 0.25, step=1)
    id = f"robust-{kind['name']}-{task.name}-{backbone}"
    return Plot(id, kind["title"], drawn, x, Axis("", *scale), 200, 160, group=backbone)


def _scale(rows: list[RobustnessRow]) -> tuple[float, float]:
    """Return one range for all panels, so that they can be compared; intervals fit in it."""
    points = [point for row in rows for point in (row["clean"], *row["points"])]
    ends = [end for point in points for end in (point["low"], point["mean"], point["high"])]
    known = [end for end in [*ends, *(row["baseline"] for row in rows)] if end is not None] or [
        0,
        1,
    ]
    pad = 0.05 * (max(known) - min(known)) or 0.05
    return min(known) - pad, max(known) + pad


def _curve(row: RobustnessRow, kind: Perturbation, configurations: list[str]) -> Trace:
    name, number = row["configuration"], configurations.index(row["configuration"])
    points: list[tuple[int, Score]] = [(0, row["clean"])]
    points += [(p["strength"], p) for p in row["points"] if p["perturbation"] == kind["name"]]
    shift = _SHIFT * (number - (len(configurations) - 1) / 2)  # marks side by side
    return traces.means(
        [point for _, point in points],
        [strength + shift for strength, _ in points],
        number,
        name,
        name=name,
        line="solid",
        shape=SHAPES[number % len(SHAPES)],
        hints=[
            f"{name}, {_level(kind, strength)}: {words.number(point['mean'])} "
            f"{words.interval(point)}"
            for strength, point in points
        ],
    )


def _level(kind: Perturbation, strength: int) -> str:
    if strength == 0:
        return "clean"
    return f"strength {strength} ({kind['what']}: {kind['levels'][strength - 1]:g})"


def strip(tasks: Sequence[Task]) -> Picture | None:
    """Show one stored crop under each perturbation (a row) at each strength (a column), or None."""
    return perturbed([pair for task in tasks for pair in task.files.faces], _kinds(tasks))


def perturbed(faces: list[Pair], kinds: dict[str, str]) -> Picture | None:
    """Show the first crop of some shards under perturbations; None where there is no crop.

    Args:
        kinds: perturbation -> its title.
    """
    for file, rows in faces:
        shard = shards.read(file, rows, FACES)
        if len(shard.array):
            return _strip(shard, kinds)
    return None


def _strip(shard: shards.Shard, kinds: dict[str, str]) -> Picture:
    crop = np.asarray(shard.array[:1])
    head = shard.rows.slice(0, 1).to_pylist()[0]
    keys = perturb.keys_of([head["id"]], [head["frame"]])
    cells = [
        [
            tile(perturb.perturb(crop, name, strength, 0, keys)[0])
            for strength in (0, *perturb.STRENGTHS)
        ]
        for name in kinds
    ]
    names = words.listing(list(kinds.values()))
    alt = f"A face crop under {names}: in each row unchanged, then at strengths 1 to 5"
    return picture(gapped(cells), alt, head["id"], COLOURS)


SECTION = Section("robustness", "Robustness", content=content, lead=LEAD)
