"""The two-branch model on clips: VideoMAE's encoder, tubes and decoder, L-SSAT's choice of inputs.

The frames of a clip are normalised, and their texture codes computed, one by one; then all is cut
into the same tubelets.
"""

from typing import Any, Literal

import torch
from torch import Tensor, nn

from lssat import grid
from lssat.grid import Configuration
from lssat.models.backbones import videomae
from lssat.models.ssat.inputs import Inputs, planes, raw
from lssat.models.ssat.losses import bits_loss, squared_loss
from lssat.models.ssat.model import IMAGENET, Output, fuses, looked_at, needed
from lssat.models.ssat.patches import Mask


class VideoSSAT(nn.Module):
    """A VideoMAE encoder shared by a classification head and a masked-autoencoder branch.

    The classifier reads the mean of all tokens through `fc_norm`, the decoder the kept tokens
    through `norm`, as in VideoMAE's fine-tuning and pre-training (2203.12602). A fused head reads
    both means through `fc_norm`: that of all tokens and that of the masked branch's.

    Args:
        backbone: a name of `grid.VIDEO_ENCODERS`.
        frames: of a clip, a multiple of the encoder's tubelet.
        norm_pix_loss: normalise each cube and channel of a target.

    The other arguments are those of `SSAT`.
    """

    def __init__(
        self,
        backbone: str,
        configuration: Configuration,
        img_size: int,
        outputs: int,
        frames: int,
        mask_ratio: float = 0.75,
        norm_pix_loss: bool = False,
        encoding: Literal["code", "bits"] = "code",
        head: Literal["linear", "fusion"] = "linear",
    ):
        super().__init__()
        sizes = grid.VIDEO_ENCODERS[backbone]
        self.configuration, self.img_size, self.frames = configuration, img_size, frames
        self.mask_ratio, self.norm_pix_loss, self.encoding = mask_ratio, norm_pix_loss, encoding
        self.fused = fuses(head, configuration)
        self.tubelet, self.patch_size = sizes.tubelet, sizes.patch_size
        self.encoder: Any = videomae.VideoViT(sizes, img_size, frames)
        self.prepare = Inputs(*IMAGENET)
        self.head = nn.Linear(sizes.embed_dim * (1 + self.fused), outputs)
        nn.init.trunc_normal_(self.head.weight, std=0.02)
        nn.init.zeros_(self.head.bias)
        self.decoder = None
        if configuration.masked:
            tokens = self.encoder.slots * self.encoder.places
            channels = {kind: self.channels(kind) for kind in configuration.targets}
            self.decoder = videomae.VideoDecoder(sizes, tokens, channels)

    clips = True  # what it is fed: (N, C, T, H, W)

    @property
    def num_patches(self) -> int:
        """Number of places of a frame, the length of the noise: a tube hides one in all slots."""
        return self.encoder.places

    @property
    def classified(self) -> tuple[str, ...]:
        """The clips that inference looks at: the C field's, and M's where the head is fused."""
        return looked_at(self.configuration, self.fused)

    @property
    def needs_codes(self) -> bool:
        """Whether inference needs texture codes."""
        return set(self.classified) != {"RGB"}

    def channels(self, kind: str) -> int:
        """Return the number of values that a target has in a pixel."""
        return 3 if kind == "RGB" else 8 if self.encoding == "bits" else 1

    def set_grad_checkpointing(self, enable: bool = True) -> None:
        """Compute activations of the encoder again in the backward pass instead of keeping them."""
        self.encoder.grad_checkpointing = enable

    def forward(
        self,
        imgs: Tensor,
        codes: Tensor | None = None,
        noise: Tensor | None = None,
        phase: Literal["joint", "reconstruct", "classify"] = "joint",
    ) -> Output:
        """Run the branches of a training step.

        Args:
            imgs: (N, 3, T, H, W) uint8 RGB. codes: (N, 1, T, H, W) uint8, or None where the
                configuration needs none. noise: (N, P) uniform in [0, 1), one number a place.
            phase: as for `SSAT`.

        Raises:
            ValueError: codes, noise or a phase that the configuration needs are missing.
        """
        if self.decoder is None or phase == "classify":
            return Output(self.classify(imgs, codes))
        made = self.configuration
        noise = needed(noise, made, phase)
        mask = Mask(*videomae.tube_masking(noise, self.mask_ratio, self.encoder.slots))
        fed = {str(made.masked)} | ({made.classified} if phase == "joint" else set())
        tokens = {kind: self._tokens(kind, imgs, codes) for kind in sorted(fed)}
        kept = self.encoder.encode(videomae.pick(tokens[str(made.masked)], mask.ids_keep))
        pred = self.decoder(self.encoder.norm(kept), *mask)
        losses = {kind: self._loss(kind, pred[kind], imgs, codes, mask) for kind in made.targets}
        logits = None
        if phase == "joint":
            whole = self.encoder.encode(tokens[made.classified])
            views = [whole, kept] if self.fused else [whole]
            logits = self.head(torch.cat([self._pooled(view) for view in views], dim=1))
        return Output(logits, torch.stack(list(losses.values())).mean(), losses, pred, mask)

    def classify(self, imgs: Tensor, codes: Tensor | None = None) -> Tensor:
        """Return logits (N, outputs) from whole clips: all of inference."""
        return self.head(self.features(self.inputs(imgs, codes)))

    def inputs(self, imgs: Tensor, codes: Tensor | None = None) -> dict[str, Tensor]:
        """Normalise the clips that inference looks at: RGB (N, 3, T, H, W), codes (N, 1, ..)."""
        return {kind: self._prepared(kind, imgs, codes) for kind in dict.fromkeys(self.classified)}

    def features(self, inputs: dict[str, Tensor]) -> Tensor:
        """Return the pooled features (N, F) that the head reads of what `inputs` gave."""
        found = {kind: self._features(x.expand(-1, 3, -1, -1, -1)) for kind, x in inputs.items()}
        return torch.cat([found[kind] for kind in self.classified], dim=1)

    def _features(self, seen: Tensor) -> Tensor:
        return self._pooled(self.encoder.encode(self.encoder.tokens(seen)))

    def _pooled(self, tokens: Tensor) -> Tensor:
        return self.encoder.fc_norm(tokens.mean(1))

    def _tokens(self, kind: str, imgs: Tensor, codes: Tensor | None) -> Tensor:
        return self.encoder.tokens(self._prepared(kind, imgs, codes).expand(-1, 3, -1, -1, -1))

    def _prepared(self, kind: str, imgs: Tensor, codes: Tensor | None) -> Tensor:
        frames = frames_of(raw(kind, imgs, codes))
        return clips_of(self.prepare(kind, frames, frames), len(imgs))

    def target_pixels(self, kind: str, whole: Tensor) -> Tensor:
        """Return the cubes (N, L, tubelet*p*p*C) of pixels in [0, 1], before `norm_pix_loss`.

        VideoMAE's target is the picture itself, where MAE's is normalised as the input is.

        Args:
            whole: (N, C, T, H, W) uint8, what the target is made of.
        """
        pixels = whole.to(self.head.weight.dtype) / 255
        return videomae.patchify(pixels, self.tubelet, self.patch_size)

    def target(self, kind: str, imgs: Tensor, codes: Tensor | None) -> Tensor:
        """Return what the decoder is to predict of every cube, (N, L, tubelet*p*p*C).

        Args:
            kind: a target of the configuration.
        """
        if kind != "RGB" and self.encoding == "bits":
            bits = planes(frames_of(raw(kind, imgs, codes)), self.head.weight.dtype)
            return videomae.patchify(clips_of(bits, len(imgs)), self.tubelet, self.patch_size)
        target = self.target_pixels(kind, raw(kind, imgs, codes))
        channels = self.channels(kind)
        return videomae.normalize_cubes(target, channels) if self.norm_pix_loss else target

    def _loss(
        self, kind: str, pred: Tensor, imgs: Tensor, codes: Tensor | None, mask: Mask
    ) -> Tensor:
        target = videomae.pick(self.target(kind, imgs, codes), mask.ids_remove)
        bits = kind != "RGB" and self.encoding == "bits"
        return bits_loss(pred, target) if bits else squared_loss(pred, target)


def frames_of(clips: Tensor) -> Tensor:
    """Turn clips (N, C, T, H, W) into images (N*T, C, H, W)."""
    return clips.transpose(1, 2).flatten(0, 1)


def clips_of(frames: Tensor, count: int) -> Tensor:
    """Turn images (N*T, C, H, W) into clips (N, C, T, H, W)."""
    return frames.unflatten(0, (count, -1)).transpose(1, 2)
