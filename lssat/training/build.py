"""From a run's names and its recipe to a model with initial weights, and back from its record."""

from typing import Any

import torch

from lssat import grid
from lssat.models.backbones import Weights, load_weights
from lssat.models.ssat import SSAT, kind_of
from lssat.params.views import TrainView
from lssat.training.loader import Crops


def make_model(
    run: grid.Run, crops: Crops, params: TrainView
) -> tuple[SSAT, dict[str, Any], Weights]:
    """Build the run's model; also return what rebuilds it, and where its weights came from."""
    recipe = params.train
    described = dict(
        backbone=run.backbone,
        configuration=run.configuration,
        img_size=crops.size,
        outputs=crops.task.outputs,
        mask_ratio=recipe.mask_ratio,
        norm_pix_loss=recipe.norm_pix_loss,
        encoding=recipe.encoding or params.texture.encoding,
        head=recipe.head,
    )
    described |= {"frames": crops.frames} if crops.clips else {}
    described |= {"boundary": True} if recipe.blend == "xray" else {}
    torch.manual_seed(run.seed)
    model = rebuild(described)
    weights = load_weights(model.encoder, run.backbone, recipe.weights)
    licence = f", licence {weights.licence}" if weights.licence else ""
    print(f"{run.path}: initial weights {weights.source}{licence}", flush=True)
    return model, described, weights


def rebuild(described: dict[str, Any]) -> SSAT:
    """Build a model from its description, with fresh weights."""
    return kind_of(described["backbone"])(
        **{**described, "configuration": grid.parse(described["configuration"])}
    )
