"""Time the reading of crops and codes in random order on one core: ours and five other ways.

    python benchmarks/loader.py
    python benchmarks/loader.py --samples 8192 --batch 256 --repeats 5

Natural images at 224 px, batches of RGB and LDP codes, the whole set once in a shuffled order,
everything in the page cache. Ways are interleaved; medians of samples/s over CPU time, one thread.
`ours, training` also draws flips (off) and the mask's noise of 196 patches; `ours, read` does not.
`ours, one reader` does so in a thread that reads ahead.
JPEG holds RGB alone, decoded, codes computed by the compiled loops; Parquet is read by row groups
of one batch, in shuffled order of groups, which mixes samples less than the others do.
"""

import argparse
import io
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import skimage.data
import torch
from PIL import Image

from lssat import tables, texture
from lssat.grid import releases
from lssat.training.loader import Crops
from lssat.training.prefetch import Ahead

SIZE = 224
SHARD = 1024
PATCHES = 196


def crops(count: int) -> np.ndarray:
    """Cut windows (N, 224, 224, 3) uint8 out of a photograph."""
    photo, rng = skimage.data.astronaut(), np.random.default_rng(0)
    places = rng.integers(0, 512 - SIZE, (count, 2))
    return np.stack([photo[y : y + SIZE, x : x + SIZE] for y, x in places])


def write(folder: Path, imgs: np.ndarray, codes: np.ndarray) -> Crops:
    """Write the package's shards, tables and split, and open them."""
    where = []
    for number, start in enumerate(range(0, len(imgs), SHARD)):
        part = slice(start, start + SHARD)
        rows = [
            dict(id=f"{start + i:06d}", clip=-1, shard=number, row=i)
            for i in range(len(imgs[part]))
        ]
        where += rows
        faces, twin = (folder / name / f"shard-{number:05d}.npy" for name in ("faces", "texture"))
        made_by = {"settings": '{"boxes": "drawn"}'}  # a run's record says what made its crops
        head = made_by | {"sha256": tables.write_shard(faces, imgs[part])}
        write_table(faces.with_suffix(".parquet"), rows, tables.FACES, head)
        made = {"kind": "ldp", "k": "3", "spec": texture.SPEC, "faces_sha256": head["sha256"]}
        head = made | {"sha256": tables.write_shard(twin, codes[part])}
        write_table(twin.with_suffix(".parquet"), rows, tables.TEXTURE, head)
    split = folder / "train.parquet"
    rows = [row | dict(labels=[0], split="train") for row in where]
    write_table(split, rows, tables.SPLITS, releases.TASKS["ffpp"].header())
    return Crops(split, folder / "faces", folder / "texture")


def write_table(path: Path, rows: list[dict], schema: pa.Schema, head: dict[str, str]) -> None:
    """Write a table; what the rows do not tell is empty or 0."""
    empty: dict[str, object] = {
        f.name: [] if pa.types.is_list(f.type) else "" if pa.types.is_string(f.type) else 0
        for f in schema
    }
    tables.write_table(path, [empty | row for row in rows], schema, head)


def per_item(folder: Path, order: np.ndarray, batch: int) -> None:
    """Map two NPY files; a data set that returns one item, collated by torch's DataLoader."""
    imgs = np.load(folder / "imgs.npy", mmap_mode="r")
    codes = np.load(folder / "codes.npy", mmap_mode="r")

    class Items(torch.utils.data.Dataset):
        def __len__(self) -> int:
            return len(imgs)

        def __getitem__(self, i: int) -> tuple[torch.Tensor, torch.Tensor]:
            return torch.from_numpy(imgs[i].copy()), torch.from_numpy(codes[i].copy())

    for _ in torch.utils.data.DataLoader(Items(), batch_size=batch, sampler=order.tolist()):
        pass


def jpeg(folder: Path, order: np.ndarray, batch: int) -> None:
    for start in range(0, len(order), batch):
        rows = order[start : start + batch]
        imgs = np.stack([np.asarray(Image.open(folder / f"{i:06d}.jpg")) for i in rows])
        torch.from_numpy(imgs), torch.from_numpy(texture.codes(imgs, "ldp", bulk=True))


def parquet(folder: Path, order: np.ndarray, batch: int) -> None:
    with pq.ParquetFile(folder / "raw.parquet") as file:
        for group in np.argsort(order[: file.num_row_groups]):
            table = file.read_row_group(group, use_threads=False)
            for name, shape in (("imgs", (-1, SIZE, SIZE, 3)), ("codes", (-1, SIZE, SIZE))):
                content = np.frombuffer(table[name].combine_chunks().buffers()[1], np.uint8)
                torch.from_numpy(content.reshape(shape).copy())


def write_rivals(folder: Path, imgs: np.ndarray, codes: np.ndarray, batch: int) -> None:
    np.save(folder / "imgs.npy", imgs)
    np.save(folder / "codes.npy", codes)
    for i, img in enumerate(imgs):
        buffer = io.BytesIO()
        Image.fromarray(img).save(buffer, "jpeg", quality=95)
        (folder / f"{i:06d}.jpg").write_bytes(buffer.getvalue())
    names = {"imgs": imgs.reshape(len(imgs), -1), "codes": codes.reshape(len(codes), -1)}
    columns = {
        name: pa.Array.from_buffers(
            pa.binary(array.shape[1]), len(array), [None, pa.py_buffer(array)]
        )
        for name, array in names.items()
    }
    pq.write_table(
        pa.table(columns), folder / "raw.parquet", row_group_size=batch,
        compression="none", use_dictionary=False, write_statistics=False,
    )  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--samples", type=int, default=4096)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    torch.set_num_threads(1)
    pa.set_cpu_count(1)
    imgs = crops(options.samples)
    codes = texture.codes(imgs, "ldp", bulk=True)
    order = np.random.default_rng(1).permutation(options.samples)
    size = options.batch
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        ours = write(folder, imgs, codes)
        write_rivals(folder, imgs, codes, size)

        def read() -> None:
            for start in range(0, len(order), size):
                ours.batch(order[start : start + size])

        def training() -> None:
            for _ in ours.training(size, 0, 0, False, PATCHES):
                pass

        def ahead() -> None:
            with Ahead(1) as readers:
                for _ in readers(ours.jobs(size, 0, 0, False, PATCHES), ours.file):
                    pass

        def copying() -> None:
            for start in range(0, len(order), size):
                imgs[start : start + size].copy(), codes[start : start + size].copy()

        ways: dict[str, Callable[[], object]] = {
            "ours, read": read,
            "ours, training": training,
            "ours, one reader": ahead,
            "NPY per item + collate": lambda: per_item(folder, order, size),
            "JPEG files (Pillow)": lambda: jpeg(folder, order, size),
            "Parquet, raw row groups": lambda: parquet(folder, order, size),
            "copying the bytes": copying,
        }
        report(ways, options.samples, options.repeats)


def report(ways: dict[str, Callable[[], object]], samples: int, repeats: int) -> None:
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for name in list(ways) * (repeats + 1):  # the first round warms up
        started = time.process_time()
        ways[name]()
        seconds[name].append(time.process_time() - started)
    print(f"{samples} samples, {SIZE} px RGB + codes, one core, medians of {repeats}")
    middle = {name: samples / statistics.median(each[1:]) for name, each in seconds.items()}
    first = next(iter(middle.values()))
    for name, rate in middle.items():
        print(f"{name:24s} {rate:9,.0f} samples/s   {rate / first:6.2f} x")


if __name__ == "__main__":
    main()
