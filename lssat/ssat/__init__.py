"""The two-branch model of L-SSAT, in parts: patches and masks, inputs, losses, decoder, model."""

from lssat.ssat.decoder import Decoder
from lssat.ssat.inputs import Inputs, planes, raw
from lssat.ssat.losses import bits_loss, normalize_patches, squared_loss
from lssat.ssat.model import SSAT, Output
from lssat.ssat.patches import Mask, patchify, random_mask, take, unpatchify

__all__ = ["SSAT", "Decoder", "Inputs", "Mask", "Output", "bits_loss", "normalize_patches"]
__all__ += ["patchify", "planes", "random_mask", "raw", "squared_loss", "take", "unpatchify"]
