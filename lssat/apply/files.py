"""Which files are to be scored, and what they are."""

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from lssat.media import VIDEOS, kind
from lssat.media.video import IMAGES
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
        frame_folders: a folder is not searched: it is one video's extracted images.

    Raises:
        DataError: a folder holds no image and no video.
    """
    found: list[File] = []
    for path in paths:
        if not path.is_dir():
            found.append(File(path, kind(path)))
        elif frame_folders:
            found.append(File(path, "frames"))
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


def _hidden(path: Path, folder: Path) -> bool:
    return any(part.startswith(".") for part in path.relative_to(folder).parts)
