"""The two-branch model on clips: VideoMAE's encoder, tubes and decoder, L-SSAT's choice of inputs.

The frames of a clip are normalised, and their texture codes computed, one by one; then all is cut
into the same tubelets.
"""

from torch import Tensor, nn

from lssat.models.backbones import videomae
from lssat.models.ssat.model import SSAT
from lssat.models.ssat.patches import Mask


class VideoSSAT(SSAT):
    """A VideoMAE encoder shared by a classification head and a masked-autoencoder branch.

    The classifier reads the mean of all tokens through `fc_norm`, the decoder the kept tokens
    through `norm`, as in VideoMAE's fine-tuning and pre-training (2203.12602). A fused head reads
    both means through `fc_norm`: that of all tokens and that of the masked branch's.

    Images of `SSAT` are clips here, (N, C, T, H, W); `frames` is a multiple of the encoder's
    tubelet; the noise is one number for each place of a frame; `norm_pix_loss` normalises each
    cube and channel of a target.
    """

    clips = True

    def _init_head(self) -> None:
        nn.init.trunc_normal_(self.head.weight, std=0.02)
        nn.init.zeros_(self.head.bias)

    def _decoder(self, backbone: str) -> nn.Module:
        tokens = self.encoder.slots * self.encoder.places
        channels = {kind: self.channels(kind) for kind in self.configuration.targets}
        return videomae.VideoDecoder(self.encoder.sizes, tokens, channels)

    @property
    def patch_size(self) -> int:
        """Side of a cube in pixels."""
        return self.encoder.sizes.patch_size

    @property
    def tubelet(self) -> int:
        """Frames of a cube."""
        return self.encoder.sizes.tubelet

    @property
    def num_patches(self) -> int:
        """Number of places of a frame, the length of the noise: a tube hides one in all slots."""
        return self.encoder.places

    def set_grad_checkpointing(self, enable: bool = True) -> None:
        """Compute activations of the encoder again in the backward pass instead of keeping them."""
        self.encoder.grad_checkpointing = enable

    def _mask(self, noise: Tensor) -> Mask:
        return Mask(*videomae.tube_masking(noise, self.mask_ratio, self.encoder.slots))

    def _branches(
        self, whole: Tensor | None, kept: Tensor, mask: Mask
    ) -> tuple[Tensor | None, Tensor]:
        second = self.encoder.encode(kept)
        return None if whole is None else self.encoder.encode(whole), second

    def _decode(self, kept: Tensor, mask: Mask) -> dict[str, Tensor]:
        assert self.decoder is not None
        return self.decoder(self.encoder.norm(kept), *mask)

    def _features(self, seen: Tensor) -> Tensor:
        return self._pooled(self.encoder.encode(self._embedded(seen)))

    def _pooled(self, tokens: Tensor) -> Tensor:
        return self.encoder.fc_norm(tokens.mean(1))

    def _embedded(self, seen: Tensor) -> Tensor:
        return self.encoder.tokens(seen)

    def _prepared(self, kind: str, imgs: Tensor, codes: Tensor | None) -> Tensor:
        codes = None if codes is None else frames_of(codes)
        return clips_of(self.prepare(kind, frames_of(imgs), codes), len(imgs))

    def target_pixels(self, kind: str, whole: Tensor) -> Tensor:
        """Return the cubes (N, L, tubelet*p*p*C) of pixels in [0, 1], before `norm_pix_loss`.

        VideoMAE's target is the picture itself, where MAE's is normalised as the input is.

        Args:
            whole: (N, C, T, H, W) uint8, what the target is made of.
        """
        return self.patchify(whole.to(self.head.weight.dtype) / 255)

    def patchify(self, whole: Tensor) -> Tensor:
        """Cut (N, C, T, H, W) into (N, L, tubelet*p*p*C)."""
        return videomae.patchify(whole, self.tubelet, self.patch_size)

    def _normalized(self, target: Tensor, kind: str) -> Tensor:
        return videomae.normalize_cubes(target, self.channels(kind))


def frames_of(clips: Tensor) -> Tensor:
    """Turn clips (N, C, T, H, W) into images (N*T, C, H, W)."""
    return clips.transpose(1, 2).flatten(0, 1)


def clips_of(frames: Tensor, count: int) -> Tensor:
    """Turn images (N*T, C, H, W) into clips (N, C, T, H, W)."""
    return frames.unflatten(0, (count, -1)).transpose(1, 2)
