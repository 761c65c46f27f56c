"""Logits of a trained run for a split."""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from lssat.checkpoint import load_weights
from lssat.loader import Crops
from lssat.ssat import Model
from lssat.tables import DataError, read_json
from lssat.train import rebuild


def load_run(folder: str | Path) -> Model:
    """Return the model of a run's folder, in evaluation mode.

    Raises:
        DataError: the weights are missing, or not those that the run's record vouches for.
    """
    folder = Path(folder)
    record = read_json(folder / "record.json")
    state, described = load_weights(folder / "weights.safetensors", record["weights_sha256"])
    model = rebuild(described)
    model.load_state_dict(state)
    return model.eval()


@torch.inference_mode()
def classify(model: Model, imgs: Tensor, codes: Tensor | None) -> np.ndarray:
    """Return the logits (n, outputs) float32 of crops as `loader.tensors` gives them."""
    device = next(model.parameters()).device
    seen = None if codes is None else codes.to(device)
    return model.classify(imgs.to(device), seen).float().cpu().numpy()


def logits(model: Model, crops: Crops, batch_size: int) -> np.ndarray:
    """Return the logits (N, outputs) float32 of all samples, in the order of their table."""
    if crops.size != (want := model.img_size):
        fix = "Set faces.size to the size that the run was trained on"
        raise DataError(crops.file, f"has crops of {crops.size} px, the run wants {want}", fix)
    batches = crops.in_order(batch_size)
    return np.concatenate([classify(model, batch.imgs, batch.codes) for batch in batches])
