"""Crops of the samples on which two runs disagree most, from the project's own shards."""

from pathlib import Path
from typing import Any

import numpy as np

from lssat.data import shards
from lssat.evaluation.scores.levels import Level
from lssat.report.kit.pictures import Picture, picture, tile
from lssat.tables import FACES, read_table
from lssat.use.compare.runs import Arm

MOST = 12  # crops that are shown


def pictures(arm: Arm, level: Level, rows: list[dict[str, Any]]) -> tuple[list[Picture], str]:
    """Return a crop of each sample, the middle one of a video; or none, and why.

    Raises:
        DataError: a shard is damaged.
    """
    faces = arm.project.data(arm.metrics["dataset"]).faces
    tables = faces.find(faces.shard("?????").table)
    if not tables:
        return [], f"There are no crops below {faces.root}, so none are shown."
    wanted = [row["id"] for row in rows[:MOST]]
    places = _places(tables, set(wanted))
    shown = [_picture(places[row["id"]], row) for row in rows[:MOST] if row["id"] in places]
    return shown, "" if shown else f"The crops below {faces.root} are of other samples."


def _places(tables: list[Path], wanted: set[str]) -> dict[str, tuple[Path, int]]:
    """Find the shard and the row of each sample's middle crop."""
    places_of: dict[str, tuple[Path, int]] = {}
    for table in tables:
        rows_of: dict[str, list[int]] = {}
        rows = read_table(table, FACES).select(["id", "row"]).to_pylist()
        for row in rows:
            if row["id"] in wanted:
                rows_of.setdefault(row["id"], []).append(row["row"])
        places_of |= {id: (table, places[len(places) // 2]) for id, places in rows_of.items()}
    return places_of


def _picture(place: tuple[Path, int], row: dict[str, Any]) -> Picture:
    table, number = place
    shard = shards.read(table.with_suffix(".npy"), table, FACES)
    caption = f"{row['about']}: A {_score(row['a'])}, B {_score(row['b'])}; truth: {row['truth']}"
    alt = f"Face crop {row['id']}. {caption}"
    return picture(tile(np.asarray(shard.array[number])), alt, f"{row['id']} · {caption}")


def _score(value: float | None) -> str:
    return "undefined" if value is None else f"{value:.2f}"
