"""What `train.blend` needs: real faces with landmarks, a supervised run, and no other changes."""

from collections.abc import Callable, Iterator
from typing import Any

from lssat import grid
from lssat.grid.releases import RELEASES
from lssat.params.base import Get, Problem, texts
from lssat.params.names import kind

_STILL = {"crop": 1.0, "rand_augment": 0.0, "erase": 0.0, "mixup": 0.0}


def problems(get: Get) -> Iterator[Problem]:
    """Yield what is wrong, as far as the parts can be read."""
    blend, where = get("train", "blend"), ("train", "blend")
    if blend not in grid.BLENDS:
        return
    for task in texts(get("benchmark", "tasks")):
        if problem := task_problem(blend, task, kind(get, task)):
            yield where, problem
        elif task not in RELEASES and (how := get("datasets", task, "faces")) != "detect":
            fix = f"write detect in datasets.{task}.faces, or leave {task} out"
            yield where, f"{blend} needs landmarks, and {task} has faces: {how}; {fix}"
    runs: list[tuple[str | None, str]]
    runs = [(None, name) for name in texts(get("benchmark", "configurations"))]
    runs += [(name, grid.SUPERVISED) for name in texts(get("benchmark", "clip_backbones"))]
    for backbone, configuration in runs:
        if problem := run_problem(blend, backbone, configuration):
            yield where, problem
            break
    for key, text in recipe_problems(lambda key: get("train", key)):
        yield ("train", key), text


def task_problem(blend: str, task: str, kind: str | None) -> str | None:
    """Say why a task has no real faces to blend, or None; `kind` is None where nobody knows it."""
    if kind in ("binary", None):
        return None
    fix = "name it as a variant with tasks of its own (docs/rivals.md)"
    return f"{blend} is trained on the real faces of real and fake, and {task} is {kind}; {fix}"


def run_problem(blend: str, backbone: str | None, configuration: str) -> str | None:
    """Say why a run cannot be trained on blends, or None."""
    plain = grid.parse(configuration).shared.slug if _known(configuration) else grid.SUPERVISED
    if plain != grid.SUPERVISED:
        fix = f"write {grid.SUPERVISED}, or leave one of them out"
        return f"{blend} is supervised by what it blends, and {plain} is another training; {fix}"
    if backbone and grid.family(backbone).clips:
        return f"{blend} blends images, and {backbone} reads clips; leave one of them out"
    return None


def _known(configuration: str) -> bool:
    try:
        grid.parse(configuration)
    except ValueError:  # said where the name stands
        return False
    return True


def recipe_problems(recipe: Callable[[str], Any]) -> Iterator[tuple[str, str]]:
    """Yield each key of the recipe that does not go with blends, and why.

    Args:
        recipe: gives the value of a key, or None.
    """
    blend, size = recipe("blend"), recipe("batch_size")
    if isinstance(size, int) and size % 2:
        text = f"{size} is odd, and half of a batch of {blend} is real, half blended"
        yield "batch_size", f"{text}; write {size + 1}"
    if recipe("sampler") == "balanced":
        yield "sampler", f"balanced does nothing: batches of {blend} are half real; write uniform"
    for key, still in _STILL.items():
        value = recipe(key)
        if value is not None and value != still:
            yield key, f"{value} is beside {blend}, which has its own augmentation; write {still}"
