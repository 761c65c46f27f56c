"""Time linear probes whose features are to be computed, and those that find them; ours beside full.

    python benchmarks/probe.py
    python benchmarks/probe.py --images 100000 --backbones vit_small --epochs 1

Drawn crops of 80 px, a split for training and as many for validation, the sample's recipe of a
probe. Encoders have weights of a file, so that all seeds share one. In one process and thread:
the seconds of CPU of the first probe, which computes the features, of the next (another seed),
which reads them, and of a full training of the same epochs.
"""

import argparse
import shutil
import statistics
import tempfile
import time
from pathlib import Path

import torch
from loader import crops, write
from safetensors.torch import save_file

from lssat import params, texture
from lssat.grid import Run
from lssat.models import backbones
from lssat.tables.project import Project
from lssat.training import train as step

PROJECT = Path(__file__).resolve().parent.parent
SIZE = 80


def draw(folder: Path, images: int) -> None:
    """Write a project of drawn crops, the same for training and validation."""
    imgs = crops(images)[:, :SIZE, :SIZE].copy()
    drawn, prepared = folder / "drawn", Project(folder).data("ffpp")
    write(drawn, imgs, texture.codes(imgs, "ldp", bulk=True))
    prepared.splits.root.mkdir(parents=True)
    for split in ("train", "val"):
        shutil.copy(drawn / "train.parquet", prepared.splits.root / f"{split}.parquet")
    (drawn / "faces").rename(prepared.faces.root)


def timed(folder: Path, run: Run, view: params.views.TrainView) -> float:
    """Train a run and return its seconds of CPU."""
    project, begun = Project(folder), time.process_time()
    data, out = project.data(run.task), project.runs.run(run.path)
    step.train(
        run,
        step.Files(
            train=data.splits.train,
            val=data.splits.val,
            faces=data.faces.root,
            codes=None,
            weights=out.weights,
            curve=out.curve,
            record=out.record,
            reconstruction=out.reconstruction,
            checkpoints=project.states / run.path,
            features=project.features,
        ),
        view,
    )
    return time.process_time() - begun


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=368)
    parser.add_argument("--backbones", nargs="+", default=["vit_micro", "vit_mini"])
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--seeds", type=int, default=4)
    options = parser.parse_args()
    torch.set_num_threads(1)
    sample = params.load(PROJECT / "presets/sample.yaml")
    later = []
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        draw(folder, options.images)
        for name in options.backbones:
            weights = folder / f"{name}.safetensors"
            save_file(backbones.build(name, SIZE).state_dict(), weights)
            same = {"weights": str(weights), "epochs": options.epochs, "warmup_epochs": 0}
            recipes = {
                "+probe": sample.recipe("none-none-CRGB+probe").model_copy(update=same),
                "": sample.train.model_copy(update=same),
            }
            found: dict[str, list[float]] = {}
            for variant, recipe in recipes.items():
                view = params.view(
                    params.section_json(sample.model_copy(update={"train": recipe}), "train"),
                    params.views.TrainView,
                )
                found[variant] = [
                    timed(folder, Run("ffpp", name, f"none-none-CRGB{variant}", seed), view)
                    for seed in range(options.seeds if variant else 1)
                ]
            first, *others = found["+probe"]
            later += others
            print(f"{name:12s} first probe {first:6.2f} s of CPU, a later one "
                  f"{statistics.median(others):6.2f}, full training {found[''][0]:6.2f}, ratio "
                  f"{found[''][0] / statistics.median(others):.0f}")  # fmt: skip
    print(f"{len(later)} probes after the features: {sum(later):.1f} s of CPU")


if __name__ == "__main__":
    main()
