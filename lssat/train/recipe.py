"""The recipe's optimizer, schedule, and the balance of the two losses."""

from typing import Any

import torch
from timm.optim import create_optimizer_v2
from timm.scheduler import CosineLRScheduler
from torch import Tensor, nn

from lssat.ssat import Model
from lssat.tasks import Loss
from lssat.train.parallel import whole


class Step(nn.Module):
    """A training step as one module, which is what is wrapped, compiled and differentiated.

    Args:
        lambda_cls: loss = lambda_cls * L_cls + (1 - lambda_cls) * L_rec; or `learned`: both are
            weighted by uncertainties that are trained along (Kendall et al. 2018, 1705.07115).
    """

    def __init__(self, model: Model, loss: Loss, lambda_cls: float | str):
        super().__init__()
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
    ) -> tuple[Tensor, Tensor]:
        """Return the loss to minimise, and L_cls and L_rec unweighted as (2,), nan where absent.

        `mix` are the labels of the images that these are mixed with, and the shares (`tasks.Loss`).
        In the phase `predict` the loss is that of classification, and logits stand for the parts.
        """
        if phase == "predict":
            logits = self.model.classify(imgs, codes)
            return self.loss(logits, labels), logits
        out = self.model(imgs, codes, noise, phase)
        absent = torch.full((), float("nan"), device=imgs.device)
        loss_cls = absent if out.logits is None else self.loss(out.logits, labels, *mix)
        loss_rec = absent if out.loss_rec is None else out.loss_rec
        parts = torch.stack([loss_cls.detach().float(), loss_rec.detach().float()])
        if out.loss_rec is None:
            return loss_cls, parts
        if out.logits is None:
            return loss_rec, parts
        return self._balanced(loss_cls, loss_rec), parts

    def _balanced(self, loss_cls: Tensor, loss_rec: Tensor) -> Tensor:
        if self.lambda_cls == "learned":
            weight = torch.exp(-self.log_var)  # one over the variance
            both = weight[0] * loss_cls + weight[1] * loss_rec / 2
            return both + self.log_var.sum() / 2
        return self.lambda_cls * loss_cls + (1 - self.lambda_cls) * loss_rec  # type: ignore[operator]

    def no_weight_decay(self) -> set[str]:
        """Name the tokens and positions that weight decay leaves alone, as timm asks for them."""
        inner: set[str] = getattr(self.model.encoder, "no_weight_decay", set)()
        return {f"model.encoder.{name}" for name in inner} | {"model.decoder.mask_token"}

    def share(self) -> float:
        """Return the weight of L_cls as a share of both weights: lambda_cls, fixed or learned."""
        if self.lambda_cls != "learned":
            return float(self.lambda_cls)
        cls, rec = torch.exp(-whole(self.log_var.detach())).tolist()
        return cls / (cls + rec / 2)


def optimizer(step: Step, recipe: Any) -> torch.optim.Optimizer:
    """Build timm's optimizer; no weight decay on biases, norms and tokens.

    With `layer_decay` below 1 the learning rate of each block of a ViT is that of the next one
    times it, down to the patch embedding (BEiT, 2106.08254); head and decoder keep the full one.
    """
    # timm's "sgd" is Nesterov's; "momentum" is the plain one.
    sgd = recipe.optimizer == "sgd"
    options: dict[str, Any] = {"momentum": recipe.momentum} if sgd else {}
    groups: Any = step
    if recipe.layer_decay < 1:
        groups = _by_layer(step, recipe)
    else:
        options["filter_bias_and_bn"] = True
    return create_optimizer_v2(
        groups,
        opt="momentum" if sgd else recipe.optimizer,
        lr=recipe.lr * scale(recipe),
        weight_decay=recipe.weight_decay,
        **options,
    )


def _by_layer(step: Step, recipe: Any) -> list[dict]:
    from timm.optim import param_groups_layer_decay

    encoder = step.model.encoder
    kept = encoder.no_weight_decay()
    groups = param_groups_layer_decay(
        encoder, recipe.weight_decay, kept, layer_decay=recipe.layer_decay
    )
    of_encoder = {id(parameter) for parameter in encoder.parameters()}
    rest = [p for p in step.parameters() if p.requires_grad and id(p) not in of_encoder]
    for decay in (0.0, recipe.weight_decay):
        kind = [p for p in rest if (p.ndim <= 1) == (decay == 0.0)]
        groups.append({"params": kind, "weight_decay": decay, "lr_scale": 1.0})
    return [group for group in groups if group["params"]]


def scale(recipe: Any) -> float:
    """Return what the learning rates are multiplied by: samples of an update / 256, if asked."""
    return recipe.batch_size * recipe.accumulate / 256 if recipe.scale_lr else 1.0


def scheduler(
    made: torch.optim.Optimizer, recipe: Any, updates: int, epochs: int
) -> CosineLRScheduler:
    """Half a cosine per update from lr to min_lr, after a linear warm-up.

    Args:
        updates: of one epoch.
        epochs: of this phase.
    """
    return CosineLRScheduler(
        made,
        t_initial=epochs * updates,
        lr_min=recipe.min_lr,
        warmup_t=recipe.warmup_epochs * updates,
        warmup_lr_init=recipe.min_lr,
        t_in_epochs=False,
    )
