"""The inputs that a configuration names: normalised images, codes as numbers or as planes."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

# Codes use the middle of their range: the papers do not say what they do.
_CODE_MEAN, _CODE_STD = (0.5,), (0.25,)


class Inputs(nn.Module):
    """The normalisation of RGB images and of code images: (x / 255 - mean) / std.

    An input is a number in each pixel, whatever `texture.encoding` says of targets: the patch
    embedding has three channels, and released weights have no others.
    """

    def __init__(self, mean: Sequence[float], std: Sequence[float]):
        super().__init__()
        constants = {"RGB": (mean, std), "code": (_CODE_MEAN, _CODE_STD)}
        for name, values in constants.items():
            for what, value in zip(("mean", "std"), values, strict=True):
                column = torch.tensor(value).reshape(1, -1, 1, 1)
                self.register_buffer(f"{what}_{name}", column, persistent=False)

    def forward(self, kind: str, imgs: Tensor, codes: Tensor | None) -> Tensor:
        """Normalise what a field names.

        Args:
            kind: RGB, LDP or LBP. imgs: (N, 3, H, W) uint8. codes: (N, 1, H, W) uint8.

        Returns:
            (N, 3, H, W) or (N, 1, H, W) floating.
        """
        x = raw(kind, imgs, codes)
        mean, std = self._constants(kind)
        scale = 1 / (255 * std)
        # As one pass over the pixels.
        return torch.addcmul(-mean / std, x.to(scale.dtype), scale)

    def undo(self, kind: str, x: Tensor) -> Tensor:
        """Return normalised pixels (N, C, H, W) to 0..255."""
        mean, std = self._constants(kind)
        return (x * std + mean) * 255

    def _constants(self, kind: str) -> tuple[Tensor, Tensor]:
        name = "RGB" if kind == "RGB" else "code"
        return self.get_buffer(f"mean_{name}"), self.get_buffer(f"std_{name}")


def raw(kind: str, imgs: Tensor, codes: Tensor | None) -> Tensor:
    """Return the images or codes that a field names, as they were given.

    Raises:
        ValueError: codes are needed and missing.
    """
    if kind == "RGB":
        return imgs
    if codes is None:
        raise ValueError(f"the configuration needs {kind} codes")
    return codes


def planes(codes: Tensor, dtype: torch.dtype = torch.float32) -> Tensor:
    """Split codes (N, 1, ...) uint8 into binary planes (N, 8, ...), bit 0 (East) first."""
    bits = torch.arange(8, dtype=torch.uint8, device=codes.device)
    return ((codes >> bits.reshape(1, 8, *(1,) * (codes.ndim - 2))) & 1).to(dtype)
