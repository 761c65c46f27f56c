"""Weights of a run: safetensors with what is needed to rebuild the model; never a pickle."""

import json
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from lssat.tables import DataError, sha256, write_whole


def save_weights(path: str | Path, state: dict[str, torch.Tensor], model: dict[str, Any]) -> str:
    """Write weights and the model's description atomically and return the file's sha256."""
    tensors = {key: value.detach().cpu().contiguous() for key, value in state.items()}
    # One metadata key only: safetensors writes several in no fixed order.
    data = save(tensors, metadata={"model": json.dumps(model, sort_keys=True)})
    return write_whole(path, lambda file: file.write(data))


def load_weights(path: str | Path, digest: str) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    """Read weights and the model's description.

    Args:
        digest: sha256 that the run's record holds; a flipped byte would load without a word.

    Raises:
        DataError: missing, damaged, or not a safetensors file.
    """
    remedy = "Remove the run's folder and run `snakemake --cores 8` to train it again"
    try:
        if (found := sha256(path)) != digest:
            problem = f"has sha256 {found[:12]}..., its record says {digest[:12]}..."
            raise DataError(path, problem, remedy)
        with safe_open(str(path), framework="pt") as file:
            model = json.loads((file.metadata() or {})["model"])
            return {key: file.get_tensor(key) for key in file.keys()}, model  # noqa: SIM118
    except FileNotFoundError:
        raise DataError(path, "does not exist", remedy) from None
    except (SafetensorError, KeyError, ValueError) as error:
        raise DataError(path, f"is not a run's weights ({error})", remedy) from error
