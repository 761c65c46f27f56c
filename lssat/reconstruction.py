"""Pictures of what the decoder makes of masked faces."""

import numpy as np
import torch
from torch import Tensor

from lssat.loader import Crops
from lssat.ssat import SSAT, Mask, patchify, raw, unpatchify

_SHOWN = 6


@torch.no_grad()
def reconstructions(model: SSAT, crops: Crops, seed: int) -> dict[str, np.ndarray]:
    """Reconstruct a few samples, spread over the split.

    Returns:
        `input` (n, H, W, 3) what the masked branch was fed, `mask` (n, L) 0 keep 1 remove; then
        `target` and `output` (n, H, W, 3) uint8 of the first target and `target_2`, `output_2`
        of a second one. Kept patches of `output` are the target's. With norm_pix_loss each
        predicted patch gets the mean and variance of its target back; of bits the likelier one
        is shown. Empty for a configuration without the auxiliary task.
    """
    if model.decoder is None:
        return {}
    rows = np.unique(np.linspace(0, len(crops) - 1, _SHOWN).astype(int))
    batch = crops.batch(rows)
    draw = np.random.default_rng(seed)
    noise = torch.from_numpy(draw.random((len(rows), model.num_patches), np.float32))
    device = next(model.parameters()).device
    imgs = batch.imgs.to(device)
    codes = None if batch.codes is None else batch.codes.to(device)
    model.eval()
    out = model(imgs, codes, noise.to(device), phase="reconstruct")
    assert out.pred is not None
    assert out.mask is not None
    fed = raw(str(model.configuration.masked), imgs, codes)
    pictures = {"input": _uint8(fed), "mask": out.mask.dense().cpu().numpy().astype(np.uint8)}
    for kind, end in zip(model.configuration.targets, ("", "_2"), strict=False):
        whole = raw(kind, imgs, codes)
        pixels = _pixels(model, kind, out.pred[kind].float(), whole, out.mask)
        patches = patchify(whole.float(), model.patch_size)
        ids = out.mask.ids_remove[..., None].expand(-1, -1, patches.shape[2])
        shown = unpatchify(patches.scatter(1, ids, pixels), model.patch_size, whole.shape[1])
        pictures |= {f"target{end}": _uint8(whole), f"output{end}": _uint8(shown)}
    return pictures


def _pixels(model: SSAT, kind: str, pred: Tensor, whole: Tensor, mask: Mask) -> Tensor:
    """Turn predictions (N, R, ..) into pixels 0..255 (N, R, p*p*C)."""
    n, removed, _ = pred.shape
    if kind != "RGB" and model.encoding == "bits":
        bits = pred.reshape(n, removed, -1, 8) > 0
        return (bits * 2 ** torch.arange(8, device=pred.device)).sum(-1).float()
    if model.norm_pix_loss:
        target = patchify(model.prepare(kind, whole, whole), model.patch_size)
        target = torch.gather(target, 1, mask.ids_remove[..., None].expand(-1, -1, pred.shape[2]))
        pred = pred * (target.var(-1, keepdim=True) + 1e-6) ** 0.5 + target.mean(-1, keepdim=True)
    channels = whole.shape[1]
    # Pixels of a patch have their channels last.
    as_images = pred.reshape(n * removed, -1, 1, channels).permute(0, 3, 1, 2)
    pixels = model.prepare.undo(kind, as_images)
    return pixels.permute(0, 2, 3, 1).reshape(n, removed, -1)


def _uint8(x: Tensor) -> np.ndarray:
    x = x.float().round().clamp(0, 255).to(torch.uint8).expand(-1, 3, -1, -1)
    return x.permute(0, 2, 3, 1).cpu().numpy()
