"""Backbones of timm and released weights: checked once in a process of their own, and cached.

timm and torch take seconds to import, so that the process that plans the jobs does not: a child
builds each backbone without memory, and its verdict is kept under a key of all that it rests on.
Backbones of our own that start from scratch need none of it (`grid.backbone_problem` knows them).
"""

import contextlib
import hashlib
import importlib.metadata
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from lssat import grid
from lssat.data.preflight import demands, hub
from lssat.data.preflight.contract import Case, Verdict
from lssat.data.preflight.named_models import (
    WORDS,
    Choice,
    backbones,
    choices,
    configurations,
    trained,
)
from lssat.params.base import Get, Problem, texts
from lssat.tables import DataError, source, write_json

MEMORY = Path(".lssat/preflight.json")
_KEPT = 50  # verdicts
_SECONDS = 600
_FRAMES = 16  # of a clip, where no data set says


def problems(get: Get) -> Iterator[Problem]:
    """Yield what is wrong with backbones and weights.

    Args:
        get: gives the raw value of a key of params.yaml, or None.

    Raises:
        DataError: the child process ended without a verdict.
    """
    wanted = list(cases(get))
    if not wanted:
        return
    listed = {name: where for where, name in backbones(get)}
    for name, where, text in verdict(wanted):
        yield tuple(where) or listed[name], text


def cases(get: Get) -> Iterator[Case]:
    """Yield what the child must check: backbones of timm, weights that are not scratch."""
    size, ratio = get("faces", "size"), get("train", "mask_ratio")
    if not isinstance(size, int) or isinstance(size, bool) or not 16 <= size <= 1024:
        return
    configured = configurations(get)
    given = [choice for choice in choices(get) if not trained(get, choice)]
    for (_, listed, _), name in backbones(get):
        family, alone = grid.family(name), listed == "baselines"
        unknown = name not in family.sizes and not family.has(name)
        if unknown or (not alone and grid.backbone_problem(name, size, 0.5)):
            continue
        case = Case(
            backbone=name,
            configuration=grid.SUPERVISED if alone else _masked(name, configured),
            img_size=size,
            mask_ratio=ratio if isinstance(ratio, float) and 0 < ratio < 1 else 0.5,
            weights="scratch",
            file=None,
            where=[],
        )
        if family.clips:
            case["frames"] = _frames(get)
        if recipes := demands.of(get, name):
            case["demands"] = recipes
        for weights, where in _weights(name, given).items():
            if weights == "scratch" and name in family.sizes:
                continue  # `grid.backbone_problem` knows it
            yield case | {"weights": weights, "file": _stamp(weights), "where": where}
            case.pop("demands", None)  # once a backbone


def _weights(name: str, given: list[Choice]) -> dict[str, list[str]]:
    """Return the weights that a backbone begins with, and where params.yaml first names each.

    What cannot be looked at is reported elsewhere, and the backbone looked at without.
    """
    places: dict[str, list[str]] = {}
    for choice in given:
        if choice.backbone == name:
            there = choice.weights in WORDS or Path(choice.weights).is_file()
            sound = there and not grid.weights_problem(name, choice.weights)
            places.setdefault(choice.weights if sound else "scratch", [*choice.where])
    return places or {"scratch": []}


def _masked(name: str, known: list[grid.Configuration]) -> str:
    """Return a configuration that the backbone is built for, with a decoder if any has one."""
    masked = (config.slug for config in known if config.masked and grid.family(name).masks)
    return next(masked, grid.SUPERVISED)


def _frames(get: Get) -> int:
    tasks = texts(get("benchmark", "clip_tasks"))
    given = [get("datasets", task, "clip_frames") for task in tasks]
    return next((frames for frames in given if isinstance(frames, int)), _FRAMES)


def _stamp(weights: str) -> list[int] | None:
    if weights in WORDS:
        return None
    status = os.stat(weights)
    return [status.st_size, status.st_mtime_ns, status.st_ino]


def verdict(wanted: list[Case]) -> list[tuple[str, list[str], str]]:
    """Return (backbone, key in params.yaml, problem) of what is wrong.

    The key is empty where it is the backbone's own place.

    The hub is queried each time, since the network is no property of the project.
    """
    key = _key(wanted)
    known = _remembered()
    if key not in known:
        known[key] = _look(wanted)
        with contextlib.suppress(DataError):  # it costs seconds again, that is all
            write_json(MEMORY, dict(list(known.items())[-_KEPT:]), sealed=False)
    answer = known[key]
    problems = [*answer["problems"]]
    for name, where, timm_name, repository, files in answer["hub"]:
        if text := hub.problem(timm_name, repository, files):
            problems.append((name, where, text))
    return problems


def _key(wanted: list[Case]) -> str:
    versions = [importlib.metadata.version(name) for name in ("torch", "timm", "safetensors")]
    code = source.digest("train"), source.of_modules(["data.preflight"])
    rests_on = json.dumps([wanted, versions, code], sort_keys=True)
    return hashlib.sha256(rests_on.encode()).hexdigest()


def _remembered() -> dict[str, Verdict]:
    try:
        known = json.loads(MEMORY.read_text(encoding="utf-8"))
        return {key: entry for key, entry in known.items() if {"problems", "hub"} <= entry.keys()}
    except (OSError, ValueError, AttributeError, KeyError, TypeError):
        return {}  # only a cache: it is written anew


def _look(wanted: list[Case]) -> Verdict:
    print("params.yaml: looking at backbones and weights, once", file=sys.stderr, flush=True)
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "lssat.data.preflight.child"],
        input=json.dumps(wanted),
        capture_output=True,
        text=True,
        check=False,
        timeout=_SECONDS,
    )
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no word"])[-1]
        problem = f"backbones and weights could not be looked at: {last}"
        raise DataError("params.yaml", problem, "Run `lssat check` to try again")
    return json.loads(done.stdout.splitlines()[-1])
