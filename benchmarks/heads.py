"""Show that features are computed once per backbone and never per head, on 100,000 crops.

    python benchmarks/heads.py
    python benchmarks/heads.py --images 400000 --size 112 --backbone vit_small

Drawn crops (noise, of class 1 half as bright), so many of training and a fiftieth of it each of
validation and test; an encoder with weights of a file; the sample's recipe of a probe, one epoch of
batches of 256. In one process and thread, for each head (its own learning rate) and then for the
nearest neighbours: crops that went through the encoder, seconds of CPU and of the clock, and the
most memory of the process's own. Crops and features are read as mapped files, which the system may
drop at any time.
"""

import argparse
import contextlib
import re
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
import torch
from loader import SHARD, write_table
from safetensors.torch import save_file

from lssat import params, tables
from lssat.evaluation import knn
from lssat.grid import Run, releases
from lssat.models import backbones
from lssat.tables.project import Project
from lssat.training import features
from lssat.training import train as step
from lssat.training.loader import Crops

PROJECT = Path(__file__).resolve().parent.parent
PARTS = {"train": 1.0, "val": 0.02, "test": 0.02}  # of --images
RATES = (0.1, 0.05, 0.02)


def draw(project: Project, images: int, size: int) -> None:
    """Write crops shard by shard, so that memory does not grow with them, and their splits."""
    data, rng, rows = project.data("celeba"), np.random.default_rng(0), []
    counts = {name: max(8, round(images * share)) for name, share in PARTS.items()}
    total = sum(counts.values())
    for number, start in enumerate(range(0, total, SHARD)):
        count = min(SHARD, total - start)
        imgs = rng.integers(0, 256, (count, size, size, 3), dtype=np.uint8)
        imgs[1::2] //= 2
        own = [
            dict(id=f"{start + i:07d}", clip=-1, shard=number, row=i, labels=[i % 2] * 40)
            for i in range(count)
        ]
        shard = data.faces.shard(number)
        head = {"settings": '{"boxes": "drawn"}', "sha256": tables.write_shard(shard.npy, imgs)}
        kept = [{k: v for k, v in row.items() if k != "labels"} for row in own]
        write_table(shard.table, kept, tables.FACES, head)
        rows += own
    start = 0
    for name, count in counts.items():
        part = [row | dict(split=name, group=row["id"]) for row in rows[start : start + count]]
        header = releases.TASKS["celeba"].header()
        write_table(data.splits.tables[name], part, tables.SPLITS, header)
        start += count


@contextlib.contextmanager
def counting(seen: list[int]) -> Iterator[None]:
    """Count the crops that go through an encoder for their features."""
    batches = features.Maker._batches

    def counted(self: features.Maker, crops: Crops, run: str) -> Iterator[np.ndarray]:
        for each in batches(self, crops, run):
            seen[0] += len(each)
            yield each

    features.Maker._batches = counted
    try:
        yield
    finally:
        features.Maker._batches = batches


def measured(work: Callable[[], object], seen: list[int]) -> str:
    """Do something, and say what it took."""
    before, done, most = seen[0], threading.Event(), [0.0]

    def watch() -> None:
        while True:
            most[0] = max(most[0], own_memory())
            if done.wait(0.05):
                return

    watching = threading.Thread(target=watch)
    watching.start()
    cpu, clock = time.process_time(), time.perf_counter()
    try:
        work()
    finally:
        done.set()
        watching.join()
    cpu, clock = time.process_time() - cpu, time.perf_counter() - clock
    crops = f"{seen[0] - before:,} crops through the encoder"
    return f"{crops}, {cpu:.1f} s of CPU, {clock:.1f} s, {most[0]:.2f} GiB"


def own_memory() -> float:
    """Return the memory of this process in GiB, without files that it maps."""
    text = Path("/proc/self/status").read_text()
    return int(re.findall(r"RssAnon:\s+(\d+) kB", text)[0]) / 2**20


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=100_000)
    parser.add_argument("--size", type=int, default=32)
    parser.add_argument("--backbone", default="vit_micro")
    options = parser.parse_args()
    torch.set_num_threads(1)
    sample = params.load(PROJECT / "presets/sample.yaml")
    seen = [0]
    with counting(seen), tempfile.TemporaryDirectory() as temporary:
        project = Project(Path(temporary))
        draw(project, options.images, options.size)
        weights = Path(temporary) / "encoder.safetensors"
        save_file(backbones.build(options.backbone, options.size).state_dict(), weights)
        print(f"{options.images:,} crops of {options.size} px for training, {options.backbone}; "
              f"{own_memory():.2f} GiB before the first head")  # fmt: skip
        data = project.data("celeba")
        for number, rate in enumerate(RATES):
            run = Run("celeba", options.backbone, "none-none-CRGB+probe", number)
            same = {"weights": str(weights), "epochs": 1, "warmup_epochs": 0, "lr": rate}
            same |= {"batch_size": 256}
            recipe = sample.recipe(run.configuration).model_copy(update=same)
            changed = sample.model_copy(update={"train": recipe})
            view = params.view(params.section_json(changed, "train"), params.views.TrainView)
            out = project.runs.run(run.path)
            where = step.Files(
                train=data.splits.train, val=data.splits.val, faces=data.faces.root, codes=None,
                weights=out.weights, curve=out.curve, record=out.record,
                reconstruction=out.reconstruction, checkpoints=project.states / run.path,
                features=project.features,
            )  # fmt: skip
            print(f"head {number + 1}, lr {rate}: "
                  + measured(partial(step.train, run, where, view), seen))  # fmt: skip
        near = knn.Files(out.root, data.splits.tables, data.faces.root, out.root, project.features)
        print("nearest neighbours: " + measured(partial(knn.knn, run, near), seen))
        size = sum(file.stat().st_size for file in project.features.glob("*.npy"))
        print(f"features on disk: {len(list(project.features.glob('*.npy')))} files, "
              f"{size / 2**20:.1f} MiB")  # fmt: skip


if __name__ == "__main__":
    main()
