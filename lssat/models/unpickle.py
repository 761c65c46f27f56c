"""A released checkpoint, read in a process of its own: its tensors, and nothing it would run.

torch's weights-only loader builds tensors, numbers and containers; any other name in the pickle
ends the reading. Three plain things that training scripts store beside weights are let through:
argparse's Namespace (MAE's `args`) and numpy's numbers (best scores).

Called as `python -m lssat.models.unpickle IN OUT`, with one line of JSON on stdout.
"""

import argparse
import json
import re
import sys
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

_OPTIMIZER = re.compile(r"optim\w*")  # moments, twice the size of the weights
_SCALAR = np.float64(0).__reduce__()[0]  # what makes numpy's numbers; numpy 1 had it elsewhere
_NUMBERS = [np.dtype, *(type(np.dtype(kind)) for kind in "fdilq"), _SCALAR]
_PLAIN: list[Any] = [*_NUMBERS, (_SCALAR, "numpy.core.multiarray.scalar"), argparse.Namespace]


def flat(value: Any, where: str = "") -> Iterator[tuple[str, Any]]:
    """Yield what a checkpoint holds by its place: names of containers with `/` between them."""
    if isinstance(value, Mapping) and not _OPTIMIZER.fullmatch(where):
        for key, inner in value.items():
            yield from flat(inner, f"{where}/{key}" if where else f"{key}")
    else:
        yield where, value


def read(source: str) -> Any:
    """Read a checkpoint, or a safetensors file, without running anything of it."""
    if Path(source).suffix == ".safetensors":
        return load_file(source)
    with warnings.catch_warnings(), torch.serialization.safe_globals(_PLAIN):
        # What the loader does not know of a newer pickle is an error anyway.
        warnings.filterwarnings("ignore", message="Detected pickle protocol")
        return torch.load(source, map_location="cpu", weights_only=True)


def reason(error: Exception) -> str:
    """Say in one clause why a file was not read."""
    text = f"{error}"
    if match := re.search(r"GLOBAL (\S+)", text):
        return f"its pickle asks for {match[1]}, which is no tensor; nothing of it was run"
    if match := re.search(r"Unsupported (?:class|operand) (\S+)", text):
        return f"its pickle asks for what no table of tensors needs ({match[0]}); nothing was run"
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return (
        f"it is no checkpoint of torch ({type(error).__name__}: {lines[0][:150] if lines else ''})"
    )


def main(source: str, out: str) -> dict[str, Any]:
    """Write the tensors of a checkpoint to `out`; return the names of all else, or the reason."""
    try:
        content = dict(flat(read(source)))
    except Exception as error:  # a file of others can make the loader raise anything
        return {"refused": reason(error)}
    tensors = {name: value for name, value in content.items() if isinstance(value, Tensor)}
    # Tensors may share memory, which the format has not: each becomes its own.
    save_file({name: value.detach().clone().contiguous() for name, value in tensors.items()}, out)
    return {"others": [name for name in content if name not in tensors]}


if __name__ == "__main__":
    print(json.dumps(main(*sys.argv[1:])))
