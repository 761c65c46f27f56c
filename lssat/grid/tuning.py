"""How much of an encoder a run trains: what `train.tune` may say. No torch."""

import re
from typing import NamedTuple

from lssat.grid.backbones import TIMM, family

RANK = 8  # of `lora` without a number; its alpha is twice the rank, whatever that is
_SPELLING = re.compile(r"full|linear|norm|lora(?::([1-9]\d*))?|blocks:([1-9]\d*)")


class Tune(NamedTuple):
    """What is trained beside the head and, where there is one, the decoder."""

    kind: str  # full | linear | norm | lora | blocks
    number: int = 0  # of lora its rank, of blocks how many of the last ones


FULL = Tune("full")


def tune(text: str) -> Tune:
    """Parse `full`, `linear`, `norm`, `lora`, `lora:16` or `blocks:2`.

    Raises:
        ValueError: another spelling.
    """
    match = _SPELLING.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is none of full, linear, norm, lora, lora:<rank>, blocks:<k>")
    if match[1] == str(RANK):
        raise ValueError(f"{text!r} is what lora means; write lora")
    kind = text.partition(":")[0]
    return Tune(kind, int(match[1] or match[2] or (RANK if kind == "lora" else 0)))


def depth(backbone: str) -> int | None:
    """Return the number of blocks of a ViT; None where only timm knows it, or there are none."""
    return getattr(family(backbone).sizes.get(backbone), "depth", None)


def tune_problem(backbone: str, how: Tune, blocks: int | None = None) -> str | None:
    """Say why a backbone cannot be tuned in this way, or None.

    Args:
        blocks: of the backbone, where the caller has built it; else as far as its name tells.
    """
    blocks = depth(backbone) if blocks is None else blocks
    if how.kind in ("lora", "blocks") and not family(backbone).masks:
        what = "attention to adapt" if how.kind == "lora" else "row of blocks"
        return f"{backbone} has no {what}; write full, linear or norm, or leave it out"
    if how.kind == "blocks" and blocks is not None and how.number > blocks:
        return f"{backbone} has {blocks} blocks; write blocks:{blocks} or less"
    return None


def known_later(backbone: str, how: Tune) -> bool:
    """Say whether only timm can tell if the backbone has so many blocks."""
    return how.kind == "blocks" and backbone.startswith(TIMM)
