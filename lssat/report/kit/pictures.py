"""Pictures of the report: crops beside their texture, and what the decoder reconstructs, as PNG."""

import base64
import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from lssat import grid, texture
from lssat.data import shards
from lssat.report.kit import words
from lssat.tables import FACES, TEXTURE, Record, read_table, vouched
from lssat.tables.project import RunFiles

Pair = tuple[Path, Path]  # a shard and its table
TILE = 88  # pixels, the side of a tile; larger crops are reduced
CROPS = 8  # crops shown of a data set
SAMPLES = 3  # samples in one strip of reconstructions
STRIPS = 6  # strips of a task, so that the page stays below 15 MB
COLOURS = 256  # of a picture, a third of the bytes of all
REMOVED = 128  # grey in place of a removed patch


@dataclass(frozen=True)
class Picture:
    """A PNG as a data URI, with what it shows in words."""

    uri: str
    alt: str
    width: int
    height: int
    title: str = ""


def picture(image: np.ndarray, alt: str, title: str = "", colours: int = 0) -> Picture:
    """Encode an image, uint8 (H, W, 3 or 4) or (H, W), as a PNG data URI.

    Args:
        colours: keep so many (to 256), which takes a third of the bytes; 0: all.
    """
    buffer = io.BytesIO()
    encoded = Image.fromarray(image)
    if colours:
        # the method that keeps gaps clear
        encoded = encoded.quantize(colours, Image.Quantize.FASTOCTREE)
    encoded.save(buffer, "png")
    uri = "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")
    return Picture(uri, alt, image.shape[1], image.shape[0], title)


def tile(image: np.ndarray, code: bool = False) -> np.ndarray:
    """Reduce a square image, uint8 (H, W[, 3]), to at most TILE pixels a side.

    A code image is thinned, not averaged: the mean of two texture codes is no code.
    """
    if image.shape[0] <= TILE:
        return image
    how = Image.Resampling.NEAREST if code else Image.Resampling.LANCZOS
    return np.asarray(Image.fromarray(image).resize((TILE, TILE), how))


def crops(faces: list[Pair], texture: list[Pair]) -> tuple[list[Picture], str]:
    """Show crops, spread evenly over the shards, each above its texture image.

    Returns:
        the pictures, and the texture's description, empty where none is configured.

    Raises:
        DataError: a shard is damaged, or face and texture tables do not hold the same rows.
    """
    filled = [n for n, (_, table) in enumerate(faces) if read_table(table, FACES).num_rows]
    shown = [filled[at] for at in _spread(len(filled), 3)]
    pictures, kind = [], ""
    for number in shown:
        wanted = -(-CROPS // len(shown))
        twin = texture[number] if texture else None
        of_shard, kind = _of_shard(faces[number], twin, wanted)
        pictures += of_shard
    return pictures[:CROPS], kind


def _spread(n: int, wanted: int) -> list[int]:
    """Return at most `wanted` of the indices below n, evenly spread, first and last included."""
    return sorted({int(i) for i in np.linspace(0, n - 1, min(n, wanted)).round()}) if n else []


def _of_shard(faces: Pair, texture: Pair | None, wanted: int) -> tuple[list[Picture], str]:
    crops = shards.read(faces[0], faces[1], FACES)
    codes, kind = None, ""
    if texture:
        twin = shards.read(texture[0], texture[1], TEXTURE)
        shards.check_codes(twin, crops)
        codes, kind = twin.array, _kind(twin.header)
    rows = crops.rows.to_pylist()
    shown = [rows[at] for at in _spread(len(rows), wanted)]
    return [_crop(row, crops.array, codes, kind) for row in shown], kind


def _kind(header: dict[str, str]) -> str:
    return texture.named(header.get("kind", "texture"), header.get("k", ""))


def _crop(row: dict, images: np.ndarray, codes: np.ndarray | None, kind: str) -> Picture:
    parts = [tile(np.asarray(images[row["row"]]))]
    below = ""
    if codes is not None:
        code = tile(np.asarray(codes[row["row"]]), code=True)
        parts.append(np.repeat(code[..., None], 3, axis=2))
        below = f", and its {kind} image below"
    alt = f"Face crop {row['id']}, frame {row['frame']}{below}"
    return picture(np.concatenate(parts), alt, row["id"])


Run = tuple[Path, Record]  # the folder of a run, and its record


def reconstructions(runs: list[Run]) -> tuple[list[Picture], str]:
    """Show what the decoder made of removed patches, for the first seed of each row.

    Returns:
        a strip per backbone x configuration with rows input, masked input, target, output, and
        a sentence on what is not shown.
    """
    drawn = [(record, arrays) for at, record in runs if (arrays := reconstructed(at, record))]
    strips = [_strip(record, arrays) for record, arrays in drawn[:STRIPS]]
    left = len(drawn) - len(strips)
    more = f"; {left} more are left out for size" if left else ""
    return strips, f"The first seed of each row is shown{more}."


def reconstructed(folder: Path, record: Record) -> dict[str, np.ndarray]:
    """Read the samples of a run (lssat.training.reconstruction); none without the auxiliary task.

    Raises:
        DataError: missing, or not the bytes that record.json vouches for.
    """
    path, remedy = RunFiles(folder).reconstruction, "Train the run again"
    data = vouched(path, record["reconstruction_sha256"], "record.json", remedy)
    with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
        names = ("input", "mask", "target", "output") if arrays.files else ()
        second = [name for name in ("target_2", "output_2") if name in arrays.files]
        return {name: arrays[name] for name in (*names, *second)}


def _strip(record: Record, arrays: dict[str, np.ndarray]) -> Picture:
    shown = {name: array[:SAMPLES] for name, array in arrays.items()}
    configuration = grid.parse(record["configuration"])
    kinds = (configuration.masked, *configuration.targets)
    codes = [kind != "RGB" for kind in kinds for _ in range(2)]
    images = [shown["input"], masked(shown["input"], shown["mask"])]
    ends = ("", "_2")[: len(configuration.targets)]
    images += [shown[name + end] for end in ends for name in ("target", "output")]
    cells = [[tile(i, code) for i in row] for row, code in zip(images, codes, strict=True)]
    title = f"{record['backbone']}, {record['configuration']}"
    removed = words.percent(float(shown["mask"].mean()))
    pairs = ", ".join(["target, reconstruction"] * len(configuration.targets))
    alt = f"{title}: input, input with {removed} of patches removed, {pairs}"
    return picture(gapped(cells), f"{alt}; {len(shown['input'])} samples", title, COLOURS)


def gapped(cells: list[list[np.ndarray]], gap: int = 3) -> np.ndarray:
    """Join tiles of one size, uint8 (H, W, 3), into uint8 (.., .., 4) with transparent gaps."""
    opaque = [[np.dstack([c, np.full(c.shape[:2], 255, np.uint8)]) for c in row] for row in cells]
    padded = [[np.pad(c, ((0, gap), (0, gap), (0, 0))) for c in row] for row in opaque]
    return np.concatenate([np.concatenate(row, axis=1) for row in padded])[:-gap, :-gap]


def masked(images: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Grey out the removed patches of uint8 (n, H, W, 3) by a mask (n, L), 0 keep, 1 remove."""
    side = round(mask.shape[1] ** 0.5)
    patch = images.shape[1] // side
    cells = mask.reshape(-1, side, side).astype(bool)
    pixels = cells.repeat(patch, axis=1).repeat(patch, axis=2)[..., None]
    return np.where(pixels, np.uint8(REMOVED), images)
