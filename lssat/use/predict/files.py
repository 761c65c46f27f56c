"""The files to score, and their kinds."""

import os
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
    videos only, without those that begin with a dot. What cannot be read (a link that leads to
    nothing, a folder that is closed) is listed: to score it says why.

    Args:
        frame_folders: a folder that holds images is one video's extracted images; one that
            holds folders is searched for such.

    Raises:
        DataError: a folder holds no image and no video.
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
    closed: list[OSError] = []
    walked = os.walk(folder, onerror=closed.append)
    names = sorted(Path(place, name) for place, _, held in walked for name in held)
    listed = [File(path, kind(path)) for path in names if path.suffix.lower() in IMAGES | VIDEOS]
    listed += [File(Path(error.filename), "frames") for error in closed]  # which says why
    seen = [file for file in listed if not _hidden(file.path, folder)]
    if not seen:
        suffixes = ", ".join(sorted(IMAGES | VIDEOS))
        raise DataError(folder, "holds no image and no video", f"Looked for {suffixes}")
    return seen


def _videos(folder: Path) -> list[File]:
    """Return the folder, if it holds images, or those below it that do, by name."""
    walked = os.walk(folder)
    folders = [folder, *sorted(Path(place, name) for place, held, _ in walked for name in held)]
    videos = [path for path in folders if not _hidden(path, folder) and _to_score(path)]
    if not videos:
        problem = "holds no image, nor does a folder in it"
        raise DataError(folder, problem, f"Looked for {', '.join(sorted(IMAGES))}")
    return [File(path, "frames") for path in (videos[:1] if videos[0] == folder else videos)]


def _to_score(folder: Path) -> bool:
    """Say whether a folder holds images, or is closed, so that nobody knows."""
    try:
        return bool(frames_in(folder))
    except DataError:
        return True


def _hidden(path: Path, folder: Path) -> bool:
    return any(part.startswith(".") for part in path.relative_to(folder).parts)
