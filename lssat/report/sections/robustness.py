"""Robustness: curves against strength, mean corruption scores, one crop under each perturbation."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from lssat.data import shards
from lssat.evaluation import perturb
from lssat.report.kit import words
from lssat.report.kit.cells import ROW, Cell, Column, Table, flagged, num
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
    "perturbed crop; docs/robustness.md has the formulas. Nothing was chosen by these numbers."
)
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
    alone = all(len(row["seeds"]) == 1 for row in scores["rows"])
    covers = "other test samples of these trained models" if alone else "other samples and seeds"
    what = words.where(task.metrics)
    return (
        f"{what[0].upper()}{what[1:]} of {words.listing(parts)} of the "
        f"test split, in whole groups, {runs}. The {words.confidence(scores)} covers {covers}. "
        f"{survives(task)}"
    ).strip()


def table(task: Task) -> Table:
    """Make the table of mean corruption scores: a row per backbone x configuration."""
    scores = task.robustness
    kinds = {kind["name"]: kind["title"] for kind in scores["perturbations"]}
    points = len(kinds) * len(scores["strengths"])
    columns = [
        *ROW,
        Column("Clean", "num", "on the same samples, unperturbed"),
        Column("Mean corruption", "num", f"mean over {points} perturbations and strengths"),
        Column("Drop", "num", "clean minus mean corruption, paired"),
        Column("Retained", "num", "share of what clean has above the baseline"),
        Column("Re-encoded alike", "num", _how(scores)),
        Column("Survives", "num", _SURVIVES),
        *[Column(title, "num", "mean over the strengths") for title in kinds.values()],
        Column("Baseline", "num", "the best score without looking at the input"),
        Column("Seeds", "num"),
        Column("n", "num"),
        Column("Flag"),
    ]
    rows = [
        [
            *_row(row, list(kinds), _is_above(row, scores["metric"])),
            flagged(words.pair(row) in task.collapsed),
        ]
        for row in scores["rows"]
    ]
    below = [row for row in scores["rows"] if not _is_above(row, scores["metric"])]
    notes = [
        f"{_name(row)}: its clean score is not above the baseline with its whole interval, so that "
        "no share of it is told"
        for row in below
    ]
    notes += [f"{_name(row)}: retained: {note}" for row in scores["rows"] if (note := _why(row))]
    notes += [
        f"{_name(row)}: survives: {row['recoded']['survives_note']}"
        for row in scores["rows"]
        if row["recoded"]["survives_note"]
    ]
    notes += [
        f"{_name(row)}: {row['corrupted']['note']}"
        for row in scores["rows"]
        if row["corrupted"]["note"]
    ]
    caption = f"robustness of {task.title}, {words.metric(scores['metric'])}"
    return Table(f"robustness-{task.name}", caption, columns, rows, notes=notes)


def _how(scores: Robustness) -> str:
    how = scores["recoded"]
    return f"all crops reduced to {how['scale']:g}, enlarged, JPEG {how['quality']}"


def survives(task: Task) -> str:
    """Say how much of the best score survives where all classes are re-encoded alike."""
    scores = task.robustness
    known = [row for row in scores["rows"] if row["recoded"]["survives"] is not None]
    known = [row for row in known if _is_above(row, scores["metric"])]
    if not known:
        return ""
    row = min(known, key=lambda row: words.standing({"metric": scores["metric"], **_mean_of(row)}))
    own, base = row["recoded"], row["baseline"]
    clean, recoded = row["clean"]["mean"], own["mean"]
    assert clean is not None
    assert recoded is not None
    assert base is not None
    had, left = words.number(clean - base), words.number(recoded - base)
    share = f"{words.percent(own['survives'])} {_ends(own)}".strip()
    return (
        f"After re-encoding all classes alike ({_how(scores)}), {left} of the {had} that "
        f"{_name(row)} has above the trivial baseline survives: {share}."
    )


def _mean_of(row: RobustnessRow) -> dict[str, Any]:
    place = {"backbone": row["backbone"], "configuration": row["configuration"]}
    return place | {"mean": row["clean"]["mean"]}


def _ends(recoded: RecodedScore) -> str:
    if recoded["survives_low"] is None:
        return ""
    low, high = words.percent(recoded["survives_low"]), words.percent(recoded["survives_high"])
    return f"[{low}, {high}]"


def _survives(recoded: RecodedScore) -> Cell:
    return Cell(words.percent(recoded["survives"]), recoded["survives"], _ends(recoded))


def _name(row: RobustnessRow) -> str:
    return f"{row['backbone']}, {row['configuration']}"


def _why(row: RobustnessRow) -> str | None:
    return row["corrupted"]["retained_note"]


def _is_above(row: RobustnessRow, metric: str) -> bool:
    """Say whether the clean score's interval is better than the baseline: else no share is told."""
    clean, lower = row["clean"], words.lower_is_better(metric)
    end, baseline = clean["high"] if lower else clean["low"], row["baseline"]
    if end is None or baseline is None:
        return False
    return end < baseline if lower else end > baseline


def _row(row: RobustnessRow, kinds: list[str], above: bool) -> list[Cell]:
    hurt, by_kind = row["corrupted"], {kind["perturbation"]: kind for kind in row["kinds"]}
    gap = {"low": hurt["drop_low"], "high": hurt["drop_high"]}
    return [
        Cell(row["backbone"]),
        Cell(row["configuration"]),
        _value(row["clean"]),
        _value(hurt),
        num(hurt["drop"], small=words.interval(gap)),
        Cell(words.percent(hurt["retained"]), hurt["retained"]) if above else Cell(words.DASH),
        _value(row["recoded"]),
        _survives(row["recoded"]) if above else Cell(words.DASH),
        *[_value(by_kind[kind]) for kind in kinds],
        num(row["baseline"]),
        num(len(row["seeds"])),
        num(row["n"]),
    ]


def _value(score: Score) -> Cell:
    return num(score["mean"], small=words.interval(score))


def curves(task: Task) -> Figure:
    """Draw a panel for each perturbation, of the backbone that is chosen: metric by strength."""
    scores = task.robustness
    scale = _scale(scores["rows"])
    best_first = list(dict.fromkeys(row["backbone"] for row in task.best_first))
    plots = [
        _curves(task, backbone, kind, scale)
        for backbone in best_first
        for kind in scores["perturbations"]
        if any(row["backbone"] == backbone for row in scores["rows"])
    ]
    keys = [
        Key(name, number, shape=SHAPES[number % len(SHAPES)])
        for number, name in enumerate(task.configurations)
    ]
    means = "; ".join(
        f"{_name(row)}: mean {words.number(row['corrupted']['mean'])} "
        f"{words.interval(row['corrupted'])}"
        for row in scores["rows"]
    )
    what = words.where(task.metrics)
    caption = (
        f"{what[0].upper()}{what[1:]} by strength, {_of_seeds(scores)}; strength 0 is the "
        "unperturbed crop, the dotted line the trivial baseline. All panels of the task have one "
        f"scale; {_sizes(scores['rows'], task.metrics['level'])}."
    )
    title = f"{what[0].upper()}{what[1:]} by strength"
    return Figure(title, f"Mean corruption score, {means}.", keys, plots, "Backbone", caption)


def _of_seeds(scores: Robustness) -> str:
    return "means over seeds" if scores["seeds"] == "all" else "the first seed of each row"


def _sizes(rows: list[RobustnessRow], level: str) -> str:
    known = dict.fromkeys((row["n"], row["groups"]) for row in rows)
    return words.listing([words.sized(n, level, groups) for n, groups in known])


def _curves(task: Task, backbone: str, kind: Perturbation, scale: list[float]) -> Plot:
    rows = [row for row in task.robustness["rows"] if row["backbone"] == backbone]
    value, strengths = rows[0]["baseline"], task.robustness["strengths"]
    traces = [Trace([0, max(strengths)], [value, value], line="dot", width=1)]
    for row in rows:
        traces.append(_trace(row, kind, task.configurations.index(row["configuration"])))
    x = Axis("strength", -0.2, max(strengths) + 0.2, step=1)
    id = f"robust-{kind['name']}-{task.name}-{backbone}"
    y = Axis("", scale[0], scale[1])
    return Plot(id, kind["title"], traces, x, y, 200, 160, group=backbone)


def _points(row: RobustnessRow, kind: str) -> Iterator[tuple[int, Score]]:
    yield 0, row["clean"]
    for point in row["points"]:
        if point["perturbation"] == kind:
            yield point["strength"], point


def _scale(rows: list[RobustnessRow]) -> list[float]:
    """Return one range for all panels, so that they can be compared."""
    means = [point["mean"] for row in rows for point in (row["clean"], *row["points"])]
    values = [v for v in [*means, *(row["baseline"] for row in rows)] if v is not None] or [0, 1]
    pad = 0.05 * (max(values) - min(values)) or 0.05
    return [min(values) - pad, max(values) + pad]


def _trace(row: RobustnessRow, kind: Perturbation, number: int) -> Trace:
    at = list(_points(row, kind["name"]))
    return Trace(
        [strength for strength, _ in at],
        [point["mean"] for _, point in at],
        number,
        row["configuration"],
        row["configuration"],
        "solid",
        shape=SHAPES[number % len(SHAPES)],
        hints=[
            f"{row['configuration']}, {_level(kind, strength)}: {_text(point)}"
            for strength, point in at
        ],
    )


def _level(kind: Perturbation, strength: int) -> str:
    if strength == 0:
        return "clean"
    return f"strength {strength} ({kind['what']}: {kind['levels'][strength - 1]:g})"


def _text(point: Score) -> str:
    return f"{words.number(point['mean'])} {words.interval(point)}"


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
