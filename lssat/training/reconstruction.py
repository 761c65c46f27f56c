"""Pictures of masked faces and of their reconstructions."""

import numpy as np
import torch
from torch import Tensor

from lssat.models.backbones import videomae
from lssat.models.ssat import SSAT, Mask, VideoSSAT, patchify, raw, take, unpatchify
from lssat.training.loader import Crops

_SHOWN = 6


@torch.no_grad()
def reconstructions(model: SSAT, crops: Crops, seed: int) -> dict[str, np.ndarray]:
    """Reconstruct a few samples, spread over the split.

    Returns:
        `input` (n, H, W, 3) what the masked branch was fed, `mask` (n, L) 0 keep 1 remove; then
        `target` and `output` (n, H, W, 3) uint8 of the first target and `target_2`, `output_2`
        of a second one. Kept patches of `output` are the target's. With norm_pix_loss each
        predicted patch gets the mean and variance of its target back; of bits the likelier one
        is shown. Of a clip the first frame is shown. Empty for a configuration without the
        auxiliary task.
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
    dense = out.mask.dense()[:, : model.num_patches]  # of a clip: the tubes, in its first slot
    pictures = {"input": _uint8(_still(fed)), "mask": dense.cpu().numpy().astype(np.uint8)}
    for kind, end in zip(model.configuration.targets, ("", "_2"), strict=False):
        whole = raw(kind, imgs, codes)
        if isinstance(model, VideoSSAT):
            shown = _clip(model, kind, out.pred[kind].float(), whole, out.mask)
            pictures |= {f"target{end}": _uint8(_still(whole)), f"output{end}": _uint8(shown)}
            continue
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


def _still(x: Tensor) -> Tensor:
    return x[:, :, 0] if x.ndim == 5 else x


def _clip(model: VideoSSAT, kind: str, pred: Tensor, whole: Tensor, mask: Mask) -> Tensor:
    """Return the first frames (N, C, H, W), 0..255, with the removed cubes as predicted."""
    channels, slots = whole.shape[1], model.encoder.slots
    cube = pred.unflatten(-1, (-1, model.channels(kind)))  # (N, R, tubelet*p*p, C)
    if kind != "RGB" and model.encoding == "bits":
        weights = 2 ** torch.arange(8, device=pred.device)
        cube = ((cube > 0) * weights).sum(-1, keepdim=True).float()
    else:
        target = model.target_pixels(kind, whole).unflatten(-1, (-1, channels))
        picked = take(target.flatten(-2), mask.ids_remove).unflatten(-1, (-1, channels))
        if model.norm_pix_loss:
            mean, std = picked.mean(-2, keepdim=True), picked.var(-2, keepdim=True).sqrt()
            cube = cube * (std + 1e-6) + mean
        cube = cube * 255
    patches = videomae.patchify(whole.float(), model.tubelet, model.patch_size)
    ids = mask.ids_remove[..., None].expand(-1, -1, patches.shape[2])
    shown = patches.scatter(1, ids, cube.flatten(-2))
    return _still(
        videomae.unpatchify(shown, model.tubelet, model.patch_size, channels, slots=slots)
    )
