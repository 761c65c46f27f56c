"""Pictures of what the decoder makes of masked faces."""

import numpy as np
import torch

from lssat.loader import Crops
from lssat.ssat import SSAT, patchify, unpatchify

_SHOWN = 6


@torch.no_grad()
def reconstructions(model: SSAT, crops: Crops, seed: int) -> dict[str, np.ndarray]:
    """Reconstruct a few samples, spread over the split.

    Returns:
        `input` (n, H, W, 3) what the masked branch was fed, `target` and `output` (n, H, W, 3)
        uint8, `mask` (n, L) 0 keep 1 remove; kept patches of `output` are the target's. With
        norm_pix_loss each predicted patch gets the mean and variance of its target back.
        Empty for a configuration without the auxiliary task.
    """
    if model.decoder is None:
        return {}
    rows = np.unique(np.linspace(0, len(crops) - 1, _SHOWN).astype(int))
    batch = crops.batch(rows)
    patches = model.encoder.patch_embed.num_patches
    noise = torch.from_numpy(np.random.default_rng(seed).random((len(rows), patches), np.float32))
    device = next(model.parameters()).device
    imgs = batch.imgs.to(device)
    codes = None if batch.codes is None else batch.codes.to(device)
    model.eval()
    out = model(imgs, codes, noise.to(device))
    assert out.pred is not None
    assert out.mask is not None
    kind = str(model.configuration.target)
    target = patchify(model.prepare(kind, imgs, codes), model.patch_size)
    pred = out.pred.float()
    if model.norm_pix_loss:
        pred = pred * (target.var(-1, keepdim=True) + 1e-6) ** 0.5 + target.mean(-1, keepdim=True)
    shown = torch.where(out.mask[..., None] == 1, pred, target)
    fed = str(model.configuration.masked)
    plain = imgs if fed == "RGB" else codes
    return {
        "input": _uint8(plain.float()),  # type: ignore[union-attr]
        "target": _uint8(_undo(model, kind, target)),
        "output": _uint8(_undo(model, kind, shown)),
        "mask": out.mask.cpu().numpy().astype(np.uint8),
    }


def _undo(model: SSAT, kind: str, patches: torch.Tensor) -> torch.Tensor:
    name = "RGB" if kind == "RGB" else "texture"
    x = unpatchify(patches, model.patch_size, 3 if kind == "RGB" else 1)
    return (x * getattr(model, f"_std_{name}") + getattr(model, f"_mean_{name}")) * 255


def _uint8(x: torch.Tensor) -> np.ndarray:
    x = x.round().clamp(0, 255).to(torch.uint8).expand(-1, 3, -1, -1)
    return x.permute(0, 2, 3, 1).cpu().numpy()
