"""Predictions on the test split's faces, cropped anew with another margin or from more frames."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, Any

import pyarrow as pa
import pyarrow.compute as pc
import torch

from lssat import tables
from lssat.data import faces, media, texture
from lssat.data.audit.phash import phash
from lssat.data.faces.crop import crop, square
from lssat.data.faces.npy_writer import Sheet
from lssat.data.shards import Shards
from lssat.evaluation import logits
from lssat.params.views import VariantView
from lssat.tables import FACES, MANIFEST, PREDICTIONS, SPLITS, DataError
from lssat.tables.project import Data, ShardFolder


@dataclass(frozen=True)
class Files:
    """Where a variant reads and writes."""

    runs: dict[str, Path]  # path of a run (its name) -> its folder
    manifest: Path
    test: Path
    faces: Path  # folder of shards
    out: Path  # predictions


def variant(task: str, name: str, files: Files, params: VariantView, device: str = "cpu") -> None:
    """Predict with the runs on images and frames of a task on a variant of its test crops.

    The crops live in a temporary folder beside `files.out` while they are needed.

    Args:
        task: a section of datasets.
        name: `margin-1.6`: the stored boxes, each square scaled from the margin that it was cut
            with; or `frames-64`: as many frames of each video, detected anew.
        params: the view of the rule `variant`.

    Raises:
        DataError: the raw tree is not what the stored crops were cut from.
    """
    torch.set_num_threads(params.train.threads)
    kind, _, value = name.partition("-")
    files.out.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=files.out.parent, prefix=f".{name}.") as temporary:
        folder = Path(temporary)
        if kind == "margin":
            _with_margin(task, float(value), files, params, folder)
        else:
            _with_frames(task, int(value), files, params, folder, device)
        crops, codes = (ShardFolder(folder / name).shard(0) for name in ("faces", "codes"))
        texture.write_shard(crops.npy, crops.table, params.texture, codes.npy, codes.table)
        tables.write_table(
            files.out, _predicted(task, files.runs, folder, params, device), PREDICTIONS
        )


def _predicted(
    task: str, runs: dict[str, Path], folder: Path, params: VariantView, device: str
) -> pa.Table:
    parts, splits = [], logits.Splits(folder / "faces", folder / "codes")
    for number, (name, run) in enumerate(sorted(runs.items()), start=1):
        model = logits.load_run(run).to(device)
        if not model.clips:  # clips share one box each; they are no part of this
            crops = splits.seen_by(model, folder / "split.parquet")
            parts.append(logits.predicted(name, model, crops, params.evaluate.batch_size))
        print(f"{task}: {number} of {len(runs)} runs predicted", flush=True)
    return pa.concat_tables(parts)


def _single(test: Path) -> pa.Table:
    table = tables.read_table(test, SPLITS)
    return table.filter(pc.equal(table["clip"], -1))


def _with_margin(task: str, margin: float, files: Files, params: VariantView, folder: Path) -> None:
    """Write the shard of the test split's faces with another margin, and its split."""
    split = _single(files.test)
    stored = Shards(files.faces, split, files.test)
    sources = tables.read_table(files.manifest, MANIFEST)
    where = {row["id"]: row for row in sources.select(["id", "path", "media"]).to_pylist()}
    root = tables.s3_addresses.place(params.datasets[task].root)
    rows: list[dict] = []
    file = Data(folder).faces.shard(0).npy

    def write(out: IO[bytes]) -> None:
        sheet = Sheet(out, params.faces.size)
        with media.Decoder(params.faces.timeout, params.faces.memory) as decoder:
            ids = (id for id, _ in groupby(split["id"].to_pylist()))
            decoder.copies.expect((root / where[id]["path"], where[id]["media"]) for id in ids)
            for row, frame in _frames(split, stored, where, root, decoder, params.faces.size):
                settings = json.loads(stored.shard(row["of"]).header["settings"])
                at = square(row["box"], margin / settings["margin"])
                cut = crop(frame, *at, params.faces.size)
                sheet.put(len(rows), cut)
                left, top, side = at
                own = dict(row=len(rows), shard=0, box=[left, top, left + side, top + side])
                own |= dict(sha256=hashlib.sha256(cut.tobytes()).hexdigest(), phash=phash(cut))
                rows.append({key: value for key, value in row.items() if key != "of"} | own)
        sheet.finish(len(rows))

    header = {"sha256": tables.write_whole(file, write)}
    tables.write_table(file.with_suffix(".parquet"), rows, FACES, header)
    _write_split(folder, split, rows)


def _frames(
    split: pa.Table,
    stored: Shards,
    where: dict[str, dict],
    root: Path,
    decoder: media.Decoder,
    size: int,
) -> Iterator[tuple[dict[str, Any], Any]]:
    """Yield each test row's row of FACES (and `of`, its shard) with the frame it was cut from."""
    for id, group in groupby(split.to_pylist(), key=lambda row: row["id"]):
        wanted = {row["frame"]: _stored(stored, row) for row in group}
        path = root / where[id]["path"]
        try:
            frames = decoder.read_again(path, where[id]["media"], sorted(wanted))
            for index, frame in frames:
                row = wanted[index]
                left, top, right, _ = (int(v) for v in row["box"])
                cut = crop(frame, left, top, right - left, size)
                if hashlib.sha256(cut.tobytes()).hexdigest() != row["sha256"]:
                    raise _changed(path, f"frame {index} is not the one that its crop was cut from")
                yield row, frame
        except media.Unreadable as error:
            raise _changed(path, f"cannot be read any more ({error.detail})") from None


def _stored(stored: Shards, row: dict) -> dict[str, Any]:
    shard = stored.shard(row["shard"])
    return shard.rows.slice(row["row"], 1).to_pylist()[0] | {"of": row["shard"]}


def _changed(path: Path, problem: str) -> DataError:
    return DataError(path, problem, "The raw tree has changed: run `snakemake --cores 8` first")


def _with_frames(
    task: str, frames: int, files: Files, params: VariantView, folder: Path, device: str
) -> None:
    """Write the shard of the test videos' faces in so many frames, detected, and its split."""
    split = _single(files.test)
    sources = tables.read_table(files.manifest, MANIFEST)
    ours = sources.filter(pc.is_in(sources["id"], split["id"].unique()))
    manifest, shard = folder / "manifest.parquet", Data(folder).faces.shard(0).npy
    tables.write_table(manifest, ours, MANIFEST)
    only = {"frames": frames, "clips": 0, "shards": 1}
    options = params.datasets[task].model_copy(update=only)
    shard.parent.mkdir()
    faces.crop_shard(
        manifest, task, options, params.faces, 0, shard, shard.with_suffix(".parquet"),
        folder / "rejects.parquet", device,
    )  # fmt: skip
    rows = tables.read_table(shard.with_suffix(".parquet"), FACES).to_pylist()
    _write_split(folder, split, rows)


def _write_split(folder: Path, split: pa.Table, rows: list[dict]) -> None:
    """Write the split of the variant's crops: labels and groups are those of their samples."""
    known = {row["id"]: row for row in split.to_pylist()}
    place = ("id", "frame", "clip", "shard", "row")
    split_rows = [known[row["id"]] | {name: row[name] for name in place} for row in rows]
    split_rows.sort(key=lambda row: (row["id"], row["frame"]))
    tables.write_table(folder / "split.parquet", split_rows, SPLITS, tables.metadata(split))
