"""Names that must mean something for each task, or backbone, that they are used for."""

from collections.abc import Iterator

from lssat import grid, metrics
from lssat.grid.releases import DRAWN, RELEASES
from lssat.params.base import Get, Problem, nearest, texts


def problems(get: Get) -> Iterator[Problem]:
    """Yield what is wrong, as far as the parts can be read."""
    yield from _select_metric(get)
    yield from _layer_decay(get)
    yield from _external(get)
    for number, tree in enumerate(texts(get("sample", "trees"))):
        if tree not in DRAWN:
            yield ("sample", "trees", number), f"unknown {tree!r}{nearest(tree, list(DRAWN))}"


def kind(get: Get, name: str) -> str | None:
    """Return the kind of any data set, None where its section does not say it."""
    known = RELEASES.get(name)
    stated = known.task.kind if known else get("datasets", name, "kind")
    return stated if stated in metrics.NAMES else None


def _select_metric(get: Get) -> Iterator[Problem]:
    name, where = get("train", "select_metric"), ("train", "select_metric")
    if not isinstance(name, str):
        return
    kinds = {task: of for task in texts(get("benchmark", "tasks")) if (of := kind(get, task))}
    every = [set(metrics.NAMES[of]) for of in kinds.values()]
    common = sorted(set.intersection(*every)) if every else []
    if every and name not in set.union(*every):
        yield where, f"unknown {name!r}{nearest(name, sorted(set.union(*every)))}{_null(common)}"
        return
    for task, of in kinds.items():
        if name not in metrics.NAMES[of]:
            text = f"{task} is {of}, which has no {name}; it has {', '.join(metrics.NAMES[of])}"
            yield where, f"{text}{_null(common)}"


def _null(common: list[str]) -> str:
    all_have = f"; all tasks have {', '.join(common)}" if common else ""
    return f"{all_have}; null takes each task's headline metric"


def _external(get: Get) -> Iterator[Problem]:
    """Hold the tables of other programs to the data sets that are tested on."""
    entries = get("benchmark", "external")
    tasks, cross = texts(get("benchmark", "tasks")), get("benchmark", "cross")
    tasks += cross if isinstance(cross, dict) else []
    for number, entry in enumerate(entries if isinstance(entries, list) else ()):
        task = entry.get("task") if isinstance(entry, dict) else None
        if isinstance(task, str) and task not in tasks:
            where = ("benchmark", "external", number, "task")
            yield where, f"{task} is in neither benchmark.tasks nor .cross{nearest(task, tasks)}"


def _layer_decay(get: Get) -> Iterator[Problem]:
    """Refuse it where there is no row of blocks that it would go down."""
    value = get("train", "layer_decay")
    if not isinstance(value, float) or not 0 < value < 1:
        return
    lists = ("backbones", "baselines", "clip_backbones")
    names = [name for key in lists for name in texts(get("benchmark", key))]
    alone = texts(get("benchmark", "baselines"))
    none = [name for name in names if not grid.family(name).masks or name in alone]
    if none:
        text = f"{value} goes down the blocks of a ViT, and the grid runs {', '.join(none)}"
        yield ("train", "layer_decay"), f"{text}; write 1.0, or leave them out"
