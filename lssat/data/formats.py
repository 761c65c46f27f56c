"""What the files of a data set are like, whatever they show: size, quality, codec.

Only headers are read. A data set whose classes were stored in different ways tells its labels by
these alone (`lssat.evaluation.format_probe`).
"""

import contextlib
import io
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from PIL import Image, JpegImagePlugin

from lssat.data.media import container
from lssat.data.media.copies import Copies
from lssat.data.media.image import FORMATS as IMAGES
from lssat.data.media.unreadable import Unreadable, read_bytes
from lssat.data.media.video import images_of
from lssat.data.media.without_metadata import bare
from lssat.tables import (
    FACES,
    FORMATS,
    MANIFEST,
    DataError,
    read_table,
    s3_addresses,
    write_table,
)

_AHEAD = 16  # samples that are fetched from object storage while one is looked at
_SAMPLING = {0: "4:4:4", 1: "4:2:2", 2: "4:2:0"}
# The luminance table of the JPEG standard (ITU-T T.81, annex K.1), in any order.
_STANDARD = np.array(
    [16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55, 14, 13, 16, 24, 40, 57, 69, 56,
     14, 17, 22, 29, 51, 87, 80, 62, 18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113,
     92, 49, 64, 78, 87, 103, 121, 120, 101, 72, 92, 95, 98, 112, 100, 103, 99]
)  # fmt: skip


def write(dataset: str, root: str | Path, manifest: Path, faces: list[Path], out: Path) -> None:
    """Write a row of schema FORMATS for each sample that has a crop, sorted by id.

    Args:
        dataset: for messages.
        root: of the raw tree.
        manifest: table of schema MANIFEST.
        faces: tables of schema FACES, of every shard.

    Raises:
        DataError: a file that was cropped cannot be read any more, or not be reached.
    """
    crops = _crops(faces)
    table, place = read_table(manifest, MANIFEST), s3_addresses.place(root)
    samples = table.select(["id", "path", "media"]).to_pylist()
    cropped = [row for row in samples if row["id"] in crops]
    rows = []
    with contextlib.closing(Copies(_AHEAD)) as copies:
        copies.expect((place / row["path"], row["media"]) for row in cropped)
        for row in cropped:
            side, frames = crops[row["id"]]
            path = place / row["path"]
            try:
                facts = _facts(copies.of(path, row["media"]), row["media"])
            except Unreadable as error:
                problem = f"of {dataset} was cropped and cannot be read any more ({error})"
                raise DataError(path, problem, "Put it back as it was") from None
            known = dict(id=row["id"], media=row["media"], side=side, frames=frames)
            rows.append(known | facts)
    write_table(out, sorted(rows, key=lambda row: row["id"]), FORMATS)


def _crops(faces: list[Path]) -> dict[str, tuple[float, int]]:
    """Return of each sample its crops' mean side in the frame, in pixels, and its frames."""
    columns = ["id", "box", "n_frames"]
    table = pa.concat_tables([read_table(path, FACES).select(columns) for path in faces])
    left, right = (pc.list_element(table["box"], place) for place in (0, 2))
    table = table.append_column("side", pc.subtract(right, left)).group_by("id", use_threads=False)
    samples = table.aggregate([("side", "mean"), ("n_frames", "max")])
    means, frames = samples["side_mean"].to_pylist(), samples["n_frames_max"].to_pylist()
    return dict(zip(samples["id"].to_pylist(), zip(means, frames, strict=True), strict=True))


def _facts(path: Path, media: str) -> dict[str, Any]:
    if media == "video":
        return _video(path)
    files = images_of(path, media)
    size = sum(file.stat().st_size for file in files) if media == "frames" else None
    return _image(read_bytes(files[0]), size)


def _video(path: Path) -> dict[str, Any]:
    with container.opened(path) as (medium, stream):
        codec = stream.codec_context
        seconds = float(medium.duration / 1e6) if medium.duration else float("nan")
        return dict(
            kind=codec.name,
            sampling=codec.pix_fmt or "",
            width=codec.width,
            height=codec.height,
            bytes=path.stat().st_size,
            seconds=seconds,
            quality=float("nan"),
        )


def _image(data: bytes, size: int | None = None) -> dict[str, Any]:
    """Describe an image, or the first of a video's, all of which have so many bytes."""
    for version in (data, bare(data)):  # without its metadata, which may be damaged
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of metadata, and of sizes: nothing is decoded
                with Image.open(io.BytesIO(version), formats=IMAGES) as image:
                    return _described(image, len(data) if size is None else size)
        except (OSError, SyntaxError, ValueError, EOFError, Image.DecompressionBombError) as error:
            problem = str(error)
    raise Unreadable("unreadable", problem)


def _described(image: Image.Image, size: int) -> dict[str, Any]:
    tables: Mapping[int, list[int]] = getattr(image, "quantization", None) or {}
    jpeg = isinstance(image, JpegImagePlugin.JpegImageFile)
    sampling = _SAMPLING.get(JpegImagePlugin.get_sampling(image), "") if jpeg else image.mode
    kind = "progressive JPEG" if image.info.get("progressive") else str(image.format)
    return dict(
        kind=kind,
        sampling=sampling,
        width=image.width,
        height=image.height,
        bytes=size,
        seconds=float("nan"),
        quality=float(quality(tables[0])) if 0 in tables else float("nan"),
    )


def quality(table: list[int]) -> int:
    """Estimate a JPEG's quality, 1 to 100, from its luminance quantisation table.

    That of which the Independent JPEG Group's scaling of the standard's table has the sum that is
    nearest; of tables that were made otherwise a number that grows with their fineness.
    """
    wanted = sum(table)
    sums = [abs(int(_scaled(quality).sum()) - wanted) for quality in range(1, 101)]
    return 1 + int(np.argmin(sums))


def _scaled(quality: int) -> np.ndarray:
    scale = 5000 // quality if quality < 50 else 200 - 2 * quality
    return np.clip((_STANDARD * scale + 50) // 100, 1, 255)
