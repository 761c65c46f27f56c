"""Time the manifests of the official releases at full size, beside the least that reading takes.

    python benchmarks/readers.py
    python benchmarks/readers.py --share 0.1 --repeats 3 --layouts celeba affectnet_csv

Draws lists of the official length and files of a few bytes for images (CelebA 202,599,
AffectNet's CSV release 420,299 rows, its npy release 291,650 pairs of files, FaceForensics++
6,000 videos) in a temporary folder, then writes each manifest in a process of its own. The least,
interleaved with it: reading every byte of the lists and annotations and listing every folder.
Medians of wall time and the largest memory of the process; the first round is not counted, it
fills the page cache.
"""

import argparse
import random
import statistics as medians
import tempfile
import time
from collections.abc import Callable, Iterator
from multiprocessing import get_context
from pathlib import Path

from lssat import params, tables
from lssat.data import datasets
from lssat.data.datasets import ffpp, lists
from lssat.data.datasets.affectnet import codes
from lssat.data.datasets.celeba import IMAGES
from lssat.grid.labels import ATTRIBUTES

# First bytes, by which a manifest knows what can be read.
JPEG, MP4 = b"\xff\xd8\xff\xe0", b"\0\0\0\x18ftypisom\0\0\0\0"
COMMON = {"shards": 64, "rejects_limit": 0.0}


def celeba(root: Path, share: float) -> params.Dataset:
    (root / "img_align_celeba").mkdir(parents=True)
    rng = random.Random(0)
    rows: dict[str, list[str]] = {
        "list_attr_celeba.txt": [],
        "list_eval_partition.txt": [],
        "identity_CelebA.txt": [],
    }
    counts = [round(share * n) for n in IMAGES.values()]
    for number in range(1, sum(counts) + 1):
        name = f"{number:06}.jpg"
        (root / "img_align_celeba" / name).write_bytes(JPEG)
        values = " ".join(rng.choice(("-1", " 1")) for _ in ATTRIBUTES)
        code = (number > counts[0]) + (number > counts[0] + counts[1])
        rows["list_attr_celeba.txt"].append(f"{name} {values}")
        rows["list_eval_partition.txt"].append(f"{name} {code}")
        rows["identity_CelebA.txt"].append(f"{name} {code}{number % 3000}")
    rows["list_attr_celeba.txt"][:0] = [f"{sum(counts)}", " ".join(ATTRIBUTES)]
    for name, lines in rows.items():
        (root / name).write_text("\n".join(lines) + "\n")
    return params.SECTIONS["celeba"].model_validate(dict(root=str(root), **COMMON))


def affectnet_csv(root: Path, share: float) -> params.Dataset:
    header = "subDirectory_filePath,face_x,face_y,face_width,face_height,facial_landmarks"
    points = ";".join(f"{100 + i}.25;{200 + i}.5" for i in range(68))
    for split, name in (("train", "training.csv"), ("val", "validation.csv")):
        lines = [f"{header},expression,valence,arousal"]
        for code, count in codes.CSV[split].items():
            for number in range(round(share * count)):
                path = f"{number % 1300}/{split}{code}_{number:040}.jpg"
                image = root / "Manually_Annotated_Images" / path
                image.parent.mkdir(parents=True, exist_ok=True)
                image.write_bytes(JPEG)
                lines.append(f"{path},134,134,899,899,{points},{code},0.785714,-0.055556")
        (root / name).write_text("\n".join(lines) + "\n")
    return params.SECTIONS["affectnet"].model_validate(
        dict(root=str(root), classes=8, layout="csv", **COMMON)
    )


def affectnet_npy(root: Path, share: float) -> params.Dataset:
    import io

    import numpy as np

    for split, classes in codes.NPY.items():
        for part in ("images", "annotations"):
            (root / f"{split}_set/{part}").mkdir(parents=True)
        id = 0
        for code, count in classes.items():
            buffer = io.BytesIO()
            np.save(buffer, np.array(code))
            for _ in range(round(share * count)):
                (root / f"{split}_set/images/{id}.jpg").write_bytes(JPEG)
                (root / f"{split}_set/annotations/{id}_exp.npy").write_bytes(buffer.getvalue())
                id += 1
    return params.SECTIONS["affectnet"].model_validate(
        dict(root=str(root), classes=8, layout="npy", **COMMON)
    )


def faceforensics(root: Path, share: float) -> params.Dataset:
    shipped = lists.json_of(ffpp.SHIPPED)
    for pair in (pair for split in ffpp.SPLITS for pair in shipped[split]):
        for folder, names in [("original_sequences/youtube", pair)] + [
            (f"manipulated_sequences/{method}", ["_".join(pair), "_".join(pair[::-1])])
            for method in ffpp.METHODS
        ]:
            for name in names:
                video = root / folder / f"c23/videos/{name}.mp4"
                video.parent.mkdir(parents=True, exist_ok=True)
                video.write_bytes(MP4)
    methods = list(ffpp.METHODS)
    return params.SECTIONS["ffpp"].model_validate(
        dict(root=str(root), compression="c23", methods=methods, frames=32, **COMMON)
    )


LAYOUTS: dict[str, tuple[str, Callable[[Path, float], params.Dataset]]] = {
    "ffpp": ("ffpp", faceforensics),
    "celeba": ("celeba", celeba),
    "affectnet_csv": ("affectnet", affectnet_csv),
    "affectnet_npy": ("affectnet", affectnet_npy),
}


def ours(dataset: str, options: params.Dataset, out: Path) -> int:
    datasets.manifest(dataset, options, out / "manifest.parquet", out / "rejects.parquet")
    return 0


def least(dataset: str, options: params.Dataset, out: Path) -> int:
    return sum(len(path.read_bytes()) for path in files(Path(options.root)))


def files(folder: Path) -> Iterator[Path]:
    for path in folder.iterdir():
        if path.suffix in ("", ".csv", ".txt", ".npy"):
            yield from files(path) if path.is_dir() else [path]


def timed(work: Callable, *arguments) -> tuple[float, float]:
    """Run in a fresh process; return seconds and its largest memory in MiB."""
    with get_context("spawn").Pool(1) as pool:
        return pool.apply(_measure, (work, *arguments))


def _measure(work: Callable, *arguments) -> tuple[float, float]:
    started = time.perf_counter()
    work(*arguments)
    seconds = time.perf_counter() - started
    # Not ru_maxrss, which starts from the parent's.
    status = Path("/proc/self/status").read_text()
    return seconds, int(status.partition("VmHWM:")[2].split()[0]) / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--share", type=float, default=1.0, help="of the official counts")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--layouts", nargs="+", choices=LAYOUTS, default=list(LAYOUTS))
    asked = parser.parse_args()
    for name in asked.layouts:
        dataset, draw = LAYOUTS[name]
        with tempfile.TemporaryDirectory() as folder:
            options = draw(Path(folder) / "raw", asked.share)
            rounds = [
                [timed(work, dataset, options, Path(folder)) for work in (ours, least)]
                for _ in range(asked.repeats + 1)
            ][1:]
            seconds = [medians.median(each[i][0] for each in rounds) for i in range(2)]
            memory = max(each[0][1] for each in rounds)
            rows = tables.read_table(Path(folder) / "manifest.parquet", tables.MANIFEST)
            print(
                f"{name}: {rows.num_rows:,} rows in {seconds[0]:.2f} s, {memory:,.0f} MiB; "
                f"the least {seconds[1]:.2f} s, ratio {seconds[0] / seconds[1]:.1f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
