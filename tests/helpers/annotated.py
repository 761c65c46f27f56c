"""Lists of annotations and slices, written."""

from pathlib import Path

import numpy as np

from helpers.scored import deepfake_rows, image_rows, summarise, table
from lssat.evaluation import slices
from lssat.grid import releases
from lssat.tables import MANIFEST, PREDICTIONS, write_json, write_table


def listed(folder: Path, text: str) -> Path:
    file = folder / "list.csv"
    file.write_bytes(text.encode())
    return file


LABELS = {
    "ffpp": [[1], [0]],
    "celeba": [[1, 1, 0], [0, 0, 0]],
    "affectnet": [[0], [1], [2], [3]],
}


def written(folder: Path, task: str = "ffpp") -> tuple[slices.Files, Path, list[dict]]:
    """Predictions of a task, their metrics, and the manifest of their samples and one more."""
    rows = deepfake_rows() if task == "ffpp" else image_rows(task)
    write_table(folder / "predictions.parquet", table(rows), PREDICTIONS)
    classes = {"celeba": ("Male", "Young", "Hat")}.get(task, releases.TASKS[task].classes)
    found = summarise(rows, task, train=np.array(LABELS[task]))
    write_json(folder / "metrics.json", found | {"classes": classes})
    samples = {row["id"]: row for row in rows}
    fixed = dict(dataset=task, path="p", media="video", labels=[1], subset="", split="test", box=[])
    manifest = [
        fixed | dict(id=id, groups=[id[-3:], "other"], group=row["group"])
        for id, row in samples.items()
    ]
    manifest.append(manifest[0] | dict(id="train/1", groups=["900"], split="train"))
    write_table(folder / "manifest.parquet", manifest, MANIFEST, releases.TASKS[task].header())
    files = slices.Files(
        folder / "predictions.parquet", folder / "metrics.json", folder / "slices.json"
    )
    return files, folder / "manifest.parquet", rows
