"""The two-branch model of L-SSAT, in parts: patches and masks, inputs, losses, decoder, model."""

from lssat import grid
from lssat.models.backbones.tokens import take
from lssat.models.ssat.inputs import planes, raw
from lssat.models.ssat.losses import bits_loss, normalize_patches, squared_loss
from lssat.models.ssat.model import SSAT, Output
from lssat.models.ssat.patches import Mask, patchify, random_mask, unpatchify
from lssat.models.ssat.video import VideoSSAT, clips_of, frames_of


def kind_of(backbone: str) -> type[SSAT]:
    """Return the model of a backbone: on images or frames, or on clips."""
    return VideoSSAT if grid.family(backbone).clips else SSAT


__all__ = ["SSAT", "Mask", "Output", "VideoSSAT", "bits_loss"]
__all__ += ["normalize_patches", "patchify", "planes", "random_mask", "raw", "squared_loss"]
__all__ += ["clips_of", "frames_of", "kind_of", "take", "unpatchify"]
