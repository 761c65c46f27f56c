"""Every layout that the readers know, drawn."""

from pathlib import Path

from helpers import sick, trees
from lssat import params

CSV = {
    "train": [("1/a.jpg", trees.BOX, "0"), ("2/b.jpg", trees.BOX, "1"),
              ("2/c.jpg", "NULL,NULL,NULL,NULL", "10")],
    "val": [("3/d.jpg", trees.BOX, "2")],
}  # fmt: skip


def headed(root: Path) -> Path:
    """Give empty videos of a tree the first bytes of MP4."""
    for video in root.rglob("*.mp4"):
        video.write_bytes(b"\0\0\0\x18ftypmp42" + bytes(12))
    return root


def frames(root: Path) -> Path:
    trees.ffpp(root, kind="images")
    for folder in root.rglob("images/*"):
        trees.jpeg(folder / "0000.png", trees.picture(0, 32, 32))
    return root


def old(root: Path) -> Path:
    """The older layout of the originals, the older name of the uncompressed release."""
    trees.ffpp(root, compression="c0")
    (root / "original_sequences/youtube/c0").rename(root / "original_sequences/c0")
    (root / "original_sequences/youtube").rmdir()
    return headed(root)


def celeba(root: Path, form: str) -> Path:
    return trees.celeba(root, sick.NAMES, "0000001122", list("1123456789"), form)


LAYOUTS = {
    "frames": ("ffpp", frames, {}),
    "old": ("ffpp", old, {"compression": "raw"}),
    "png": ("celeba", lambda root: celeba(root, "png"), {}),
    "zip": ("celeba", lambda root: celeba(root, "zip"), {}),
    "csv": ("affectnet", lambda root: trees.affectnet_csv(root, CSV), {}),
    "folders": ("affectnet", lambda root: trees.affectnet_folders(root, ["Happy", "Sad"]), {}),
    "celebdf": ("celebdf", lambda root: headed(trees.celebdf(root)), {}),
    "dfdc": ("dfdc", lambda root: headed(trees.dfdc(root)), {}),
    "dfd": ("dfd", lambda root: headed(trees.dfd(root)), {}),
}


def options(dataset: str, root: Path, **other) -> params.Dataset:
    if dataset in sick.OPTIONS:
        return sick.OPTIONS[dataset](root, **other)
    return trees.options_of_a_test_set(dataset, root, **other)
