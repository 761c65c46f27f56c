"""The two-branch model of L-SSAT, in parts: patches and masks, inputs, losses, decoder, model."""

from lssat.ssat.decoder import Decoder
from lssat.ssat.inputs import Inputs, planes, raw
from lssat.ssat.losses import bits_loss, normalize_patches, squared_loss
from lssat.ssat.model import SSAT, Output
from lssat.ssat.patches import Mask, patchify, random_mask, take, unpatchify
from lssat.ssat.video import VideoSSAT, clips_of, frames_of

Model = SSAT | VideoSSAT  # on images or frames, and on clips

__all__ = ["SSAT", "Decoder", "Inputs", "Mask", "Model", "Output", "VideoSSAT", "bits_loss"]
__all__ += ["normalize_patches", "patchify", "planes", "random_mask", "raw", "squared_loss"]
__all__ += ["clips_of", "frames_of", "take", "unpatchify"]
