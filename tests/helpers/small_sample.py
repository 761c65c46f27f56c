"""The built-in sample with fewer people: its trees, and what the data steps make of them."""

from pathlib import Path

import pytest

from helpers import ROOT
from helpers.trees import METHODS
from lssat import params
from lssat.data import datasets, faces, sample, splits
from lssat.data import texture as texture_cache
from lssat.data.sample import affectnet, celeba, ffpp
from lssat.tables.project import Data

PRESET = params.load(ROOT / "presets/sample.yaml")
SEED = 3
PEOPLE = {"train": 4, "val": 2, "test": 2}  # originals of ffpp
FRAMES = 4  # of a video: two for encoders of images, all as a clip
PORTRAITS = {"train": 20, "val": 4, "test": 6}  # images of celeba
EXPRESSIONS = {"train_set": (4, 4, 3, 3, 2, 2, 2, 2), "val_set": (2,) * 8}  # of affectnet
OWN = {
    "ffpp": {"methods": METHODS, "clips": 1, "clip_frames": FRAMES, "clip_stride": 1},
    "celeba": {},
    "affectnet": {},
}


def draw(tree: str, folder: Path) -> Path:
    """Draw a tree below `folder`, and its inventory beside it; return its root."""
    root = folder / tree
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ffpp, "SIZES", PEOPLE)
        patch.setattr(ffpp, "FRAMES", FRAMES)
        patch.setattr(celeba, "IMAGES", PORTRAITS)
        patch.setattr(affectnet, "IMAGES", EXPRESSIONS)
        sample.write(tree, root, root.with_suffix(".json"), SEED)
    return root


def prepare(task: str, root: Path, out: Path) -> None:
    """Make faces/, texture/ldp and /lbp, and splits/ below `out`: the data steps, in a row."""
    options = getattr(PRESET.datasets, task)
    options = options.model_copy(update={"root": str(root), "shards": 1, **OWN[task]})
    data = Data(out)
    crops = data.faces.shard(0)
    datasets.manifest(task, options, data.manifest, data.rejects)
    faces.crop_shard(data.manifest, task, options, PRESET.faces, 0, *crops)
    for kind in ("ldp", "lbp"):
        codes = data.texture(kind).shard(0)
        texture = PRESET.texture.model_copy(update={"kind": kind})
        texture_cache.write_shard(crops.npy, crops.table, texture, codes.npy, codes.table)
    read = data.manifest, data.rejects, [crops.table], [crops.rejects]
    splits.write(task, *read, options, PRESET.splits, data.splits.files)
