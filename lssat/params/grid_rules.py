"""What the choices of backbones, configurations, texture, head and weights must say together.

Pure checks of names for `params`, so that a grid that cannot run stops before the first job.
"""

import itertools
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from lssat import grid
from lssat.params import blends
from lssat.params.base import Get, Problem, texts
from lssat.params.sections import Beside


def problems(get: Get) -> Iterator[Problem]:
    """Yield what is wrong, as far as the parts can be read."""
    grids = parsed(get("benchmark", "configurations"))
    beside = [
        config for key in grid.BESIDE for config in parsed(get("benchmark", key, "configurations"))
    ]
    own_lambda = [config.shared for config in beside if config.variant is None]
    configurations = list(dict.fromkeys([*grids, *own_lambda]))  # others: `params.variants`
    backbones = texts(get("benchmark", "backbones"))
    baselines = texts(get("benchmark", "baselines"))
    videos = texts(get("benchmark", "clip_backbones"))
    yield from _baselines(backbones, baselines, grids)
    yield from _clips(get, videos)
    for key in grid.BESIDE:
        yield from _beside(get, key)
        yield from _twice(get, key, grids)
    yield from _in_both(get)
    for config in dict.fromkeys([*configurations, *(config.shared for config in beside)]):
        if config.texture not in (None, kind := get("texture", "kind")):
            text = f"{config.slug} needs {config.texture}; write {config.texture} or drop it"
            yield ("texture", "kind"), f"{text} (found {kind!r})"
    if any(config.sequential for config in configurations) and get("train", "pretrain_epochs") == 0:
        yield ("train", "pretrain_epochs"), "is 0, and a configuration with then needs 1 or more"
    if get("train", "head") == "fusion":
        yield from _fusion(baselines, configurations)
    yield from _norm_pix_loss(get, configurations)
    yield from _rates(get)
    yield from blends.problems(get)
    yield from _tune(get, [*backbones, *baselines, *videos], configurations)
    yield from _weights(get("train", "weights"), [*backbones, *baselines, *videos])


def parsed(names: Any) -> list[grid.Configuration]:
    """Parse those names of configurations that can be read."""
    configs = []
    for name in texts(names):
        try:
            configs.append(grid.parse(name))
        except ValueError:  # said where the name stands
            continue
    return configs


def _baselines(
    backbones: list[str], baselines: list[str], configurations: list[grid.Configuration]
) -> Iterator[Problem]:
    masked = [config.slug for config in configurations if config.masked]
    for name in [name for name in backbones if not grid.family(name).masks]:
        if masked:
            fix = f"move it to benchmark.baselines, which run with {grid.SUPERVISED}"
            text = f"{name} has no patches to mask, so it cannot run {masked[0]}; {fix}"
            yield ("benchmark", "backbones"), text
    for name in baselines:
        if name in backbones and (grid.family(name).masks or not masked):
            yield ("benchmark", "baselines"), f"{name} is in benchmark.backbones too; leave it once"


def _clips(get: Get, videos: list[str]) -> Iterator[Problem]:
    """Hold encoders of clips to their tasks, the frames of a clip, and the size of a frame."""
    tasks, where = texts(get("benchmark", "clip_tasks")), ("benchmark", "clip_tasks")
    if bool(tasks) != bool(videos):
        yield where, "goes with benchmark.clip_backbones: name both, or leave both empty"
    for task in tasks:
        if task not in texts(get("benchmark", "tasks")):
            yield where, f"{task} is not in benchmark.tasks; add it there too"
        elif not get("datasets", task, "clips"):
            yield where, f"{task} has no clips; set datasets.{task}.clips to 1 or more"
    for name in [name for name in videos if grid.family(name).clips]:
        sizes = grid.family(name).sizes[name]
        for task in tasks:
            frames = get("datasets", task, "clip_frames") or 16
            if isinstance(frames, int) and frames % sizes.tubelet:
                text = f"{frames} is not a multiple of the {sizes.tubelet} frames of a token"
                yield ("datasets", task, "clip_frames"), f"{text} of {name}; write another"
        size, ratio = get("faces", "size"), get("train", "mask_ratio")
        sound = isinstance(size, int) and isinstance(ratio, float) and 0 < ratio < 1
        if sound and (problem := grid.patch_problem(size, sizes.patch_size, ratio, tubes=True)):
            yield ("faces", "size"), f"{name}: {problem}"


def _beside(get: Get, key: str) -> Iterator[Problem]:
    """Hold the tasks and backbones of variants to the grid."""
    where = ("benchmark", key)
    tasks = texts(get(*where, "tasks"))
    masked = [
        config.slug
        for config in parsed(get(*where, "configurations"))
        if config.shared.slug != grid.SUPERVISED
    ]
    for task in tasks:
        if task not in texts(get("benchmark", "tasks")):
            yield (*where, "tasks"), f"{task} is not in benchmark.tasks; add it there too"
    images = [name for name in texts(get("benchmark", "backbones")) if grid.family(name).masks]
    without = [task for task in tasks if task not in texts(get("benchmark", "clip_tasks"))]
    for name in texts(get(*where, "backbones")):
        if name in texts(get("benchmark", "baselines")):
            if masked:
                text = f"{name} is a baseline, which runs {grid.SUPERVISED}, not {masked[0]}"
                yield (*where, "backbones"), f"{text}; leave one of them out"
        elif name in texts(get("benchmark", "clip_backbones")):
            if without:
                text = f"{name} reads clips, and {without[0]} is not in benchmark.clip_tasks"
                yield (*where, "backbones"), f"{text}; leave one of them out"
        elif name not in images:
            text = f"{name} is no ViT of benchmark.backbones or benchmark.clip_backbones"
            yield (*where, "backbones"), f"{text}; add it there too, or leave it out"


def _twice(get: Get, key: str, grids: list[grid.Configuration]) -> Iterator[Problem]:
    """Refuse a name in both lists; the recipe's own lambda is no problem (`grid.repeats`)."""
    where = ("benchmark", key, "configurations")
    for config in parsed(get(*where)):
        if config in grids:
            reason = "is in benchmark.configurations too, and DVC keeps a run in one stage"
            yield where, f"{config.slug} {reason}; leave it once"


def _in_both(get: Get) -> Iterator[Problem]:
    """Refuse a run in both products of variants."""
    first, second = (
        set(itertools.product(*(texts(get("benchmark", key, x)) for x in Beside.model_fields)))
        for key in grid.BESIDE
    )
    for task, backbone, configuration in sorted(first & second)[:1]:
        run = f"{task}/{backbone}/{configuration}"
        text = f"{run} is in benchmark.variants too, and DVC keeps a run in one stage"
        yield ("benchmark", "more_variants", "configurations"), f"{text}; leave it once"


def _fusion(baselines: list[str], configurations: list[grid.Configuration]) -> Iterator[Problem]:
    alone = [config.slug for config in configurations if not config.auxiliary] + baselines
    if alone:
        text = f"fusion joins two branches that are trained together, and {alone[0]} has one"
        yield ("train", "head"), f"{text}; write linear, or leave it out"


def _rates(get: Get) -> Iterator[Problem]:
    """Hold the schedule's ends to each other: a rate that rises to `lr`, then falls to `min_lr`."""
    lr, least = get("train", "lr"), get("train", "min_lr")
    if isinstance(lr, float) and isinstance(least, float | int) and least > lr:
        yield (
            ("train", "min_lr"),
            f"{least} is above train.lr {lr}, where the rate begins to fall",
        )
    warmup, epochs = get("train", "warmup_epochs"), get("train", "epochs")
    if isinstance(warmup, int) and isinstance(epochs, int) and warmup > epochs:
        text = f"{warmup} is more than train.epochs {epochs}, so that no epoch has the rate lr"
        yield ("train", "warmup_epochs"), f"{text}; write {max(epochs - 1, 0)} or less"


def _norm_pix_loss(get: Get, configurations: list[grid.Configuration]) -> Iterator[Problem]:
    where = "texture" if get("train", "encoding") is None else "train"
    if get(where, "encoding") != "bits" or get("train", "norm_pix_loss") is not True:
        return
    targets = {target for config in configurations for target in config.targets}
    if targets and "RGB" not in targets:
        text = f"true does nothing: with {where}.encoding bits every target is binary planes, which"
        yield ("train", "norm_pix_loss"), f"{text} are not normalised; write false"


def _tune(
    get: Get, names: list[str], configurations: list[grid.Configuration]
) -> Iterator[Problem]:
    """Hold `train.tune` to what each backbone has, and to what a frozen encoder leaves to train."""
    text, where = get("train", "tune"), ("train", "tune")
    try:
        how = grid.tune(text) if isinstance(text, str) else grid.tuning.FULL
    except ValueError:  # said where the value stands
        return
    for name in names:
        if problem := grid.tune_problem(name, how):
            yield where, problem
        elif how.kind in ("lora", "blocks") and name in texts(get("benchmark", "baselines")):
            fix = "write full, linear or norm, or name a plain ViT in benchmark.backbones"
            yield where, f"{text} is of a ViT's blocks, and {name} is a baseline; {fix}"
    then = [config.slug for config in configurations if config.sequential]
    if how.kind == "lora" and then:
        reason = f"{then[0]} trains the encoder itself before its adapters would come"
        yield where, f"lora: {reason}; write full, linear, norm or blocks:<k>"
    if how.kind == "linear":
        yield from _linear(get, configurations)


def _linear(get: Get, configurations: list[grid.Configuration]) -> Iterator[Problem]:
    joint = [config for config in configurations if config.auxiliary]
    if joint:
        first, then = joint[0], replace(joint[0], sequential=True, lambda_cls=None).slug
        reason = f"linear freezes the encoder, so that {first.slug} would reconstruct for nothing"
        fix = f"write none-none-C{first.classified}, or {then}, which is frozen after its phase of"
        yield ("train", "tune"), f"{reason}; {fix} reconstruction"
    if any(not config.masked for config in configurations) or texts(get("benchmark", "baselines")):
        for key, text in probe_problems(lambda key: get("train", key)):
            yield ("train", key), text
    decay = get("train", "layer_decay")
    if isinstance(decay, float) and decay < 1:
        text = f"{decay} lowers the rates below the head, and tune: linear trains the head alone"
        yield ("train", "layer_decay"), f"{text}; write 1.0"


_STILL = {
    **{"blend": "none", "hflip": False, "crop": 1.0},
    **{"rand_augment": 0.0, "erase": 0.0, "mixup": 0.0},
}


def probe_problems(recipe: Callable[[str], Any]) -> Iterator[tuple[str, str]]:
    """Yield each key of the recipe that would change crops whose features are computed once."""
    for key, still in _STILL.items():
        value = recipe(key)
        if value is not None and value != still:
            shown = str(still).lower()
            text = f"{str(value).lower()} changes the crops, and tune: linear computes the"
            yield key, f"{text} features of each once; write {shown}"


def _weights(weights: Any, names: list[str]) -> Iterator[Problem]:
    where = ("train", "weights")
    if isinstance(weights, dict):
        if missing := [name for name in names if name not in weights]:
            yield where, f"names no weights for {', '.join(missing)}; add a line for each"
        if more := [name for name in weights if name not in names]:
            yield where, f"names {', '.join(map(str, more))}, which the grid does not run; remove"
    choices = weights if isinstance(weights, dict) else dict.fromkeys(names, weights)
    for name in names:
        if problem := grid.weights_problem(name, choices.get(name)):
            yield where, problem
