"""FaceForensics++ (Roessler et al. 2019): videos, and three lists of pairs of originals.

A pair [a, b] stands for the originals a and b and, per method, the fakes a_b and b_a. The
methods share these names, so a video's id is method/compression/name.
"""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lssat.data.datasets import lists, tree
from lssat.params.base import nearest, texts
from lssat.tables import DataError
from lssat.tables.rows import SampleRow

METHODS = ("Deepfakes", "Face2Face", "FaceSwap", "NeuralTextures", "FaceShifter")
REAL = "original"  # the subset of the originals
SPLITS = ("train", "val", "test")
LISTS = tuple(f"{split}.json" for split in SPLITS)
PAIRS = {"train": 360, "val": 70, "test": 70}  # section 4, and the authors' lists
ORIGINALS = {split: 2 * pairs for split, pairs in PAIRS.items()}  # as many fakes of each method
SHIPPED = Path(__file__).with_name("ffpp_pairs.json")  # the authors' lists

_NAME = re.compile(r"[A-Za-z0-9]+")  # of an original; a fake's name joins two by "_"
_SPELLINGS = {"raw": ("raw", "c0"), "c0": ("c0", "raw")}  # one folder, two generations of names


def read(options: Any) -> tree.Reading:
    """Read the videos of one compression, of all splits; see `read_at`."""
    return read_at(options, "ffpp", options.compression, SPLITS)


def read_at(options: Any, dataset: str, compression: str, splits: tuple[str, ...]) -> tree.Reading:
    """Read the lists of pairs and look for each video that they call for.

    Lists found in the tree (`splits/` or its root) come first; where it has none, as the
    release's download leaves it, the authors' own are used, which ship with this package.

    Args:
        options: `methods`; the root is that of FaceForensics++.
        dataset: the section's name.
        compression, splits: which videos.

    Returns:
        Rows of the manifest and rejects (missing). Labels: [0] real, [1] fake. Ids spell the
        uncompressed release "raw", whatever its folder is called.

    Raises:
        DataError: a root, list, method or folder is absent, or a list is not one of pairs.
    """
    base = tree.root(options, dataset)
    for method in options.methods:
        _check_method(base, method, dataset)
    prefixes = {REAL: ["original_sequences/youtube", "original_sequences"]}
    prefixes |= {method: [f"manipulated_sequences/{method}"] for method in options.methods}
    media, folders = places(base, prefixes, compression, dataset)
    there = {method: tree.names(base / folder, base) for method, folder in folders.items()}
    suffix, compression = suffix_of(media), spelling(compression)
    samples = tree.Samples(dataset, media)
    listed = {split: pairs for split, pairs in _lists(base).items() if split in splits}
    for split, pairs in listed.items():
        for pair in pairs:
            for method, name, numbers in _wanted(pair, options.methods):
                id, file = f"{method}/{compression}/{name}", f"{name}{suffix}"
                path, present = f"{folders[method]}/{file}", file in there[method]
                labels, group = [int(method != REAL)], "_".join(sorted(pair))
                samples.add(present, id, path, labels, split, numbers, group, method)
    return samples.rows, samples.rejects


def whole(options: Any, rows: list[SampleRow]) -> int:
    """Return how many originals and fakes of the methods the release has."""
    return sum(ORIGINALS.values()) * (1 + len(options.methods))


def problems(section: dict, root: Path) -> Iterator[tuple[tuple, str]]:
    """Yield what is wrong with the section of params.yaml, by key: methods of no release."""
    folder = root / "manipulated_sequences"
    for number, method in enumerate(texts(section.get("methods"))):
        if method not in METHODS and not (folder / method).is_dir():
            there = sorted(os.listdir(folder)) if folder.is_dir() else []
            yield ("methods", number), f"unknown {method!r}{nearest(method, [*METHODS, *there])}"


def spelling(compression: str) -> str:
    """Return the name of a compression in ids: raw, c23 or c40."""
    return "raw" if compression == "c0" else compression


def suffix_of(media: str) -> str:
    """Return what follows a video's name: extracted frames are a folder of that name."""
    return ".mp4" if media == "video" else ""


def places(
    base: Path, prefixes: dict[str, list[str]], compression: str, dataset: str
) -> tuple[str, dict[str, str]]:
    """Find the folder of each subset; all hold videos, or all hold extracted frames.

    Args:
        prefixes: where each subset may lie below the root, the newest layout first.

    Returns:
        `video` or `frames` (`<compression>/images/<video>/%04d.png`), videos where a tree has
        both, and the folders relative to the root.

    Raises:
        DataError: a subset has neither, or some have only videos and others only frames, which
            would let a model tell real from fake by how it was stored.
    """
    folders: dict[str, dict[str, str]] = {"videos": {}, "images": {}}
    for subset, options in prefixes.items():
        for kind, known in folders.items():
            tried = [
                f"{prefix}/{folder}/{kind}"
                for prefix in options
                for folder in _SPELLINGS.get(compression, (compression,))
            ]
            there = [path for path in tried if tree.exists(base / path)]
            if there:
                known[subset] = there[0]
        if not any(subset in known for known in folders.values()):
            path = f"{options[0]}/{compression}/videos"
            what = f"the release's folder of videos at this compression ({path})"
            tree.find(base, path, ("",), dataset, what)
    for kind, media in (("videos", "video"), ("images", "frames")):
        if len(folders[kind]) == len(prefixes):
            return media, folders[kind]
    kinds = "; ".join(f"{kind}: {', '.join(folders[kind])}" for kind in folders)
    problem = f"holds videos of some subsets and extracted frames of others ({kinds})"
    raise DataError(base, problem, "Give all of them in one form")


def _wanted(pair: list[str], methods: list[str]):
    """Yield (subset, name, numbers in the name) of each video that a pair calls for."""
    for number in pair:
        yield REAL, number, [number]
    for target, source in (pair, pair[::-1]):
        for method in methods:
            yield method, f"{target}_{source}", [target, source]


def _check_method(base: Path, method: str, dataset: str) -> None:
    key = f"datasets.{dataset}.methods"
    if method == "DeepFakeDetection":
        problem = f"{key}: DeepFakeDetection has no official split and is only tested on"
        raise DataError("params.yaml", problem, "Give it a section datasets.dfd of its own")
    if method not in METHODS:
        hint = tree.near(method, list(METHODS))
        raise DataError("params.yaml", f"{key}: unknown method {method!r}", f"Correct it; {hint}")
    folder = base / "manipulated_sequences"
    known = tree.folders(folder, base) if tree.exists(folder) else []
    if method not in known:
        hint = f"there are {', '.join(known)}" if known else "there is none"
        problem = f"has no folder {method}, which {key} asks for; {hint}"
        near = tree.meant(base, [f"manipulated_sequences/{method}"])
        fix = f"{near}Name it as the release does, or take it out of {key}"
        raise DataError(folder, problem, fix)


def _lists(base: Path) -> dict[str, list[list[str]]]:
    tried = [base / folder / name for name in LISTS for folder in ("splits", "")]
    if not any(tree.exists(path) for path in tried):
        shipped = lists.json_of(SHIPPED)
        return {split: shipped[split] for split in SPLITS}
    return {split: _pairs(base, split) for split in SPLITS}


def _pairs(base: Path, split: str) -> list[list[str]]:
    what = "the official list of pairs of this split"
    path = tree.find(base, f"{split}.json", ("splits", ""), "ffpp", what)
    pairs = lists.json_of(path)
    if not isinstance(pairs, list):
        raise DataError(path, "is not a list of pairs", "Fetch the list again")
    for pair in pairs:
        if not (isinstance(pair, list) and len(pair) == 2 and all(map(_is_name, pair))):
            example = 'Write each as ["003", "000"], as text'
            raise DataError(path, f"{pair!r} is not a pair of names of videos", example)
    return pairs


def _is_name(name) -> bool:
    return isinstance(name, str) and _NAME.fullmatch(name) is not None
