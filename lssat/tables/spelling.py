"""Where a file that is missing probably is: under another spelling, or one folder off.

`IMG/a.JPG` for `img/a.jpg`, a composed for a decomposed letter, `.csv` beside the wanted `.txt`,
a folder that stands twice or not at all. One rule for every path that is reported as missing.
"""

import os
import re
import unicodedata
from collections import defaultdict
from collections.abc import Collection, Iterable
from difflib import get_close_matches
from functools import lru_cache
from pathlib import Path

_KINDS = {
    **dict.fromkeys(("jpg", "jpeg", "png", "bmp", "webp", "tif", "tiff", "gif"), "image"),
    **dict.fromkeys(("mp4", "mov", "m4v", "mkv", "webm", "avi"), "video"),
    **dict.fromkeys(("txt", "csv", "tsv", "json", "xlsx"), "list"),
    **dict.fromkeys(("npy", "npz"), "array"),
    **dict.fromkeys(("zip", "tar", "gz", "7z"), "archive"),
}
_BETWEEN = re.compile(r"[\s_-]+")
_FUZZY = 20_000  # names that are compared letter by letter; more would take seconds


def key(name: str) -> str:
    """Return what two spellings of a name share: case, blanks, dashes and composition aside."""
    text = name if name.isascii() else unicodedata.normalize("NFKC", name)
    return _BETWEEN.sub("_", text.strip().casefold())


def _parted(name: str) -> tuple[str, str]:
    """Return the key of a name without its known suffixes, and what the last of them says."""
    kind, name = "", key(name)
    while True:
        stem, _, suffix = name.rpartition(".")
        if not stem or suffix not in _KINDS:
            return name, kind
        kind, name = kind or _KINDS[suffix], stem


class Spellings:
    """The names below a folder, listed once, when the first missing path is looked for.

    Args:
        root: the folder.
        paths: the files in place of those below `root`, relative to it, such as an archive's.
    """

    def __init__(self, root: str | Path, paths: Iterable[str] | None = None):
        self.root, self.paths = str(root), paths
        self.files: dict[str, list[str]] = {}
        self.folders: dict[str, list[str]] = {}

    def near(self, path: str, taken: Collection[str] = (), loose: bool = False) -> str:
        """Return the path that was probably meant by one that is not there, or "".

        The folders on the way to it must be those of `path`, but for some more or less.

        Args:
            path: relative to the root, of a file or folder.
            taken: paths that are no answer, since they are something else.
            loose: take a name that differs in a letter or two as well.
        """
        if not self.files and not self.folders:
            self._list()
        folder, _, name = path.rpartition("/")
        stem, kind = _parted(name)
        fits = self._fitting(stem, kind, path)
        if loose and not fits:
            fits = [
                alike
                for other in self._close(stem, kind)
                for alike in self._fitting(other, kind, path)
            ]
        wanted, ranked = _keys(folder), []
        for fit in fits:
            above, _, last = fit.rpartition("/")
            there = _keys(above)
            if fit not in taken and (_within(there, wanted) or _within(wanted, there)):
                off = abs(len(there) - len(wanted)), key(last) != key(name)
                ranked.append((*off, fit))
        return min(ranked)[-1] if ranked else ""

    def _fitting(self, stem: str, kind: str, path: str) -> list[str]:
        """Return the files of this stem and of the same kind or none; of a folder, folders."""
        files = [
            spelt
            for spelt in self.files.get(stem, ())
            if spelt != path and ("" in (kind, other := _parted(spelt)[1]) or other == kind)
        ]
        return files + [
            spelt for spelt in (self.folders.get(stem, ()) if not kind else ()) if spelt != path
        ]

    def _close(self, stem: str, kind: str) -> list[str]:
        known = [*self.folders] if not kind else []
        known += [
            known_stem
            for known_stem, paths in self.files.items()
            if kind and _parted(paths[0])[1] == kind
        ]
        return get_close_matches(stem, known, 3, 0.8) if len(known) <= _FUZZY else []

    def _list(self) -> None:
        files, folders = defaultdict(list), defaultdict(list)
        if self.paths is not None:
            for path in self.paths:
                files[_parted(path.rpartition("/")[2])[0]].append(path)
        todo, seen = [""] if self.paths is None else [], {os.path.realpath(self.root)}
        while todo:
            folder = todo.pop()
            for name, is_folder in _entries(os.path.join(self.root, folder), seen):
                path = f"{folder}/{name}".lstrip("/")
                if is_folder:
                    folders[key(name)].append(path)
                    todo.append(path)
                else:
                    files[_parted(name)[0]].append(path)
        self.files, self.folders = dict(files), dict(folders)


def _entries(folder: str, seen: set[str]) -> list[tuple[str, bool]]:
    """Return name and whether it is a folder of what a folder holds; each link is followed once."""
    held = []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                is_folder = entry.is_dir()
                if is_folder and entry.is_symlink():
                    end = os.path.realpath(entry.path)
                    if end in seen:
                        continue
                    seen.add(end)
                held.append((entry.name, is_folder))
    except OSError:  # a folder that is closed holds no answer
        return []
    return held


@lru_cache(maxsize=4096)
def _keys(folder: str) -> tuple[str, ...]:
    return tuple(key(part) for part in folder.split("/") if part not in ("", "."))


def _within(few: tuple[str, ...], many: tuple[str, ...]) -> bool:
    """Say whether the parts of `few` stand in `many`, in the same order."""
    rest = iter(many)
    return all(part in rest for part in few)


def nearest(path: str | Path) -> str:
    """Return a path on this machine that was probably meant by one that is not there, or "".

    Part after part is taken as it is, in another spelling, or with a letter or two changed.
    """
    there = Path(path).absolute()
    parts = []
    while not there.exists() and there != there.parent:
        parts.append(there.name)
        there = there.parent
    for part in reversed(parts):
        names = {name: key(name) for name, _ in _entries(str(there), set())}
        same = [name for name in names if names[name] == key(part)]
        close = same or [
            name
            for spelling in get_close_matches(key(part), list(names.values()), 1, 0.8)
            for name in names
            if names[name] == spelling
        ]
        if not close:
            return ""
        there = there / (part if part in close else min(close))
    if str(there) == str(Path(path).absolute()):  # it is there, or a link that leads to nothing
        return ""
    return str(there) if Path(path).is_absolute() else os.path.relpath(there)
