"""The two-branch model: classification of the whole image, reconstruction of a masked one.

The forward pass is SSAT's (2310.20704) with MAE's masking, decoder and loss (2111.06377); what
each branch sees and what is reconstructed is L-SSAT's choice (2603.22190), a `Configuration`.
"""

from typing import NamedTuple, cast

import torch
from timm.models.vision_transformer import Block, VisionTransformer
from torch import Tensor, nn

from lssat.backbones import LayerNorm, build, init_mae, positions
from lssat.grid import ENCODERS, Configuration, Encoder

# RGB is normalised with ImageNet's statistics, as in MAE and SSAT. Codes use the middle of their
# range: the papers do not say what they do.
_MEAN = {"RGB": (0.485, 0.456, 0.406), "texture": (0.5,)}
_STD = {"RGB": (0.229, 0.224, 0.225), "texture": (0.25,)}


class Output(NamedTuple):
    """What a training forward pass gives."""

    logits: Tensor  # (N, outputs)
    loss_rec: Tensor | None  # scalar, unweighted; None without the auxiliary task
    pred: Tensor | None  # (N, L, p*p*C), every patch, in the space of the loss
    mask: Tensor | None  # (N, L), 0 keep, 1 remove


def patchify(imgs: Tensor, patch_size: int) -> Tensor:
    """Cut (N, C, H, W) into (N, L, p*p*C), channels last within a patch, as MAE does."""
    n, c, h, w = imgs.shape
    p = patch_size
    x = imgs.reshape(n, c, h // p, p, w // p, p)
    return x.permute(0, 2, 4, 3, 5, 1).reshape(n, (h // p) * (w // p), p * p * c)


def unpatchify(x: Tensor, patch_size: int, channels: int) -> Tensor:
    """Put (N, L, p*p*C) together again to (N, C, H, W); L must be a square number."""
    n, length, p = x.shape[0], x.shape[1], patch_size
    side = int(length**0.5)
    x = x.reshape(n, side, side, p, p, channels)
    return x.permute(0, 5, 1, 3, 2, 4).reshape(n, channels, side * p, side * p)


def random_masking(x: Tensor, mask_ratio: float, noise: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Keep the int(L * (1 - mask_ratio)) patches of the least noise in each sample.

    Args:
        x: (N, L, D) patch tokens.
        mask_ratio: share to remove, in (0, 1).
        noise: (N, L) uniform in [0, 1).

    Returns:
        kept tokens (N, K, D) in the order of their noise; mask (N, L), 0 keep, 1 remove;
        ids_restore (N, L), the place of each patch in (kept, removed).
    """
    n, length, dim = x.shape
    keep = int(length * (1 - mask_ratio))
    ids_shuffle = torch.argsort(noise, dim=1, stable=True)
    ids_restore = torch.argsort(ids_shuffle, dim=1, stable=True)
    ids_keep = ids_shuffle[:, :keep]
    kept = torch.gather(x, 1, ids_keep[:, :, None].expand(-1, -1, dim))
    mask = torch.ones(n, length, device=x.device)
    mask[:, :keep] = 0
    return kept, torch.gather(mask, 1, ids_restore), ids_restore


def normalize_patches(target: Tensor) -> Tensor:
    """Normalise each patch (last axis) by its mean and unbiased variance: `norm_pix_loss`."""
    mean, var = target.mean(-1, keepdim=True), target.var(-1, keepdim=True)
    return (target - mean) / (var + 1e-6) ** 0.5


def reconstruction_loss(pred: Tensor, target: Tensor, mask: Tensor) -> Tensor:
    """Mean squared error per patch, averaged over the removed patches only (MAE, equation 1)."""
    per_patch = ((pred - target) ** 2).mean(-1)
    return (per_patch * mask).sum() / mask.sum()


class Decoder(nn.Module):
    """MAE's light decoder: mask tokens, fixed positions, blocks, a linear layer to pixels."""

    def __init__(self, sizes: Encoder, num_patches: int, channels: int):
        super().__init__()
        dim = sizes.decoder_dim
        self.embed = nn.Linear(sizes.embed_dim, dim)
        self.mask_token = nn.Parameter(torch.zeros(1, 1, dim))
        fixed = positions(int(num_patches**0.5), dim, 1)
        self.pos_embed = nn.Parameter(fixed, requires_grad=False)
        self.blocks = nn.Sequential(
            *[
                Block(dim, sizes.decoder_heads, qkv_bias=True, norm_layer=LayerNorm)  # type: ignore[arg-type]
                for _ in range(sizes.decoder_depth)
            ]
        )
        self.norm = LayerNorm(dim)
        self.pred = nn.Linear(dim, sizes.patch_size**2 * channels)
        self.apply(init_mae)
        nn.init.normal_(self.mask_token, std=0.02)

    def forward(self, latent: Tensor, ids_restore: Tensor) -> Tensor:
        """Predict every patch from the encoded kept ones.

        Args:
            latent: (N, 1 + K, D), class token first. ids_restore: (N, L).

        Returns:
            (N, L, p*p*C).
        """
        x = self.embed(latent)
        n, length = ids_restore.shape
        removed = self.mask_token.to(x.dtype).expand(n, length + 1 - x.shape[1], -1)
        patches = torch.cat([x[:, 1:], removed], dim=1)
        index = ids_restore[:, :, None].expand(-1, -1, x.shape[2])
        x = torch.cat([x[:, :1], torch.gather(patches, 1, index)], dim=1)
        x = self.norm(self.blocks(x + self.pos_embed))
        return self.pred(x[:, 1:])


class SSAT(nn.Module):
    """A ViT encoder shared by a classification head and a masked-autoencoder branch."""

    def __init__(
        self,
        backbone: str,
        configuration: Configuration,
        img_size: int,
        outputs: int,
        mask_ratio: float = 0.75,
        norm_pix_loss: bool = False,
    ):
        super().__init__()
        sizes = ENCODERS[backbone]
        self.configuration = configuration
        self.patch_size = sizes.patch_size
        self.mask_ratio = mask_ratio
        self.norm_pix_loss = norm_pix_loss
        self.encoder: VisionTransformer = build(backbone, img_size)
        self.head = nn.Linear(sizes.embed_dim, outputs)
        nn.init.trunc_normal_(self.head.weight, std=0.02)
        nn.init.zeros_(self.head.bias)
        self.decoder = None
        if configuration.target is not None:
            self.channels = 3 if configuration.target == "RGB" else 1
            self.decoder = Decoder(sizes, self.encoder.patch_embed.num_patches, self.channels)
        for kind in ("RGB", "texture"):
            self.register_buffer(f"_mean_{kind}", _column(_MEAN[kind]), persistent=False)
            self.register_buffer(f"_std_{kind}", _column(_STD[kind]), persistent=False)

    def prepare(self, kind: str, imgs: Tensor, codes: Tensor | None) -> Tensor:
        """Normalise what a field of the configuration names.

        Args:
            kind: RGB, LDP or LBP. imgs: (N, 3, H, W) uint8. codes: (N, 1, H, W) uint8.

        Returns:
            (N, 3, H, W) or (N, 1, H, W) float32.
        """
        if kind != "RGB" and codes is None:
            raise ValueError(f"the configuration {self.configuration} needs texture codes")
        name, x = ("RGB", imgs) if kind == "RGB" else ("texture", codes)
        # (x / 255 - mean) / std, as one pass over the pixels.
        scale = 1 / (255 * getattr(self, f"_std_{name}"))
        shift = getattr(self, f"_mean_{name}") / getattr(self, f"_std_{name}")
        return torch.addcmul(-shift, x.to(scale.dtype), scale)  # type: ignore[union-attr]

    def _tokens(self, prepared: Tensor) -> Tensor:
        # The encoder's patch embedding has three channels; a code image stands in each of them.
        x = prepared.expand(-1, 3, -1, -1)
        return self.encoder.patch_embed(x) + self._positions[:, 1:]

    @property
    def _positions(self) -> Tensor:
        return cast(Tensor, self.encoder.pos_embed)  # (1, 1 + L, D); timm's type allows None

    def _encode(self, tokens: Tensor) -> Tensor:
        cls = cast(Tensor, self.encoder.cls_token) + self._positions[:, :1]
        cls = cls.expand(len(tokens), -1, -1)
        return self.encoder.norm(self.encoder.blocks(torch.cat([cls, tokens], dim=1)))

    def classify(self, imgs: Tensor, codes: Tensor | None = None) -> Tensor:
        """Return logits (N, outputs) from the whole image: all of inference."""
        tokens = self._tokens(self.prepare(self.configuration.classified, imgs, codes))
        return self.head(self._encode(tokens)[:, 0])

    def target(self, prepared: Tensor) -> Tensor:
        """Return what the decoder is to predict, (N, L, p*p*C), normalised as the loss wants.

        Args:
            prepared: what `prepare` gives for the configuration's target.
        """
        target = patchify(prepared, self.patch_size)
        return normalize_patches(target) if self.norm_pix_loss else target

    def forward(self, imgs: Tensor, codes: Tensor | None, noise: Tensor | None) -> Output:
        """Run both branches.

        Args:
            imgs: (N, 3, H, W) uint8 RGB. codes: (N, 1, H, W) uint8, or None where the
                configuration needs none. noise: (N, L) uniform in [0, 1), decides the mask;
                None only for a configuration without the auxiliary task.
        """
        fields = self.configuration
        if self.decoder is None or fields.masked is None or fields.target is None:
            return Output(self.classify(imgs, codes), None, None, None)
        if noise is None:
            raise ValueError("the masked branch needs noise")
        # Each image is normalised once, and embedded once where both branches see the same.
        seen = {kind: self.prepare(kind, imgs, codes) for kind in _fields(fields)}
        tokens = {kind: self._tokens(seen[kind]) for kind in {fields.masked, fields.classified}}
        logits = self.head(self._encode(tokens[fields.classified])[:, 0])
        kept, mask, ids_restore = random_masking(tokens[fields.masked], self.mask_ratio, noise)
        pred = self.decoder(self._encode(kept), ids_restore)
        loss = reconstruction_loss(pred.float(), self.target(seen[fields.target]), mask)
        return Output(logits, loss, pred, mask)


def _fields(configuration: Configuration) -> list[str]:
    named = (configuration.masked, configuration.target, configuration.classified)
    return sorted({kind for kind in named if kind is not None})


def _column(values: tuple[float, ...]) -> Tensor:
    return torch.tensor(values).reshape(1, -1, 1, 1)
