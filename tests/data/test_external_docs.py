"""What docs/rivals.md does to get another program's table, followed to the letter."""

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml
from helpers import ROOT
from PIL import Image

from lssat import params, tables
from lssat.data import external
from lssat.grid import releases
from lssat.tables.project import Project, Splits

PAGE = (ROOT / "docs/rivals.md").read_text(encoding="utf-8")
PAGE = PAGE[PAGE.index("# Results of other programs") :]
DEEPFAKEBENCH, SKLEARN = re.findall(r"^```python\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)


def splits(root: Path, task: str, ids: dict[str, list[str]], labels: dict[str, list]) -> Splits:
    made = Project(root).data(task).splits
    for name, file in made.tables.items():
        found = [
            dict(id=id, frame=0, clip=-1, shard=0, row=0, labels=labels[id], subset="",
                 split=name, group=id, seed=0)
            for id in ids[name]
        ]  # fmt: skip
        tables.write_table(file, found, tables.SPLITS, releases.TASKS[task].header())
    for name in ("train", "val", "test", "unused"):
        text = "".join(f"{id}\n" for id in ids.get(name, []))
        tables.write_text(made.files[f"{name}_ids"], text)
    rows = [(id, 0, name) for name in ("test", "val") for id in ids[name]]
    tables.write_csv(made.files["samples"], ("id", "frame", "split"), rows)
    return made


def follow(code: str, folder: Path) -> None:
    environment = {key: os.environ[key] for key in ("PATH", "OMP_NUM_THREADS") if key in os.environ}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, env=environment, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def test_frames_of_deepfakebench_become_videos(tmp_path: Path) -> None:
    """Paths as its `preprocess` makes them and its `data_dict["image"]` holds them."""
    base, rng = "FaceForensics++", np.random.default_rng(0)
    frames = {
        "original/c23/000": f"{base}/original_sequences/youtube/c23/frames/000",
        "Deepfakes/c23/000_003": f"{base}/manipulated_sequences/Deepfakes/c23/frames/000_003",
    }
    images = [f"{folder}/{n:03d}.png" for folder in frames.values() for n in (0, 14, 28)]
    probs = rng.uniform(size=len(images)).astype(np.float32)
    np.savez(tmp_path / f"{base}.npz", image=images, prob=probs)
    follow(DEEPFAKEBENCH, tmp_path)
    ids = {"train": [], "val": [], "test": list(frames)}
    made = splits(tmp_path, "ffpp", ids, {id: [k] for k, id in enumerate(frames)})
    external.check(tmp_path / "xception.csv", made)
    read = external.read(tmp_path / "xception.csv", releases.TASKS["ffpp"])
    assert dict(zip(read.ids, read.values[:, 0], strict=True)) == pytest.approx(
        dict(zip(frames, probs.reshape(2, 3).mean(axis=1), strict=True)), abs=1e-6
    )


@pytest.mark.slow
def test_a_forest_of_scikit_learn_scores_test_and_val(tmp_path: Path) -> None:
    root, rng = tmp_path / "data/raw/sample/celeba", np.random.default_rng(0)
    (root / "img_align_celeba").mkdir(parents=True)
    ids = {"train": range(1, 13), "val": range(13, 15), "test": range(15, 18)}
    names = {split: [f"{n:06d}.jpg" for n in own] for split, own in ids.items()}
    labels, attributes = {}, releases.TASKS["celeba"].classes
    lines = ["17", " ".join(attributes)]
    for id in sorted(id for own in names.values() for id in own):
        labels[id] = [0, *rng.integers(0, 2, 39).tolist()]  # the first is the same in all
        Image.fromarray(rng.integers(0, 256, (32, 32, 3), np.uint8)).save(
            root / "img_align_celeba" / id
        )
        lines.append(f"{id} " + " ".join("1" if value else "-1" for value in labels[id]))
    (root / "list_attr_celeba.txt").write_text("\n".join(lines) + "\n")
    made = splits(tmp_path, "celeba", names, labels)
    follow(SKLEARN, tmp_path)
    external.check(tmp_path / "forest.csv", made)
    read = external.read(tmp_path / "forest.csv", releases.TASKS["celeba"])
    assert read.ids == [*names["test"], *names["val"]]
    assert (read.values[:, 0] == 0).all()
    assert 0 < read.values[:, 1:].mean() < 1


def test_the_entries_that_the_page_shows_are_valid() -> None:
    (block,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    values = yaml.safe_load((ROOT / "params.yaml").read_text())
    values["benchmark"] |= yaml.safe_load(block)["benchmark"]
    named = params.Params.model_validate(values).external()
    assert named["celeba/forest/external/seed0"] == "forest.parquet"
