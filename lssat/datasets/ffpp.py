"""FaceForensics++ (Roessler et al. 2019): videos, and three lists of pairs of originals.

A pair [a, b] stands for the originals a and b and, per method, the fakes a_b and b_a. The
methods share these names, so a video's id is method/compression/name.
"""

import re
from pathlib import Path

from lssat.datasets import tree
from lssat.tables import DataError, reject

METHODS = ("Deepfakes", "Face2Face", "FaceSwap", "NeuralTextures", "FaceShifter")
REAL = "original"  # the subset of the originals
SPLITS = ("train", "val", "test")

_NAME = re.compile(r"[A-Za-z0-9]+")  # of an original; a fake's name joins two by "_"


def read(options) -> tuple[list[dict], list[dict]]:
    """Read the lists of pairs and look for each video that they call for.

    Args:
        options: `params.Ffpp`.

    Returns:
        Rows of the manifest and rejects (missing). Labels: [0] real, [1] fake.

    Raises:
        DataError: a root, list, method or folder is absent, or a list is not one of pairs.
    """
    base = tree.root(options, "ffpp")
    compression = options.compression
    folders = {REAL: f"original_sequences/youtube/{compression}/videos"}
    for method in options.methods:
        _check_method(base, method)
        folders[method] = f"manipulated_sequences/{method}/{compression}/videos"
    there = {method: _videos(base, folder) for method, folder in folders.items()}
    rows, rejects = [], []
    for split in SPLITS:
        for pair in _pairs(base, split):
            for method, name, numbers in _wanted(pair, options.methods):
                id = f"{method}/{compression}/{name}"
                path = f"{folders[method]}/{name}.mp4"
                if f"{name}.mp4" not in there[method]:
                    rejects.append(reject("ffpp", id, path, "manifest", "missing"))
                    continue
                labels, group = [int(method != REAL)], "_".join(sorted(pair))
                kinds = {"subset": method, "groups": numbers, "group": group}
                rows.append(tree.row("ffpp", id, path, "video", labels, split, **kinds))
    return rows, rejects


def _wanted(pair: list[str], methods: list[str]):
    """Yield (subset, name, numbers in the name) of each video that a pair calls for."""
    for number in pair:
        yield REAL, number, [number]
    for target, source in (pair, pair[::-1]):
        for method in methods:
            yield method, f"{target}_{source}", [target, source]


def _check_method(base: Path, method: str) -> None:
    key = "datasets.ffpp.methods"
    if method not in METHODS:
        hint = tree.near(method, list(METHODS))
        raise DataError("params.yaml", f"{key}: unknown method {method!r}", f"Correct it; {hint}")
    folder = base / "manipulated_sequences"
    known = sorted(path.name for path in folder.glob("*")) if folder.is_dir() else []
    if method not in known:
        hint = f"there are {', '.join(known)}" if known else "there is none"
        problem = f"has no folder {method}, which {key} asks for; {hint}"
        raise DataError(folder, problem, f"Name it as the release does, or take it out of {key}")


def _videos(base: Path, folder: str) -> set[str]:
    what = f"the release's folder of videos at this compression ({folder})"
    return tree.names(tree.find(base, folder, ("",), "ffpp", what), base)


def _pairs(base: Path, split: str) -> list[list[str]]:
    what = "the official list of pairs of this split"
    path = tree.find(base, f"{split}.json", ("splits", ""), "ffpp", what)
    pairs = tree.json_of(path)
    if not isinstance(pairs, list):
        raise DataError(path, "is not a list of pairs", "Fetch the list again")
    for pair in pairs:
        if not (isinstance(pair, list) and len(pair) == 2 and all(map(_is_name, pair))):
            example = 'Write each as ["003", "000"], as text'
            raise DataError(path, f"{pair!r} is not a pair of names of videos", example)
    return pairs


def _is_name(name) -> bool:
    return isinstance(name, str) and _NAME.fullmatch(name) is not None
