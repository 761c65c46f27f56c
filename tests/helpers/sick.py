"""Small whole trees for the doctor, and ways to damage them."""

import json
from pathlib import Path

import numpy as np
from PIL import Image

from helpers import trees
from lssat.data import doctor
from lssat.data.doctor.findings import Inventory
from lssat.tables import DataError

PAGE = b"<!DOCTYPE html><html><title>Google Drive - Quota exceeded</title>"
POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n"
NAMES = [f"{n:06}.jpg" for n in range(1, 11)]
CODES = {"train": {"7": "7", "10": "0", "9": "3"}, "val": {"7": "7", "12": "8", "0": "2"}}


def ffpp(root: Path) -> Path:
    """Videos that begin as MP4 does, and hold no more."""
    trees.ffpp(root)
    for video in root.rglob("*.mp4"):
        video.write_bytes(b"\0\0\0\x18ftypmp42" + bytes(12))
    return root


def celeba(root: Path) -> Path:
    return trees.celeba(root, NAMES, "0000001122", list("1123456789"))


def affectnet(root: Path) -> Path:
    return trees.affectnet(root, CODES)


MAKE = {"ffpp": ffpp, "celeba": celeba, "affectnet": affectnet}
OPTIONS = {
    "ffpp": trees.ffpp_options,
    "celeba": trees.celeba_options,
    "affectnet": trees.affectnet_options,
}


def inspect(dataset: str, root: Path, configured: bool = True, deep: bool = False) -> Inventory:
    """The doctor's view, of a tree in a params.yaml or (not `configured`) of one without."""
    made = OPTIONS[dataset](root) if configured else doctor.stand_in(dataset, root)
    return doctor.inspect(dataset, made, configured, deep)


def said(inventory: Inventory, severity: str = "error") -> list[str]:
    """The findings of one severity, as they are printed but for the examples."""
    return [
        f"{each.path}: {each.problem}. {each.fix}."
        for each in inventory.findings
        if each.severity == severity
    ]


def reader_is_content(dataset: str, root: Path) -> bool:
    """Whether the reader takes the tree without a loss."""
    from lssat.data import datasets
    from lssat.data.datasets.repeated_ids import without_repeats

    try:
        rows, rejects = datasets.reader(dataset).read(OPTIONS[dataset](root))
        without_repeats(rows, root)
    except DataError:
        return False
    return all(row["reason"] in ("excluded_class", "duplicate") for row in rejects)


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def _first(root: Path, pattern: str) -> Path:
    return min(root.rglob(pattern))


def cut_lines(path: Path, keep: int) -> None:
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:keep]))


# Each leaves a tree of which the reader must lose something: it refuses or rejects.
DAMAGE = {
    "ffpp": {
        "list missing": lambda root: (root / "splits/val.json").unlink(),
        "list a page": lambda root: (root / "splits/val.json").write_bytes(PAGE),
        "list no pairs": lambda root: (root / "splits/val.json").write_text("[1, 2]"),
        "method misspelt": lambda root: (root / "manipulated_sequences/Face2Face").rename(
            root / "manipulated_sequences/face2face"
        ),
        "method missing": lambda root: (root / "manipulated_sequences/Face2Face/c23").rename(
            root / "manipulated_sequences/Face2Face/c40"
        ),
        "originals missing": lambda root: (root / "original_sequences/youtube/c23").rename(
            root / "original_sequences/youtube/c40"
        ),
        "video missing": lambda root: _first(root, "*.mp4").unlink(),
    },
    "celeba": {
        "list missing": lambda root: (root / "identity_CelebA.txt").unlink(),
        "list cut": lambda root: cut_lines(root / "list_attr_celeba.txt", 6),
        "partition cut": lambda root: cut_lines(root / "list_eval_partition.txt", 6),
        "identities cut": lambda root: cut_lines(root / "identity_CelebA.txt", 6),
        "row of other width": lambda root: edit(root / "identity_CelebA.txt", " 4", " 4 4"),
        "partition code": lambda root: edit(root / "list_eval_partition.txt", " 2", " 3"),
        "attribute value": lambda root: edit(root / "list_attr_celeba.txt", "-1", " 0"),
        "list a page": lambda root: (root / "list_eval_partition.txt").write_bytes(PAGE),
        "image missing": lambda root: (root / "img_align_celeba/000003.jpg").unlink(),
        "images missing": lambda root: (root / "img_align_celeba").rename(root / "images"),
    },
    "affectnet": {
        "folder missing": lambda root: (root / "val_set").rename(root / "validation"),
        "image missing": lambda root: (root / "val_set/images/7.jpg").unlink(),
        "annotation missing": lambda root: (root / "val_set/annotations/7_exp.npy").unlink(),
        "annotation a page": lambda root: (root / "val_set/annotations/7_exp.npy").write_bytes(
            PAGE
        ),
        "unknown code": lambda root: np.save(
            root / "val_set/annotations/7_exp.npy", np.array(["11"])
        ),
    },
}


def more_pairs(root: Path) -> None:
    """A list of more pairs than there are, each of whose videos is there."""
    file = root / "splits/train.json"
    file.write_text(json.dumps([*json.loads(file.read_text()), ["100", "200"]]))
    for folder in root.rglob("videos"):
        names = ("100", "200") if "original" in str(folder) else ("100_200", "200_100")
        for name in names:
            (folder / f"{name}.mp4").write_bytes(b"\0\0\0\x18ftypmp42" + bytes(12))


def wrong_inside(path: Path) -> None:
    """A JPEG that begins well and is cut in its middle."""
    image = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    Image.fromarray(image).save(path, "JPEG")
    path.write_bytes(path.read_bytes()[:-700])
