"""Which files are to be scored, and what they are."""

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from lssat.data.media import VIDEOS, frames_in, kind
from lssat.data.media.video import IMAGES
from lssat.tables import DataError


class File(NamedTuple):
    """A file, or a folder of a video's images."""

    path: Path
    media: str  # image | video | frames


def files(paths: Iterable[Path], frame_folders: bool) -> list[File]:
    """List the files that are named, and those below the folders that are named, by name.

    What a file holds is told by its content. In folders only names of images and videos are
    looked at, and none that begins with a dot.

    Args:
        frame_folders: a folder that holds images is one video's extracted images; one that
            holds folders is searched for such.

    Raises:
        DataError: a folder holds no image and no video, or what it holds may not be read.
    """
    found: list[File] = []
    for path in paths:
        if not path.is_dir():
            found.append(File(path, kind(path)))
        elif frame_folders:
            found += _videos(path)
        else:
            found += _below(path)
    return list(dict.fromkeys(found))


def _below(folder: Path) -> list[File]:
    names = sorted(
        path
        for path in folder.rglob("*")
        if path.suffix.lower() in IMAGES | VIDEOS and path.is_file() and not _hidden(path, folder)
    )
    if not names:
        suffixes = ", ".join(sorted(IMAGES | VIDEOS))
        raise DataError(folder, "holds no image and no video", f"Looked for {suffixes}")
    return [File(path, kind(path)) for path in names]


def _videos(folder: Path) -> list[File]:
    """Return the folder, if it holds images, or those below it that do, by name."""
    every = [folder, *sorted(path for path in folder.rglob("*") if path.is_dir())]
    held = [path for path in every if not _hidden(path, folder) and frames_in(path)]
    if not held:
        problem = "holds no image, nor does a folder in it"
        raise DataError(folder, problem, f"Looked for {', '.join(sorted(IMAGES))}")
    return [File(path, "frames") for path in (held[:1] if held[0] == folder else held)]


def _hidden(path: Path, folder: Path) -> bool:
    return any(part.startswith(".") for part in path.relative_to(folder).parts)
