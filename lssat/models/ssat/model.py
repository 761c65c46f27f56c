"""The two-branch model: classification of the whole image, reconstruction of a masked one.

The forward pass is SSAT's (2310.20704) with MAE's masking, decoder and loss (2111.06377); what
each branch sees and what is reconstructed is L-SSAT's choice (2603.22190), a `Configuration`.
Both branches go through the encoder in one packed pass (`backbones.packed`).
"""

from typing import Any, Literal, NamedTuple

import torch
from torch import Tensor, nn

from lssat.grid import Configuration
from lssat.models.backbones import build, decoder_sizes, init_mae, width
from lssat.models.backbones.tokens import (
    Sequences,
    encode,
    patch_tokens,
    pooled,
    pools_class_token,
    take,
)
from lssat.models.ssat.boundary import Boundary, channels_of, maps_of
from lssat.models.ssat.decoder import Decoder
from lssat.models.ssat.inputs import Inputs, planes, raw
from lssat.models.ssat.losses import bits_loss, normalize_patches, squared_loss
from lssat.models.ssat.patches import Mask, patchify, random_mask


class Output(NamedTuple):
    """The result of a training forward pass; None where its branch did not run."""

    logits: Tensor | None  # (N, outputs)
    loss_rec: Tensor | None = None  # scalar, unweighted: the mean over the targets' losses
    losses: dict[str, Tensor] | None = None  # each target's own
    pred: dict[str, Tensor] | None = None  # (N, R, p*p*C) of each target, removed patches only
    mask: Mask | None = None
    boundary: Tensor | None = None  # (N, 1, h, w) logits of the boundary head


class SSAT(nn.Module):
    """A backbone shared by a classification head and a masked-autoencoder branch.

    Args:
        backbone: a name that `backbones.build` knows.
        configuration: what each branch sees and what is reconstructed.
        img_size: side of the square images in pixels.
        outputs: number of logits.
        mask_ratio: share of patches that the masked branch does not see.
        norm_pix_loss: normalise each patch of a target by its own mean and variance; of codes as
            bits it has none, so it does not touch them.
        encoding: `code`: a texture target is a number, compared by its square; `bits`: it is
            eight binary planes, compared by cross-entropy.
        head: `linear`: classify by the features of the C field's image; `fusion`: by them and by
            the masked branch's features of the M field's image, joined. The latter is our
            reading of Fusion-SSAT (2601.00789), which has no public code: while training, the
            masked branch gives the features of the patches that it sees; at inference of all.
        frames: of a clip; None: images.
        boundary: a second head predicts where an image was blended (Face X-ray, 1912.13458).
    """

    clips = False  # what it is fed: (N, C, H, W)

    def __init__(
        self,
        backbone: str,
        configuration: Configuration,
        img_size: int,
        outputs: int,
        mask_ratio: float = 0.75,
        norm_pix_loss: bool = False,
        encoding: Literal["code", "bits"] = "code",
        head: Literal["linear", "fusion"] = "linear",
        frames: int | None = None,
        boundary: bool = False,
    ):
        super().__init__()
        self.configuration, self.img_size, self.frames = configuration, img_size, frames
        self.mask_ratio, self.norm_pix_loss, self.encoding = mask_ratio, norm_pix_loss, encoding
        self.fused = fuses(head, configuration)
        self.encoder: Any = self._build(backbone)
        self.convolutional = bool(getattr(self.encoder, "pools", False))
        released = getattr(self.encoder, "pretrained_cfg", None) or {}
        self.prepare = Inputs(released.get("mean", IMAGENET[0]), released.get("std", IMAGENET[1]))
        features = width(self.encoder) if self.convolutional else self.encoder.num_features
        self.head = nn.Linear(features * (1 + self.fused), outputs)
        self._init_head()
        self.decoder = self._decoder(backbone) if configuration.masked else None
        maps = channels_of(self.encoder, self.convolutional) if boundary else []
        self.boundary = Boundary(maps) if boundary else None

    def _build(self, backbone: str) -> Any:
        return build(backbone, self.img_size, self.frames, bool(self.configuration.masked))

    def _init_head(self) -> None:
        init_mae(self.head)  # SSAT's; MAE's fine-tuning begins with a head of almost 0

    def _decoder(self, backbone: str) -> Any:
        if self.convolutional:
            raise ValueError(f"{backbone} has no patches to mask for {self.configuration}")
        sizes = decoder_sizes(backbone, self.encoder.embed_dim)
        kinds = self.configuration.targets
        pixels = {kind: self.patch_size**2 * self.channels(kind) for kind in kinds}
        where = self.num_patches, self.encoder.num_prefix_tokens
        return Decoder(sizes, self.encoder.embed_dim, *where, pixels)

    @property
    def patch_size(self) -> int:
        """Side of a patch in pixels."""
        return self.encoder.patch_embed.patch_size[0]

    @property
    def num_patches(self) -> int:
        """Number of patches L of an image, the length of its noise; 0 for a convolutional one."""
        return 0 if self.convolutional else self.encoder.patch_embed.num_patches

    @property
    def classified(self) -> tuple[str, ...]:
        """The inputs of inference, in the order of the head's features: C, and M if fused."""
        whole, masked = self.configuration.classified, str(self.configuration.masked)
        return (whole, masked) if self.fused else (whole,)

    @property
    def needs_codes(self) -> bool:
        """Whether inference needs texture codes."""
        return set(self.classified) != {"RGB"}

    def channels(self, kind: str) -> int:
        """Return the number of values that a target has in a pixel."""
        return 3 if kind == "RGB" else 8 if self.encoding == "bits" else 1

    def set_grad_checkpointing(self, enable: bool = True) -> None:
        """Compute activations of blocks again in the backward pass instead of keeping them."""
        self.encoder.set_grad_checkpointing(enable)
        if self.decoder is not None:
            self.decoder.grad_checkpointing = enable

    def forward(
        self,
        imgs: Tensor,
        codes: Tensor | None = None,
        noise: Tensor | None = None,
        phase: Literal["joint", "reconstruct", "classify"] = "joint",
    ) -> Output:
        """Run the branches of a training step.

        Args:
            imgs: (N, 3, H, W) uint8 RGB. codes: (N, 1, H, W) uint8, or None where the
                configuration needs none. noise: (N, L) uniform in [0, 1), decides the mask; None
                where the masked branch does not run.
            phase: `joint`: all branches that the configuration has; the other two are the phases
                of a sequential configuration.

        Raises:
            ValueError: codes, noise or a phase that the configuration needs are missing.
        """
        if self.boundary is not None:
            return self._bounded(imgs, codes)
        if self.decoder is None or phase == "classify":
            return Output(self.classify(imgs, codes))
        configuration = self.configuration
        if noise is None:
            raise ValueError("the masked branch needs noise")
        if phase == "joint" and configuration.sequential:
            raise ValueError(f"{configuration} has two phases: reconstruct, then classify")
        mask = self._mask(noise)
        whole, kept = self._encode(imgs, codes, mask, classify=phase == "joint")
        pred = self._decode(kept, mask)
        targets = configuration.targets
        losses = {kind: self._loss(kind, pred[kind], imgs, codes, mask) for kind in targets}
        loss_rec = torch.stack(list(losses.values())).mean()
        logits = None
        if whole is not None:
            views = [whole, kept] if self.fused else [whole]
            logits = self.head(torch.cat([self._pooled(view) for view in views], dim=1))
        return Output(logits, loss_rec, losses, pred, mask)

    def _bounded(self, imgs: Tensor, codes: Tensor | None) -> Output:
        """Classify, and predict where each image was blended."""
        assert self.boundary is not None
        seen = wide(self._prepared(self.configuration.classified, imgs, codes))
        if self.convolutional:
            features, maps = maps_of(self.encoder, seen)
        else:
            tokens = encode(self.encoder, [Sequences(self._embedded(seen))])[0]
            side = self.img_size // self.patch_size
            patches = tokens[:, -self.num_patches :]
            features, maps = self._pooled(tokens), [patches.mT.unflatten(-1, (side, side))]
        return Output(self.head(features), boundary=self.boundary(maps))

    def _mask(self, noise: Tensor) -> Mask:
        return random_mask(noise, self.mask_ratio)

    def _encode(
        self, imgs: Tensor, codes: Tensor | None, mask: Mask, classify: bool
    ) -> tuple[Tensor | None, Tensor]:
        """Encode the whole image of C, if `classify`, and the kept patches of M."""
        configuration = self.configuration
        # Each image is normalised and embedded once, also where both branches see the same.
        kinds = {str(configuration.masked)} | ({configuration.classified} if classify else set())
        tokens = {kind: self._tokens(kind, imgs, codes) for kind in sorted(kinds)}
        kept = take(tokens[str(configuration.masked)], mask.ids_keep)
        return self._branches(tokens[configuration.classified] if classify else None, kept, mask)

    def _branches(
        self, whole: Tensor | None, kept: Tensor, mask: Mask
    ) -> tuple[Tensor | None, Tensor]:
        """Encode the tokens of the whole image, if any, and those that are kept."""
        masked = Sequences(kept, mask.ids_keep)
        if whole is None:
            return None, encode(self.encoder, [masked])[0]
        first, second = encode(self.encoder, [self._whole(whole), masked])
        return first, second

    def _decode(self, kept: Tensor, mask: Mask) -> dict[str, Tensor]:
        assert self.decoder is not None
        return self.decoder(kept, mask)

    def _pooled(self, tokens: Tensor) -> Tensor:
        return pooled(self.encoder, tokens)

    def _tokens(self, kind: str, imgs: Tensor, codes: Tensor | None) -> Tensor:
        return self._embedded(wide(self._prepared(kind, imgs, codes)))

    def _embedded(self, seen: Tensor) -> Tensor:
        return patch_tokens(self.encoder, seen)

    def _prepared(self, kind: str, imgs: Tensor, codes: Tensor | None) -> Tensor:
        return self.prepare(kind, imgs, codes)

    def classify(self, imgs: Tensor, codes: Tensor | None = None) -> Tensor:
        """Return logits (N, outputs) from whole images: all of inference."""
        return self.head(self.features(self.inputs(imgs, codes)))

    def inputs(self, imgs: Tensor, codes: Tensor | None = None) -> dict[str, Tensor]:
        """Normalise the inputs of inference: RGB (N, 3, H, W), codes (N, 1, H, W); clips alike."""
        return {kind: self._prepared(kind, imgs, codes) for kind in dict.fromkeys(self.classified)}

    def features(self, inputs: dict[str, Tensor]) -> Tensor:
        """Return the pooled features (N, F) of `inputs`, which the head reads."""
        features = {kind: self._features(wide(x)) for kind, x in inputs.items()}
        return torch.cat([features[kind] for kind in self.classified], dim=1)

    def _features(self, seen: Tensor) -> Tensor:
        if self.convolutional:
            return self.encoder(seen)
        whole = self._whole(self._embedded(seen))
        return self._pooled(encode(self.encoder, [whole])[0])

    def _whole(self, tokens: Tensor) -> Sequences:
        return Sequences(tokens, class_only=pools_class_token(self.encoder))

    def target(self, kind: str, imgs: Tensor, codes: Tensor | None) -> Tensor:
        """Return the decoder's target for every patch, (N, L, p*p*C).

        Args:
            kind: a target of the configuration.
        """
        if self.in_bits(kind):
            return self.patchify(planes(raw(kind, imgs, codes), self.head.weight.dtype))
        target = self.target_pixels(kind, raw(kind, imgs, codes))
        return self._normalized(target, kind) if self.norm_pix_loss else target

    def in_bits(self, kind: str) -> bool:
        """Say whether a target is binary planes."""
        return kind != "RGB" and self.encoding == "bits"

    def target_pixels(self, kind: str, whole: Tensor) -> Tensor:
        """Return the patches of a target as numbers, before `norm_pix_loss`: normalised as inputs.

        Args:
            whole: (N, C, H, W) uint8, what the target is made of.
        """
        return self.patchify(self.prepare(kind, whole, whole))

    def patchify(self, whole: Tensor) -> Tensor:
        """Cut (N, C, H, W) into (N, L, p*p*C)."""
        return patchify(whole, self.patch_size)

    def _normalized(self, target: Tensor, kind: str) -> Tensor:
        return normalize_patches(target)

    def _loss(
        self, kind: str, pred: Tensor, imgs: Tensor, codes: Tensor | None, mask: Mask
    ) -> Tensor:
        target = take(self.target(kind, imgs, codes), mask.ids_remove)
        return bits_loss(pred, target) if self.in_bits(kind) else squared_loss(pred, target)


def wide(x: Tensor) -> Tensor:
    """Expand (N, 1 or 3, ...) to three channels: the patch embedding has three, a code has one."""
    return x.expand(-1, 3, *(-1,) * (x.ndim - 2))


def fuses(head: str, configuration: Configuration) -> bool:
    """Say whether a head joins the features of both branches.

    Raises:
        ValueError: it is to, and they are not trained together.
    """
    if head == "fusion" and not configuration.auxiliary:
        raise ValueError(f"{configuration} has no two branches to fuse")
    return head == "fusion"


# ImageNet's statistics, as in MAE and SSAT, for encoders that timm does not release.
IMAGENET = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
