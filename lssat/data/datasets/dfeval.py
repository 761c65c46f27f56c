"""Deepfake-Eval-2024 (Chandra et al. 2025), its videos: only tests, collected on the web in 2024.

`video-metadata-publish.csv` names each video of `video-data` and says of its pictures and of its
sound whether they are real or fake; only the pictures count here.
"""

from typing import Any

from lssat.data.datasets import lists, tree
from lssat.tables import DataError

METADATA, FOLDER = "video-metadata-publish.csv", "video-data"
LISTS = (METADATA,)
SELECTS = True  # of a part, the other videos are no extra files
NAME, TRUTH, PART = "Filename", "Video Ground Truth", "Finetuning Set"

_CODES = {"Real": 0, "Fake": 1}


def read(options: Any) -> tree.Reading:
    """Read the metadata and look for each video.

    Args:
        options: `part`: all videos, or those that the authors keep for tests after fine-tuning.

    Returns:
        Rows of the manifest, every one of the split test, and rejects (missing, excluded_class:
        the truth is neither Real nor Fake). Labels: [0] real, [1] fake. Each video is a group:
        nobody says who is shown.

    Raises:
        DataError: the root, the metadata, one of its columns or the folder is absent.
    """
    base = tree.root(options, "dfeval")
    path = tree.find(base, METADATA, ("",), "dfeval", "the release's list of videos")
    there = tree.names(tree.find(base, FOLDER, ("",), "dfeval", "the release's videos"), base)
    line, _, header = lists.header(path)
    if lacking := [name for name in (NAME, TRUTH, PART) if name not in header]:
        problem = f"has no column {', '.join(lacking)}; it has {', '.join(header)}"
        raise DataError(path, problem, "Fetch the list again", line)
    samples = tree.Samples("dfeval", "video")
    for number, (name, truth, part) in lists.csv(path, header, [NAME, TRUTH, PART]):
        if options.part == "test" and part.strip().lower() != "test":
            continue
        file = f"{FOLDER}/{tree.plain(name, path, number)}"
        if truth.strip() not in _CODES:
            detail = f"{TRUTH} {truth.strip() or 'empty'}"
            samples.exclude(file, file, detail)
            continue
        labels = [_CODES[truth.strip()]]
        samples.add(name in there, file, file, labels, "test", [file])
    return samples.rows, samples.rejects
