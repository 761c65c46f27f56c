"""The page of faces, for the machine that made it alone: confident errors, and more.

Faces of real data may never be redistributed, so that DVC does not keep this page. It shows the
most confident errors of all tasks, and what the report would show of a task's faces where they are
no part of it. Like the report it is one file that asks the network for nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from lssat import metrics
from lssat.data import shards
from lssat.evaluation import perturb
from lssat.report.kit import html, pictures, words
from lssat.report.kit.pictures import gapped, picture, tile
from lssat.report.sections.explained import Maps, examples, incomplete, overlays, read_maps
from lssat.report.sections.robustness import perturbed
from lssat.tables import (
    FACES,
    TEXTURE,
    confidential,
    face_privacy,
    read_as,
    read_record,
    write_text,
)
from lssat.tables.analysis_tables import ExplainedSample, Explanations
from lssat.tables.project import RunFiles, ShardFolder


@dataclass(frozen=True)
class Files:
    """Where the errors of one task lie."""

    explain: Path
    maps: Path
    faces: Path  # folder of the crops' shards
    codes: Path  # folder of the texture's shards
    runs: Path = Path("runs")  # folder of all runs


@confidential()
def write(
    title: str, tasks: dict[str, Files], out: Path, places: Mapping[str, str] | None = None
) -> None:
    """Write the page, which none but its owner may read.

    Args:
        title: the report's.
        tasks: in the order of the page.
        places: by task, where its faces are shown (`face_privacy.place`); default: in the report.

    Raises:
        DataError: a file is missing or damaged.
    """
    placed = {name: (places or {}).get(name, "report") for name in tasks}
    page = html.render(
        Path(__file__).with_name("gallery.html.j2"),
        title=title,
        tasks=[_task(name, files, placed[name]) for name, files in tasks.items()],
    )
    write_text(out, page)


def titles(tasks: Mapping[str, Files]) -> dict[str, str]:
    """Return the title of each task, by its name."""
    return {name: read_as(files.explain, Explanations)["title"] for name, files in tasks.items()}


def _task(name: str, files: Files, place: str) -> dict[str, Any]:
    explain = read_as(files.explain, Explanations)
    maps = read_maps(files.maps, explain["maps_sha256"])
    best, heat = explain["chosen"], explain["temperature"]
    metric = words.metric(explain["metric"].removeprefix("val_"))
    what = f"{best['backbone']}, {best['configuration']}, best on validation by {metric}"
    scaled = "no temperature could be fitted, so p is as the run says it"
    if heat is not None:
        parts = [f"logits divided by {words.number(heat)}, fitted on validation"]
        scaled = "; ".join(filter(None, [*parts, metrics.at_bound(heat)]))
    many = words.count(len(explain["errors"]), "error")
    return {
        "name": name,
        "title": explain["title"],
        "lead": f"{many} of {what}, run {best['run']}; {scaled}.",
        "absent": face_privacy.absent(place) if place == "nowhere" else "",
        "errors": _errors(explain, files, maps, place != "nowhere"),
        "more": _more(explain, files, maps) if place == "local" else None,
    }


def _more(explain: Explanations, files: Files, maps: Maps) -> dict[str, Any]:
    """Show what the report leaves out: crops, reconstructions, where they look, perturbations."""
    faces, texture = _pairs(files.faces), _pairs(files.codes)
    runs = [files.runs / row["run"] for row in explain["rows"]]
    strips, note = pictures.reconstructions(
        [(at, read_record(RunFiles(at).record, "reconstruction_sha256")) for at in runs]
    )
    kinds = {name: kind.title for name, kind in perturb.PERTURBATIONS.items()}
    return {
        "crops": pictures.crops(faces, texture)[0],
        "strips": strips,
        "note": note,
        "looks": examples(explain["examples"], maps, faces),
        "perturbed": perturbed(faces, kinds),
    }


def _pairs(folder: Path) -> list[pictures.Pair]:
    there = ShardFolder(folder)
    return [(file, file.with_suffix(".parquet")) for file in there.find(there.shard("*").npy)]


def _errors(explain: Explanations, files: Files, maps: Maps, shown: bool) -> list[dict[str, Any]]:
    crops, codes = _Shards(files.faces), _Shards(files.codes, files.faces)
    return [
        _error(row, _looks(row, crops, codes, maps, number) if shown else None)
        for number, row in enumerate(explain["errors"])
    ]


class _Shards:
    """Crops, or their codes, of the shards that are asked for."""

    def __init__(self, folder: Path, crops: Path | None = None):
        self.folder, self.crops, self.opened = folder, crops, dict[int, shards.Shard]()

    def take(self, row: ExplainedSample) -> np.ndarray:
        """Return the crop (H, W, 3) uint8, or its codes (H, W)."""
        number = row["shard"]
        if number not in self.opened:
            self.opened[number] = self._open(number)
        return np.asarray(self.opened[number].array[row["row"]])

    def _open(self, number: int) -> shards.Shard:
        def read(folder: Path, schema: Any) -> shards.Shard:
            file = ShardFolder(folder).shard(number)
            return shards.read(file.npy, file.table, schema)

        if self.crops is None:
            return read(self.folder, FACES)
        twin = read(self.folder, TEXTURE)
        shards.check_codes(twin, read(self.crops, FACES))
        return twin


def _where(row: ExplainedSample) -> str:
    frame = "" if row["frame"] == 0 and row["clip"] < 0 else f", frame {row['frame']}"
    frame += f", clip {row['clip']}" if row["clip"] >= 0 else ""
    return f"{row['id']}{frame}"


def _looks(
    row: ExplainedSample, crops: "_Shards", codes: "_Shards", maps: Maps, number: int
) -> tuple[pictures.Picture, list[str]]:
    """Return the picture of an error, and the names of its parts."""
    crop = crops.take(row)
    texture = np.repeat(tile(codes.take(row), code=True)[..., None], 3, axis=2)
    looks = [tile(each) for each in overlays(crop, maps, "errors", number)]
    names = ["crop", "texture", *["rollout", "gradients"][-len(looks) :]]
    alt = f"{_where(row)}: {', '.join(names)}"
    return picture(gapped([[tile(crop), texture, *looks]]), alt), names


def _error(
    row: ExplainedSample, shown: tuple[pictures.Picture, list[str]] | None
) -> dict[str, Any]:
    drawn, names = shown or (None, [])
    return {
        "picture": drawn,
        "names": names,
        "where": _where(row) + incomplete(row),
        "subset": row["subset"],
        "label": row["label"],
        "predicted": row["predicted"],
        "probability": words.number(row["probability"], 2),
        "raw": words.number(row["raw"], 2),
    }
