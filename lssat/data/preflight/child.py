"""The process that imports timm: reads its cases as JSON, writes its verdict as JSON."""

import json
import sys
from typing import Any

import torch
from timm.models import get_pretrained_cfg

from lssat import grid
from lssat.data.preflight.contract import Case, Verdict
from lssat.models.backbones import weights, width
from lssat.models.ssat import kind_of
from lssat.models.ssat.boundary import Boundary, channels_of, maps_of
from lssat.tables import DataError


def main() -> None:
    """Read the cases from stdin and print the verdict."""
    answer = Verdict(problems=[], hub=[])
    problems = answer["problems"]
    cases: list[Case] = json.load(sys.stdin)
    for case in cases:
        name, choice = case["backbone"], case["weights"]
        try:
            encoder = build(case)
        except DataError as error:
            text = error.problem.removeprefix("benchmark.backbones: ")
            problems.append((name, [], f"{text}; {_small(error.fix)}"))
            continue
        if problem := unfit(encoder, case["img_size"]):
            problems.append((name, [], f"{name} cannot be used: {problem}"))
            continue
        for where, key, value in case.get("demands", []):
            if problem := lacking(encoder, case, key, value):
                problems.append((name, where, problem))
        try:
            if choice in ("mae", "timm"):
                answer["hub"].append((name, case["where"], *released(name, choice)))
            elif choice != "scratch":
                weights.check_file(encoder, name, choice)
        except DataError as error:
            text = error.problem.removeprefix("train.weights: ")
            file = "" if error.file == "params.yaml" else f"{error.file} "
            problems.append((name, case["where"], f"{file}{text}; {_small(error.fix)}"))
    print(json.dumps(answer))


def _small(fix: str) -> str:
    return fix[:1].lower() + fix[1:]


def build(case: Case) -> Any:
    """Build a backbone as training does, on torch's meta device; return its encoder."""
    names = ("backbone", "img_size", "mask_ratio", "frames")
    described = {name: value for name, value in case.items() if name in names}
    kind: Any = kind_of(case["backbone"])
    with torch.device("meta"):
        model = kind(**described, configuration=grid.parse(case["configuration"]), outputs=2)
    return model.encoder


def unfit(encoder: Any, size: int) -> str | None:
    """Say why a classifier that pools by itself gives no features of its width, or None."""
    if not getattr(encoder, "pools", False):
        return None
    try:
        features = encoder.eval()(torch.zeros(1, 3, size, size, device="meta"))
    except Exception as error:  # each model has its own way to refuse a size
        why = (str(error).splitlines() or [""])[0]
        return f"images of {size} px do not go through it ({type(error).__name__}: {why[:80]})"
    tensor = isinstance(features, torch.Tensor)
    shape = tuple(features.shape) if tensor else type(features).__name__
    if shape != (1, width(encoder)):
        return f"it gives {shape}, not {width(encoder)} features of an image"
    return None


def lacking(encoder: Any, case: Case, key: str, value: Any) -> str | None:
    """Say what a recipe demands that the backbone has not, or None."""
    name = case["backbone"]
    if key == "tune":
        return grid.tune_problem(name, grid.tune(value), len(encoder.blocks))
    if key == "blend":
        return _no_maps(encoder, name, case["img_size"])
    try:
        encoder.set_grad_checkpointing(True)
    except (AttributeError, AssertionError) as error:  # timm's two ways to say it
        fix = "write false, or leave it out"
        return f"{name} cannot compute activations again, as this asks ({error}); {fix}"
    return None


def _no_maps(encoder: Any, name: str, size: int) -> str | None:
    """Say why Face X-ray's boundary cannot be predicted from a classifier's maps, or None."""
    if not getattr(encoder, "pools", False):
        return None  # of a ViT: its patches
    try:
        with torch.device("meta"):
            features, maps = maps_of(encoder.eval(), torch.zeros(1, 3, size, size))
            Boundary(channels_of(encoder, True))(maps)
        if tuple(features.shape) != (1, width(encoder)):
            raise ValueError(f"its features are {tuple(features.shape)}")
    except Exception as error:  # each model has its own way to have none
        why = (str(error).splitlines() or [""])[0]
        fix = "write sbi, which needs no maps, or leave it out"
        return (
            f"{name} gives no maps to predict xray's boundary from "
            f"({type(error).__name__}: {why[:80]}); {fix}"
        )
    return None


def released(name: str, choice: str) -> tuple[str, str, list[str]]:
    """Return timm's name, the hub's repository and the files, one of which is fetched.

    Some releases lie at an address of their own: then that stands in place of the repository,
    without files.

    Raises:
        DataError: there are no released weights of this name.
    """
    source = weights.released(name, choice)
    config = get_pretrained_cfg(source)
    if config is not None and isinstance(config.url, str) and config.url and not config.hf_hub_id:
        return source, config.url, []
    if config is None or not config.hf_hub_id:
        problem = f"train.weights: timm has no released weights of {source}"
        raise DataError("params.yaml", problem, "Write scratch or the path of a .safetensors file")
    if config.hf_hub_filename:
        safe = config.hf_hub_filename.removesuffix(".bin") + ".safetensors"
        return source, config.hf_hub_id, [safe, config.hf_hub_filename]
    return source, config.hf_hub_id, ["model.safetensors", "pytorch_model.bin"]


if __name__ == "__main__":
    main()
