"""The page of the most confident errors, with their faces: for the machine that made it alone.

Faces may never be redistributed, so that DVC does not keep this page and the report holds none
of it. Like the report it is one file that asks the network for nothing.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from lssat import shards
from lssat.report import html, words
from lssat.report.explained import Maps, overlays, read_maps
from lssat.report.pictures import gapped, picture, tile
from lssat.tables import FACES, TEXTURE, read_json, write_text


@dataclass(frozen=True)
class Files:
    """Where the errors of one task lie."""

    explain: Path
    maps: Path
    faces: Path  # folder of the crops' shards
    codes: Path  # folder of the texture's shards


def write(title: str, tasks: dict[str, Files], out: Path) -> None:
    """Write the page.

    Args:
        title: the report's.
        tasks: in the order of the page.

    Raises:
        DataError: a file is missing or damaged.
    """
    scripts = html.scripts("theme")
    page = html.template("gallery.html.j2").render(
        title=title,
        tasks=[_task(name, files) for name, files in tasks.items()],
        scripts=scripts,
        policy=html.policy(scripts),
        style=html.style(),
    )
    write_text(out, page)


def _task(name: str, files: Files) -> dict[str, Any]:
    found = read_json(files.explain)
    maps = read_maps(files.maps, found["maps_sha256"])
    crops, codes = _Shards(files.faces), _Shards(files.codes, files.faces)
    best, heat = found["chosen"], found["temperature"]
    metric = words.metric(found["metric"].removeprefix("val_"))
    what = f"{best['backbone']}, {best['configuration']}, the best row by validation {metric}"
    scaled = "no temperature could be fitted, so p is as the run says it"
    if heat is not None:
        scaled = f"logits divided by {words.number(heat)}, fitted on validation"
    many = words.count(len(found["errors"]), "error")
    return {
        "name": name,
        "title": found["title"],
        "lead": f"{many} of {what}, run {best['run']}; {scaled}.",
        "errors": [
            _error(row, crops.take(row), codes.take(row), maps, number)
            for number, row in enumerate(found["errors"])
        ],
    }


class _Shards:
    """Crops, or their codes, of the shards that are asked for."""

    def __init__(self, folder: Path, crops: Path | None = None):
        self.folder, self.crops, self.opened = folder, crops, dict[int, shards.Shard]()

    def take(self, row: dict[str, Any]) -> np.ndarray:
        """Return the crop (H, W, 3) uint8, or its codes (H, W)."""
        number = row["shard"]
        if number not in self.opened:
            self.opened[number] = self._open(f"shard-{number:05d}")
        return np.asarray(self.opened[number].array[row["row"]])

    def _open(self, name: str) -> shards.Shard:
        def read(folder: Path, schema: Any) -> shards.Shard:
            return shards.read(folder / f"{name}.npy", folder / f"{name}.parquet", schema)

        if self.crops is None:
            return read(self.folder, FACES)
        twin = read(self.folder, TEXTURE)
        shards.check_codes(twin, read(self.crops, FACES))
        return twin


def _error(
    row: dict[str, Any], crop: np.ndarray, codes: np.ndarray, maps: Maps, number: int
) -> dict[str, Any]:
    texture = np.repeat(tile(codes, code=True)[..., None], 3, axis=2)
    looks = [tile(each) for each in overlays(crop, maps, "errors", number)]
    frame = "" if row["frame"] == 0 and row["clip"] < 0 else f", frame {row['frame']}"
    frame += f", clip {row['clip']}" if row["clip"] >= 0 else ""
    names = ["crop", "texture", *["rollout", "gradients"][-len(looks) :]]
    where = f"{row['id']}{frame}"
    return {
        "picture": picture(gapped([[tile(crop), texture, *looks]]), f"{where}: {', '.join(names)}"),
        "names": names,
        "where": where,
        "subset": row["subset"],
        "label": row["label"],
        "predicted": row["predicted"],
        "probability": words.number(row["probability"], 2),
        "raw": words.number(row["raw"], 2),
    }
