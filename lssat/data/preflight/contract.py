"""What the process that plans and its child, which imports timm, tell each other: JSON."""

from typing import Any, NamedTuple, NotRequired, TypedDict


class Demand(NamedTuple):
    """A key of one recipe that a backbone is trained with."""

    where: list[str]  # the key in params.yaml: of train, or of a variant that changes it
    key: str
    value: Any


class Case(TypedDict):
    """A backbone and the weights that it begins with, for the child to look at."""

    backbone: str
    configuration: str
    img_size: int
    mask_ratio: float
    weights: str
    file: list[int] | None  # size, time and inode of the file of weights, if there is one
    where: list[str]  # the key of the weights in params.yaml
    frames: NotRequired[int]  # of a clip
    demands: NotRequired[list[Demand]]


class Verdict(TypedDict):
    """What the child saw; the key of params.yaml is [] where it is the backbone's own."""

    problems: list[tuple[str, list[str], str]]  # backbone, key, problem
    hub: list[tuple[str, list[str], str, str, list[str]]]  # backbone, key, what `released` returns
