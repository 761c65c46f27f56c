"""Where the models look, and their embeddings, as the step `explain` wrote them."""

import io
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from lssat.data import shards
from lssat.evaluation import overlay
from lssat.report.kit import words
from lssat.report.kit.cells import ROW, Cell, Column, Table, flag_of, num
from lssat.report.kit.figures import Figure, Key, Plot
from lssat.report.kit.pictures import Pair, Picture, gapped, picture, tile
from lssat.report.kit.results import Task
from lssat.report.kit.section import Page, Section, by_task
from lssat.report.kit.svg import Axis, Trace
from lssat.tables import FACES, vouched
from lssat.tables.analysis_tables import Embedding, ExplainedRow, ExplainedSample

LEAD = (
    "Means over test samples, of the first seed of each row: attention rollout on the left, the "
    "size of integrated gradients on the right. Orange is more than an even share of the whole "
    "image, blue less; full colour is twice an even share, or none of it. Rollout knows attention "
    "alone, not the class; gradients depend on their baseline, the mean image. docs/explain.md "
    "says what neither can show."
)
EMBEDDINGS_LEAD = (
    "The features that the head reads, projected to two dimensions: of the row that is best on "
    "validation and, beside it, of one trained without the auxiliary task. The axes have no unit, "
    "and distances between groups mean little; trustworthiness is the share of neighbourhoods in "
    "the plane that are real."
)
SIDE = 112  # pixels of a mean map
CELLS = 28  # a side: pixels of attributions are averaged in cells for the pictures
Maps = dict[str, np.ndarray]
_TOLERANCE = 0.05  # as lssat.evaluation.attribution's, which imports torch


def read_maps(path: Path, digest: str) -> Maps:
    """Read the maps of a task.

    Raises:
        DataError: missing, or not the bytes that explain.json vouches for.
    """
    data = vouched(path, digest, "explain.json")
    with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
        return {name: arrays[name] for name in arrays.files}


def section(task: Task, shown: bool = True) -> dict[str, Any]:
    """Describe where a task's models look: mean maps of each row, examples of the best.

    Args:
        shown: the examples' crops may be.
    """
    explain, maps = task.explain, read_maps(task.files.maps, task.explain["maps_sha256"])
    best = explain["chosen"]
    return {
        "title": task.title,
        "target": explain["target"],
        "means": [_means(row, maps) for row in explain["rows"]],
        "rows": _table(task),
        "best": best,
        "fallen": words.pair(best) in task.collapsed,
        "metric": words.metric(explain["metric"].removeprefix("val_")),
        "value": words.number(best["value"]),
        "strip": examples(explain["examples"], maps, task.files.faces) if shown else None,
        "samples": [_sentence(row) for row in explain["examples"]],
    }


def resized(map: np.ndarray, side: int, how: Image.Resampling) -> np.ndarray:
    """Resize a map (h, w) to (side, side) float32."""
    image = Image.fromarray(np.ascontiguousarray(map, dtype=np.float32))
    return np.asarray(image.resize((side, side), how))


def _means(row: ExplainedRow, maps: Maps) -> Picture:
    names = [name for name in ("rollout", "gradients") if f"{row['maps']}_{name}" in maps]
    tiles = []
    for name in names:
        even = overlay.uneven(_cells(maps[f"{row['maps']}_{name}"]))
        even = np.round(even * 16) / 16  # few colours, a tenth of the bytes
        tiles.append(overlay.paint(resized(even, SIDE, Image.Resampling.NEAREST), top=1.0))
    title = f"{row['backbone']}, {row['configuration']}"
    of = f"{words.count(row['n'], row['level'])} of the test split"
    return picture(gapped([tiles]), f"{title}: mean maps over {of}, {', '.join(names)}", title, 64)


def _table(task: Task) -> Table:
    on_validation = "mean over seeds; the row that is best here is shown below"
    misses = "of the difference of logits that attributions add up to"
    columns = [
        *ROW,
        flag_of(task),
        Column("Looks at", "text", "what the classifier is given",
               lambda row: words.listing(row["looks_at"])),
        Column("Validation", "num", on_validation, "value"),
        Column("n", "num", "test samples in the mean maps",
               lambda row: num(row["n"], small=row["level"])),
        Column("Integral misses", "num", misses,
               lambda row: Cell(_missed(row["missed"]), row["missed"])),
        Column("Rollout", value=lambda row: row["no_rollout"] or "yes"),
    ]  # fmt: skip
    rows, alike = task.explain["rows"], task.explain["random"]
    note = (
        "Of the row that is best on validation, the maps of the same encoder with untrained "
        "weights are like the ones shown by a rank correlation of "
        f"{words.number(alike['rollout'])} (rollout) and "
        f"{words.number(alike['gradients'])} (gradients): what is shared owes nothing to training "
        "(Adebayo et al. 2018)."
    )
    notes = [note, *(f"{', '.join(words.pair(r))}: {r['note']}." for r in rows if r["note"])]
    best = [row["run"] for row in rows].index(task.explain["chosen"]["run"])
    id, title = f"explained-{task.name}", f"{task.title}: what is explained"
    return Table.of(id, title, columns, rows, best=best, best_on="validation", notes=notes)


def examples(rows: list[ExplainedSample], maps: Maps, faces: list[Pair]) -> Picture | None:
    """Show a few samples, below each crop where the best row looks.

    Args:
        rows: `examples` of explain.json.
        faces: shards of crops and their tables, by number.
    """
    if not rows:
        return None
    opened: dict[int, shards.Shard] = {}
    columns = []
    for number, row in enumerate(rows):
        if row["shard"] not in opened:
            file, table = faces[row["shard"]]
            opened[row["shard"]] = shards.read(file, table, FACES)
        crop = np.asarray(opened[row["shard"]].array[row["row"]])
        images = (crop, *overlays(crop, maps, "examples", number))
        columns.append([tile(image) for image in images])
    alt = f"Crops of {words.count(len(rows), 'test sample')}, below them rollout and gradients"
    cells = [list(images) for images in zip(*columns, strict=True)]
    return picture(gapped(cells), alt, colours=256)


def overlays(crop: np.ndarray, maps: Maps, name: str, number: int) -> list[np.ndarray]:
    """Lay rollout (where there is one) and gradients of a sample over its crop."""
    shown, side = [], len(crop)
    if f"{name}_rollout" in maps:
        even = overlay.uneven(maps[f"{name}_rollout"][number])
        shown.append(overlay.overlay(crop, resized(even, side, Image.Resampling.BILINEAR), top=1.0))
    cells = _cells(maps[f"{name}_gradients"][number])
    return [*shown, overlay.overlay(crop, resized(cells, side, Image.Resampling.BILINEAR))]


def _cells(map: np.ndarray) -> np.ndarray:
    """Average a map's pixels in at most CELLS x CELLS cells."""
    return resized(map, CELLS, Image.Resampling.BOX) if len(map) > CELLS else map


def _missed(share: float | None) -> str:
    return words.percent(share) + (" (incomplete)" if _is_incomplete(share) else "")


def _is_incomplete(share: float | None) -> bool:
    return share is not None and share >= _TOLERANCE


def _sentence(row: ExplainedSample) -> str:
    right = "right" if row["right"] else "wrong"
    sure = words.number(row["probability"], 2)
    return f"{row['id']}: {row['predicted']} (p = {sure}), {right}{incomplete(row)}"


def incomplete(row: ExplainedSample) -> str:
    """Say of a sample's gradients what they miss, where it is too much."""
    if not _is_incomplete(row["missed"]):
        return ""
    return f"; its gradients miss {words.percent(row['missed'])} of the logit"


def embeddings(task: Task) -> list[Figure]:
    """Draw one scatter per projected run: colour is the label, a symbol the subset."""
    classes = task.metrics["classes"]
    return [
        _scatter(f"embedding-{task.name}-{number}", embedding, classes)
        for number, embedding in enumerate(task.explain["embeddings"])
    ]


_SYMBOLS = ("circle", "square", "diamond", "cross", "x", "triangle-up", "star", "hexagon")


def _scatter(id: str, embedding: Embedding, classes: list[str]) -> Figure:
    of_classes = [name for name in classes if name in embedding["labels"]]
    labels = [*of_classes, *sorted(set(embedding["labels"]).difference(classes))]
    subsets = sorted(set(embedding["subsets"]))
    symbols = {subset: _SYMBOLS[n % len(_SYMBOLS)] for n, subset in enumerate(subsets)}
    traces, keys = [], []
    for colour, label in enumerate(labels):
        at = [n for n, of_point in enumerate(embedding["labels"]) if of_point == label]
        traces.append(_points(embedding, at, symbols, label, colour))
        keys.append(Key(label, colour, f"n = {len(at)}", "circle"))
    title = ", ".join(words.pair(embedding))
    plot = Plot(id, title, traces, Axis(ticks=[]), Axis(ticks=[]), 400, 360)
    of = words.count(len(embedding["ids"]), f"test {embedding['level']}")
    text = f"{embedding['method']}; n = {of}"
    if (trustworthiness := embedding["trustworthiness"]) is not None:
        text += f"; trustworthiness {words.number(trustworthiness)}"
    legend = ", ".join(f"{symbol} {subset}" for subset, symbol in symbols.items() if subset)
    text += f". Symbols: {legend}." if legend else "."
    return Figure(title, text, keys, [plot], caption=text)


def _points(
    embedding: Embedding, at: list[int], symbols: dict[str, str], label: str, colour: int
) -> Trace:
    points, ids, subsets = embedding["points"], embedding["ids"], embedding["subsets"]
    return Trace(
        [points[n][0] for n in at],
        [points[n][1] for n in at],
        colour,
        label,
        shape=[symbols[subsets[n]] for n in at],
        size=7,
        hints=[f"{', '.join(filter(None, (ids[n], subsets[n])))}: {label}" for n in at],
    )


def content(page: Page) -> list[dict[str, Any]]:
    """Return what the section shows of each task."""
    return [section(task, page.place(task) == "report") for task in page.tasks]


def _embedded(task: Task) -> tuple[str, list[Figure]] | None:
    drawn = embeddings(task)
    return (task.title, drawn) if drawn else None


SECTION = Section("explained", "Where they look", "Where the models look", content, LEAD)
EMBEDDINGS = Section("embeddings", "Embeddings", content=by_task(_embedded), lead=EMBEDDINGS_LEAD)
