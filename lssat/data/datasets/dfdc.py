"""DFDC (Dolhansky et al. 2020): only tests, on every video that its metadata name.

A part is a folder of videos with `metadata.json` ({"x.mp4": {"label": "FAKE", "original":
"y.mp4"}, ...}) or `labels.csv` (filename,label with 1 for fake; it comes first where both stand).
The root is one part, or holds parts, directly (`dfdc_train_part_7`, `test`) or one folder further
down; the videos of a part may lie in a folder `videos` of it.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lssat.data.datasets import lists, tree
from lssat.tables import DataError, reject
from lssat.tables.rows import SampleRow

LISTS = METADATA, LABELS = "metadata.json", "labels.csv"
VIDEOS = {  # of the 50 training parts, and of the public test set
    "train": {"REAL": 19_154, "FAKE": 100_000},
    "test": {"REAL": 2_500, "FAKE": 2_500},
}

_NAMES = ("REAL", "FAKE")
_CODES = {"REAL": 0, "FAKE": 1, "0": 0, "1": 1}


def read(options: Any) -> tree.Reading:
    """Read the metadata of each part and look for each video that they name.

    Args:
        options: those of every data set.

    Returns:
        Rows of the manifest, every one of the split test, and rejects (missing). Labels: [0]
        real, [1] fake; duplicate: a video that a part before has as well. The group is the original
        video, or the video itself.

    Raises:
        DataError: no part is there, metadata are not those of the release, or two parts disagree.
    """
    base = tree.root(options, "dfdc")
    samples, seen = tree.Samples("dfdc", "video"), dict[str, tuple[str, int]]()
    for listed in _parts(base):
        _agree(listed)
        folder = listed.parent / "videos"
        folder = folder if tree.exists(folder) else listed.parent
        prefix = "" if folder == base else f"{folder.relative_to(base).as_posix()}/"
        there = tree.names(folder, base)
        for name, label, original in _videos(listed):
            path = f"{prefix}{name}"
            id = path.removesuffix(".mp4")
            # Names are unique in the release, so that an original may lie in another part.
            group = original.removesuffix(".mp4")
            if name in there and (first := seen.setdefault(name, (path, label))) != (path, label):
                _same(listed, name, label, *first)
                detail = f"also {first[0]}"
                samples.rejects.append(reject("dfdc", id, path, "manifest", "duplicate", detail))
                continue
            samples.add(name in there, id, path, [label], "test", [group])
    return samples.rows, samples.rejects


def _same(listed: Path, name: str, label: int, path: str, other: int) -> None:
    """Refuse a video that lies in two parts, here and at `path`, with two labels."""
    if label != other:
        problem = f"{name} is {_NAMES[label]}, and {_NAMES[other]} as {path}"
        raise DataError(listed, problem, "Take the part away that is no part of the release")


def whole(options: Any, rows: list[SampleRow]) -> int:
    """Return how many videos the public test set has; a training part may be read as well."""
    return sum(VIDEOS["test"].values())


def _parts(base: Path) -> list[Path]:
    """Find the labels of each part, at most two folders down; a part holds no further ones."""
    parts, folders = [], [base]
    for _ in range(3):
        below = []
        for folder in folders:
            known = [folder / name for name in (LABELS, METADATA)]
            here = [path for path in known if tree.exists(path)]
            parts += here[:1]
            below += [] if here else [folder / name for name in tree.folders(folder, base)]
        folders = below
    if not parts:
        what = f"has no {METADATA} and no {LABELS}, the official labels, in it or in its folders"
        near = tree.meant(base, [METADATA, LABELS])
        fix = f"{near}Put them beside the videos, or set datasets.dfdc.root"
        raise DataError(base, what, fix)
    return parts


def _agree(listed: Path) -> None:
    """Compare the metadata beside a CSV of labels with it: same videos, same labels.

    Raises:
        DataError: a video stands in one of them alone, or with another label.
    """
    other = listed.with_name(METADATA)
    if listed.name == METADATA or not tree.exists(other):
        return
    entries = lists.json_of(other)
    csv_labels = {name: label for name, label, _ in _videos(listed)}
    entries = entries if isinstance(entries, dict) else {}
    also = {
        name: _CODES.get(str(entry.get("label")))
        for name, entry in entries.items()
        if isinstance(entry, dict) and "label" in entry
    }
    if not also:
        return  # the public test set's metadata, which have no labels
    names = sorted(csv_labels.keys() | also.keys())
    if differ := [name for name in names if csv_labels.get(name) != also.get(name)]:
        some = ", ".join(differ[:3])
        problem = f"disagrees with {LABELS} on {len(differ):,} videos: {some}"
        raise DataError(other, problem, "Fetch both again, or take the wrong one away")


def _videos(listed: Path) -> Iterator[tuple[str, int, str]]:
    """Yield (name, label, name of the original or its own) of each video."""
    if listed.name == LABELS:
        for number, (name, value) in lists.csv(listed, ["filename", "label"]):
            yield tree.plain(name, listed, number), _label(listed, name, value, number), name
        return
    entries = lists.json_of(listed)
    if not isinstance(entries, dict) or not all(isinstance(e, dict) for e in entries.values()):
        problem = 'is not {"<video>.mp4": {"label": "FAKE" or "REAL", ...}, ...}'
        raise DataError(listed, problem, "Fetch it again")
    for name, entry in entries.items():
        label = _label(listed, name, entry.get("label"))
        yield tree.plain(name, listed), label, str(entry.get("original") or name)


def _label(listed: Path, name: str, label: object, line: int | None = None) -> int:
    if not isinstance(label, str) or label not in _CODES:
        given = "no label" if label is None else f"the label {label!r}"
        problem = f"{name} has {given}; known are REAL and FAKE"
        raise DataError(listed, problem, "Fetch the labels of these videos", line)
    return _CODES[label]
