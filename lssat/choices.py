"""What the choices of backbones, configurations, texture, head and weights must say together.

Pure checks of names for `params`, so that a grid that cannot run stops before the first job.
"""

from collections.abc import Callable, Iterator
from typing import Any

from lssat import grid

Problem = tuple[tuple[str, ...], str]  # the key in params.yaml, and what is wrong with it


def problems(get: Callable[..., Any]) -> Iterator[Problem]:
    """Yield what is wrong, as far as the parts can be read.

    Args:
        get: gives the raw value of a key, `get("train", "head")`, or None.
    """
    configurations = _parsed(get("benchmark", "configurations"))
    backbones = _names(get("benchmark", "backbones"))
    baselines = _names(get("benchmark", "baselines"))
    yield from _baselines(backbones, baselines, configurations)
    for made in configurations:
        if made.texture not in (None, kind := get("texture", "kind")):
            text = f"{made.slug} needs {made.texture}; write {made.texture} or drop it"
            yield ("texture", "kind"), f"{text} (found {kind!r})"
    if any(made.sequential for made in configurations) and get("train", "pretrain_epochs") == 0:
        yield ("train", "pretrain_epochs"), "is 0, and a configuration with then needs 1 or more"
    if get("train", "head") == "fusion":
        yield from _fusion(baselines, configurations)
    yield from _norm_pix_loss(get, configurations)
    yield from _weights(get("train", "weights"), [*backbones, *baselines])


def _parsed(names: Any) -> list[grid.Configuration]:
    found = []
    for name in _names(names):
        try:
            found.append(grid.parse(name))
        except ValueError:  # said where the name stands
            continue
    return found


def _names(names: Any) -> list[str]:
    return [name for name in names if isinstance(name, str)] if isinstance(names, list) else []


def _baselines(
    backbones: list[str], baselines: list[str], configurations: list[grid.Configuration]
) -> Iterator[Problem]:
    masked = [made.slug for made in configurations if made.masked]
    for name in [name for name in backbones if name in grid.BASELINES]:
        if masked:
            fix = f"move it to benchmark.baselines, which run with {grid.SUPERVISED}"
            text = f"{name} has no patches to mask, so it cannot run {masked[0]}; {fix}"
            yield ("benchmark", "backbones"), text
        elif name in baselines:
            yield ("benchmark", "baselines"), f"{name} is in benchmark.backbones too; leave it once"


def _fusion(baselines: list[str], configurations: list[grid.Configuration]) -> Iterator[Problem]:
    alone = [made.slug for made in configurations if not made.auxiliary] + baselines
    if alone:
        text = f"fusion joins two branches that are trained together, and {alone[0]} has one"
        yield ("train", "head"), f"{text}; write linear, or leave it out"


def _norm_pix_loss(
    get: Callable[..., Any], configurations: list[grid.Configuration]
) -> Iterator[Problem]:
    if get("texture", "encoding") != "bits" or get("train", "norm_pix_loss") is not True:
        return
    targets = {target for made in configurations for target in made.targets}
    if targets and "RGB" not in targets:
        text = "true does nothing: with texture.encoding bits every target is binary planes, which"
        yield ("train", "norm_pix_loss"), f"{text} are not normalised; write false"


def _weights(weights: Any, names: list[str]) -> Iterator[Problem]:
    where = ("train", "weights")
    if isinstance(weights, dict):
        if missing := [name for name in names if name not in weights]:
            yield where, f"names no weights for {', '.join(missing)}; add a line for each"
        if more := [name for name in weights if name not in names]:
            yield where, f"names {', '.join(map(str, more))}, which the grid does not run; remove"
    each = weights if isinstance(weights, dict) else dict.fromkeys(names, weights)
    for name in names:
        if problem := grid.weights_problem(name, each.get(name)):
            yield where, problem
