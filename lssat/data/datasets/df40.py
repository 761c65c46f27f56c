"""DF40 (Yan et al. 2024): only tests, on the lists of frames that its authors give for each method.

`dataset_json/<set>.json` holds {"<set>": {"<x>_Real": {"test": {"<video>": {"frames": [...]}}},
"<x>_Fake": ...}}, some with a compression between split and video. A path of a frame has the
authors' root before `deepfakes_detection_datasets/`; what follows lies below ours.
"""

import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

from lssat.data.datasets import lists, tree
from lssat.tables import DataError

FOLDERS = ("dataset_json", "preprocessing/dataset_json", "")  # where the lists may lie
SELECTS = True  # the sets name some of the tree
REAL = "real"  # the subset of all reals

_BEFORE = "deepfakes_detection_datasets/"
_CELEBRITY = re.compile(r"id\d+")  # in names of Celeb-DF
_ORIGINAL = re.compile(r"(?<!\d)\d{3}(?!\d)")  # in names of FaceForensics++


class _Video(NamedTuple):
    name: str
    folder: str  # of its frames, relative to the root; "": the list has none of it
    fake: bool
    people: list[str]


def read(options: Any) -> tree.Reading:
    """Read the list of each set and look for the folders of frames that it names.

    Args:
        options: `sets`, names of the lists, such as simswap_ff.

    Returns:
        Rows of the manifest, every one of the split test, and rejects (missing; no_frames: the list
        names none). Labels: [0] real, [1] fake. The subset of a fake is its set; a real that
        several sets name is one sample. Groups: the people that the name of a video tells, within
        their source.

    Raises:
        DataError: the root or a list is absent, a list is not one of DF40's, or a folder is real
            and fake.
    """
    base = tree.root(options, "df40")
    samples, seen = tree.Samples("df40", "frames"), dict[str, bool]()
    for name in options.sets:
        path = tree.find(base, f"{name}.json", FOLDERS, "df40", "the authors' list of this set")
        for video in _videos(path, name):
            subset = name if video.fake else REAL
            id, labels = video.folder, [int(video.fake)]
            if not id:
                id, place = f"{name}/{video.name}", path.relative_to(base).as_posix()
                samples.add(
                    False,
                    id,
                    place,
                    labels,
                    "test",
                    video.people,
                    subset=subset,
                    reason="no_frames",
                    detail="the list names no frame of it",
                )
                continue
            if id in seen:
                _check_label(path, id, video.fake, seen[id])
                continue
            seen[id] = video.fake
            if there := tree.exists(base / id):
                tree.inside(base / id, base)
            samples.add(there, id, id, labels, "test", video.people, subset=subset)
    return samples.rows, samples.rejects


def _check_label(path: Path, folder: str, fake: bool, before: bool) -> None:
    if fake != before:
        words = ("real", "fake")
        problem = f"{folder} is {words[fake]} here, and {words[before]} before it"
        raise DataError(path, problem, "Fetch the lists again, or leave one out of datasets.df40")


def _videos(path: Path, name: str) -> Iterator[_Video]:
    content = lists.json_of(path)
    if not isinstance(content, dict) or name not in content:
        raise DataError(path, f"has no key {name!r}", "Fetch the list of this set again")
    source = name.rpartition("_")[2]  # ff, cdf, or the set itself
    taken: dict[str, str] = {}
    for label, splits in _items(path, content[name]):
        if not label.endswith(("_Real", "_Fake", "_real", "_fake")):
            raise DataError(path, f"{label!r} ends in neither Real nor Fake", "Fetch it again")
        for video, entry in _tested(path, splits):
            folder = _folder(path, entry, video)
            if folder and taken.setdefault(folder, video) != video:
                problem = f"{video} and {taken[folder]} share the folder {folder}"
                fix = f"These are single images and no videos; leave {name} out of datasets.df40"
                raise DataError(path, problem, fix)
            shown = _CELEBRITY.findall(video) or _ORIGINAL.findall(video) or [video]
            fake = label.lower().endswith("fake")
            yield _Video(video, folder, fake, [f"{source}/{person}" for person in shown])


def _tested(path: Path, splits: Any) -> Iterator[tuple[str, Any]]:
    """Yield the videos of the test split, whatever compression stands between."""
    for name, entry in _items(path, dict(_items(path, splits)).get("test", {})):
        if isinstance(entry, dict) and "frames" in entry:
            yield name, entry
        else:
            yield from _items(path, entry)


def _folder(path: Path, entry: Any, video: str) -> str:
    """Return the folder of a video's frames; "": the list has none of it."""
    frames = entry.get("frames") if isinstance(entry, dict) else None
    if not isinstance(frames, list) or not all(isinstance(frame, str) for frame in frames):
        raise DataError(path, f"{video} has no list of frames", "Fetch the list again")
    names = [frame.replace("\\", "/").rpartition(_BEFORE)[2] for frame in frames]
    folders = sorted({str(PurePosixPath(tree.below(frame, path)).parent) for frame in names})
    if len(folders) > 1:
        problem = f"the frames of {video} lie in several folders: {folders[0]}, {folders[1]}"
        raise DataError(path, problem, "Fetch the list again")
    return folders[0] if folders else ""


def _items(path: Path, content: Any) -> Iterator[tuple[str, Any]]:
    if not isinstance(content, dict):
        raise DataError(path, f"{str(content)[:60]!r} is no object", "Fetch the list again")
    yield from content.items()
