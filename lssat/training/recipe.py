"""The recipe's optimizer, schedule, and the balance of the two losses."""

from typing import Any

import torch
from timm.optim import create_optimizer_v2
from timm.scheduler import CosineLRScheduler
from torch import Tensor, nn

from lssat.models.losses import Loss
from lssat.models.ssat import SSAT, Output
from lssat.models.ssat.boundary import LAMBDA_BOUNDARY, boundary_loss
from lssat.params import Train
from lssat.tables import DataError
from lssat.training.parallel import whole


class Step(nn.Module):
    """A training step as one module, which is what is wrapped, compiled and differentiated.

    Args:
        probe: the encoder is not run: `imgs` are its features (N, F), which the head reads.
        lambda_cls: loss = lambda_cls * L_cls + (1 - lambda_cls) * L_rec; or `learned`: both are
            weighted by uncertainties that are trained along (Kendall et al. 2018, 1705.07115).
    """

    def __init__(self, model: SSAT, loss: Loss, lambda_cls: float | str, probe: bool = False):
        super().__init__()
        self.probe = probe
        self.model, self.loss, self.lambda_cls = model, loss, lambda_cls
        if lambda_cls == "learned":
            self.log_var = nn.Parameter(torch.zeros(2))  # of classification, reconstruction

    def forward(
        self,
        imgs: Tensor,
        codes: Tensor | None,
        noise: Tensor | None,
        labels: Tensor,
        phase: str,
        *mix: Tensor,
        boundary: Tensor | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Return the loss to minimise, and L_cls and L_rec unweighted as (2,), nan where absent.

        With `boundary` (N, 1, H, W), the target of the boundary head, L_rec is that head's loss.
        `mix` are the labels of the images that these are mixed with, and the shares (`tasks.Loss`).
        In the phase `predict` the loss is that of classification, and logits stand for the parts.
        """
        if phase == "predict":
            logits = self.model.head(imgs) if self.probe else self.model.classify(imgs, codes)
            return self.loss(logits, labels), logits
        out = self._out(imgs, codes, noise, phase)
        absent = torch.full((), float("nan"), device=imgs.device)
        loss_cls = absent if out.logits is None else self.loss(out.logits, labels, *mix)
        loss_rec = absent if out.loss_rec is None else out.loss_rec
        if out.boundary is not None and boundary is not None:
            loss_rec = boundary_loss(out.boundary, boundary)
        parts = torch.stack([loss_cls.detach().float(), loss_rec.detach().float()])
        if out.boundary is not None:
            return loss_cls + LAMBDA_BOUNDARY * loss_rec, parts
        if out.loss_rec is None:
            return loss_cls, parts
        if out.logits is None:
            return loss_rec, parts
        return self._balanced(loss_cls, loss_rec), parts

    def _out(self, imgs: Tensor, *rest: Any) -> Output:
        return Output(self.model.head(imgs)) if self.probe else self.model(imgs, *rest)

    def _balanced(self, loss_cls: Tensor, loss_rec: Tensor) -> Tensor:
        if self.lambda_cls == "learned":
            weight = torch.exp(-self.log_var)  # one over the variance
            both = weight[0] * loss_cls + weight[1] * loss_rec / 2
            return both + self.log_var.sum() / 2
        return self.lambda_cls * loss_cls + (1 - self.lambda_cls) * loss_rec  # type: ignore[operator]

    def no_weight_decay(self) -> set[str]:
        """Name the tokens and positions that weight decay leaves alone, with the encoder's own."""
        inner: set[str] = getattr(self.model.encoder, "no_weight_decay", set)()
        return {f"model.encoder.{name}" for name in inner} | {"model.decoder.mask_token"}

    def share(self) -> float:
        """Return the weight of L_cls as a share of both weights: lambda_cls, fixed or learned."""
        if self.lambda_cls != "learned":
            return float(self.lambda_cls)
        cls, rec = torch.exp(-whole(self.log_var.detach())).tolist()
        return cls / (cls + rec / 2)


def optimizer(step: Step, recipe: Train) -> torch.optim.Optimizer:
    """Build timm's optimizer over the groups of `_groups`.

    Raises:
        DataError: `layer_decay` below 1, and a backbone without a row of blocks.
    """
    # timm's "sgd" is Nesterov's; "momentum" is the plain one.
    sgd = recipe.optimizer == "sgd"
    options: dict[str, Any] = {"momentum": recipe.momentum} if sgd else {}
    return create_optimizer_v2(
        _groups(step, recipe),  # type: ignore[arg-type]
        opt="momentum" if sgd else recipe.optimizer,
        lr=recipe.lr * scale(recipe),
        weight_decay=recipe.weight_decay,
        **options,
    )


def _groups(step: Step, recipe: Train) -> list[dict[str, Any]]:
    """Group the parameters by learning rate and weight decay.

    Biases, norms and tokens have no decay, whatever `layer_decay` is. The learning rate of a
    parameter of layer i of an encoder of d blocks is multiplied by layer_decay ** (d + 1 - i),
    as in MAE's and BEiT's fine-tuning (2111.06377, 2106.08254).
    """
    bare = step.no_weight_decay()
    groups: dict[tuple[float, float], dict[str, Any]] = {}
    for name, parameter in step.named_parameters():
        if not parameter.requires_grad:
            continue
        decay = 0.0 if parameter.ndim <= 1 or name in bare else recipe.weight_decay
        rate = 1.0
        if recipe.layer_decay < 1:
            rate = recipe.layer_decay ** _above(step, name, recipe.layer_decay)
        group: dict[str, Any] = {"params": [], "weight_decay": decay, "lr_scale": rate}
        groups.setdefault((rate, decay), group)["params"].append(parameter)
    return list(groups.values())


# What timm's encoders have after their blocks; the rest is before them: patches, tokens, positions.
_AFTER = ("norm.", "fc_norm.", "attn_pool.")


def _above(step: Step, name: str, layer_decay: float) -> int:
    """Return d + 1 - i: the number of layers that a parameter of layer i has above it.

    Layer 0 is what comes before the blocks, block k is layer k + 1, and what comes after them is
    layer d + 1: the encoder's last norms and pooling, the head and the decoder.
    """
    place = name.removeprefix("model.encoder.")
    blocks = getattr(step.model.encoder, "blocks", None)
    if blocks is None:
        problem = f"train.layer_decay: {layer_decay} goes down the blocks of a ViT, and this "
        problem += "backbone has none"
        raise DataError("params.yaml", problem, "Write 1.0")
    if place == name or place.startswith(_AFTER):
        return 0
    if place.startswith("blocks."):
        return len(blocks) - int(place.split(".")[1])
    return len(blocks) + 1


def scale(recipe: Train) -> float:
    """Return the factor of the learning rates: samples of an update / 256, or 1."""
    return recipe.batch_size * recipe.accumulate / 256 if recipe.scale_lr else 1.0


def scheduler(
    optimizer: torch.optim.Optimizer, recipe: Train, updates: int, epochs: int
) -> CosineLRScheduler:
    """Rise linearly from 0 to lr, then fall along half a cosine to min_lr, update by update.

    The cosine begins where the warm-up ends, at its peak, as in the code of MAE and SSAT. A
    warm-up as long as the phase leaves no cosine.

    Args:
        updates: of one epoch.
        epochs: of this phase.
    """
    rest = epochs - recipe.warmup_epochs
    return CosineLRScheduler(
        optimizer,
        t_initial=max(rest, 1) * updates,
        lr_min=recipe.min_lr,
        warmup_t=recipe.warmup_epochs * updates,
        warmup_lr_init=0.0,
        warmup_prefix=True,
        t_in_epochs=False,
    )
