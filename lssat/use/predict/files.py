"""The files to score, and their kinds."""

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

    The kind of a file follows from its content. Folders are searched for names of images and
    videos only, without those that begin with a dot.

    Args:
        frame_folders: a folder that holds images is one video's extracted images; one that
            holds folders is searched for such.

    Raises:
        DataError: a folder holds no image and no video, or what it holds may not be read.
    """
    listed: list[File] = []
    for path in paths:
        if not path.is_dir():
            listed.append(File(path, kind(path)))
        elif frame_folders:
            listed += _videos(path)
        else:
            listed += _below(path)
    return list(dict.fromkeys(listed))


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
    folders = [folder, *sorted(path for path in folder.rglob("*") if path.is_dir())]
    videos = [path for path in folders if not _hidden(path, folder) and frames_in(path)]
    if not videos:
        problem = "holds no image, nor does a folder in it"
        raise DataError(folder, problem, f"Looked for {', '.join(sorted(IMAGES))}")
    return [File(path, "frames") for path in (videos[:1] if videos[0] == folder else videos)]


def _hidden(path: Path, folder: Path) -> bool:
    return any(part.startswith(".") for part in path.relative_to(folder).parts)
