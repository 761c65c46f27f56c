"""Results across data sets, drawn."""

import copy
from pathlib import Path

from helpers import drawn_results as drawn
from lssat import report, tables

ONE = {"configurations": ("MRGB-RLDP-CRGB", "none-none-CRGB"), "seeds": (0, 1)}


def draw(root: Path, grid: dict = ONE) -> tuple[dict, dict]:
    """Results of ffpp, and of its runs on Celeb-DF: each mean 0.1 lower, 40 videos."""
    files = drawn.draw(root, tasks=("ffpp",), **grid)
    found = copy.deepcopy(tables.read_json(files["ffpp"].metrics))
    found |= {"dataset": "celebdf", "title": "Celeb-DF v2", "n": {"video": 40, "frame": 120}}
    found |= {"coverage": 0.75, "groups": 12}
    for row in found["table"]:
        row["mean"] -= 0.1
        row["n"] = 40
    base, home = root / "cross", files["ffpp"]
    cross = report.CrossFiles(
        metrics=base / "metrics.json", predictions=base / "p.parquet",
        splits=base / "summary.json", rejects=[base / "rejects.parquet"],
        faces=home.faces, audit=home.audit, lookalikes=home.lookalikes, findings=home.findings,
        across=base / "audit_cross.json",
    )  # fmt: skip
    tables.write_json(cross.metrics, found)
    across = {"task": "ffpp", "dataset": "celebdf", "duplicate": 0, "near_duplicate": 3, "of": 54}
    across |= {"near_distance": 4, "near_limit": 0.1, "crops": {"ffpp": 3024, "celebdf": 162}}
    tables.write_json(cross.across, across)
    tables.write_table(cross.predictions, [], tables.PREDICTIONS)
    samples = {"samples": {"train": 0, "val": 0, "test": 54}}
    tables.write_json(cross.splits, tables.read_json(home.splits) | samples)
    gone = tables.reject("celebdf", "s-7", "v/s-7.mp4", "faces", "no_face", "frame 3")
    tables.write_table(cross.rejects[0], [gone], tables.REJECTS)
    return files, {"celebdf": cross}
