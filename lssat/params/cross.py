"""What `benchmark.cross` says: which task's runs are tested on a data set, and whether they can be.

Only names and kinds, as far as params.yaml gives them; classes are compared where the data sets
can be read (`lssat.data.preflight.cross_classes`).
"""

from collections.abc import Iterator

from lssat.params.base import Get, Problem, nearest, texts
from lssat.params.names import kind


def problems(get: Get) -> Iterator[Problem]:
    """Yield what is wrong, as far as the parts can be read."""
    tasks, sets = texts(get("benchmark", "tasks")), get("benchmark", "cross")
    for name, home in sets.items() if isinstance(sets, dict) else ():
        where = ("benchmark", "cross", name)
        if not isinstance(home, str):
            continue  # said where the value stands
        if home not in tasks:
            text = f"is tested with the runs of {home}, which is not in benchmark.tasks"
            yield where, f"{text}{nearest(home, tasks)}"
            continue
        own, trained = kind(get, name), kind(get, home)
        if own and trained and own != trained:
            text = f"{name} is {own}, and the runs of {home} are {trained}"
            yield where, f"{text}; name another task, or another data set"
        yield from _clips(get, name, home)


def _clips(get: Get, name: str, home: str) -> Iterator[Problem]:
    """Hold a data set that runs of clips are only tested on to clips like those of training."""
    videos = texts(get("benchmark", "clip_backbones"))
    if home not in texts(get("benchmark", "clip_tasks")) or not videos:
        return
    frames = get("datasets", home, "clip_frames") or 16
    own = get("datasets", name, "clip_frames") or 16
    if not get("datasets", name, "clips"):
        text = f"{name} has no clips, which {videos[0]} reads; set datasets.{name}.clips to 1 or"
        yield ("benchmark", "cross", name), f"{text} more, or leave one of them out"
    elif own != frames:
        text = f"{own} frames, and {videos[0]} is trained on {home}'s clips of {frames}"
        yield ("datasets", name, "clip_frames"), f"{text}; write {frames}"
