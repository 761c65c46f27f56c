"""Celeb-DF v2 (Li et al. 2020): only tests, on the videos of its official list.

`List_of_testing_videos.txt` holds `<1|0> <path>`, where 1 is real: the reverse of our labels.
"""

import re
from pathlib import Path
from typing import Any

from lssat.data.datasets import lists, tree
from lssat.tables import DataError

LIST = "List_of_testing_videos.txt"
LISTS = (LIST,)
FOLDERS = {"Celeb-real": "1", "YouTube-real": "1", "Celeb-synthesis": "0"}  # the list's labels
VIDEOS = {"Celeb-real": 590, "YouTube-real": 300, "Celeb-synthesis": 5_639}  # of the release
TESTED = {"Celeb-real": 108, "YouTube-real": 70, "Celeb-synthesis": 340}  # of its list
OFFICIAL = {(folder, "test"): n for folder, n in TESTED.items()}

_ROW = ["<1 real | 0 fake>", "<folder>/<video>.mp4"]
_PERSON = re.compile(r"id\d+")


def read(options: Any) -> tree.Reading:
    """Read the official list of testing videos and look for each.

    Args:
        options: `partial`.

    Returns:
        Rows of the manifest, every one of the split test, and rejects (missing). Labels: [0]
        real, [1] fake. Groups: the celebrities in a name such as `id0_id1_0007`; a YouTube
        video is a group of its own. The cluster is the first, whose video it is.

    Raises:
        DataError: the root, the list or a folder is absent, or a row is not one of the release.
    """
    base = tree.root(options, "celebdf")
    listed = tree.find(base, LIST, ("",), "celebdf", "the official list of testing videos")
    there: dict[str, set[str]] = {}
    samples = tree.Samples("celebdf", "video")
    for number, (real, path) in lists.fields(listed, _ROW):
        folder, name = _parts(listed, number, real, path)
        path = f"{folder}/{name}"
        if folder not in there:
            there[folder] = _names(base, folder, options.partial)
        id = path.removesuffix(".mp4")
        labels, people = [int(real == "0")], _PERSON.findall(name) or [id]
        samples.add(name in there[folder], id, path, labels, "test", people, subset=folder)
    return samples.rows, samples.rejects


def _names(base: Path, folder: str, partial: bool) -> set[str]:
    """Return the names in a folder; a part may lack it, though not have it under another name."""
    known = [name for name in tree.names(base, base) if name.lower() == folder.lower()]
    if partial and not known:
        return set()
    place = tree.find(base, folder, ("",), "celebdf", "a folder of videos of the release")
    return tree.names(place, base)


def _parts(listed, number: int, real: str, path: str) -> tuple[str, str]:
    """Split a path into folder and name, after comparing the folder with the label."""
    folder, _, name = tree.below(path, listed, number).partition("/")
    if folder not in FOLDERS or not name.endswith(".mp4"):
        problem = f"{path!r} is no video of {', '.join(FOLDERS)}"
        raise DataError(listed, problem, "Fetch the list again", number)
    if real != FOLDERS[folder]:
        problem = f"{path} has the label {real}, but in this list 1 is real and 0 is fake"
        raise DataError(listed, problem, "Fetch the list again", number)
    return folder, tree.plain(name, listed, number)
