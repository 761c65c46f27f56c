"""MAE's light decoder, which here computes and predicts no more than the loss needs."""

import torch
from torch import Tensor, nn

from lssat.models.backbones import LayerNorm, init_mae, positions
from lssat.models.backbones.packed import PackedBlock
from lssat.models.backbones.tokens import step, take
from lssat.models.ssat.patches import Mask


class Decoder(nn.Module):
    """Mask tokens, fixed positions, blocks, and a linear head to pixels for each target.

    Args:
        sizes: width, depth and heads.
        embed_dim: width of the encoder.
        num_patches: of the whole image, a square number.
        prefix_tokens: class token and registers, which the decoder sees too, as in MAE.
        pixels: values in a patch of each target, p*p*C.
    """

    def __init__(
        self,
        sizes: tuple[int, int, int],
        embed_dim: int,
        num_patches: int,
        prefix_tokens: int,
        pixels: dict[str, int],
    ):
        super().__init__()
        dim, depth, heads = sizes
        self.prefix_tokens = prefix_tokens
        self.grad_checkpointing = False
        self.embed = nn.Linear(embed_dim, dim)
        self.mask_token = nn.Parameter(torch.zeros(1, 1, dim))
        fixed = positions(int(num_patches**0.5), dim, prefix_tokens)
        self.pos_embed = nn.Parameter(fixed, requires_grad=False)
        self.blocks = nn.Sequential(
            *[PackedBlock(dim, heads, qkv_bias=True, norm_layer=LayerNorm) for _ in range(depth)]  # type: ignore[arg-type]
        )
        self.norm = LayerNorm(dim)
        self.pred = nn.ModuleDict({kind: nn.Linear(dim, size) for kind, size in pixels.items()})
        self.apply(init_mae)
        nn.init.normal_(self.mask_token, std=0.02)

    def forward(self, latent: Tensor, mask: Mask) -> dict[str, Tensor]:
        """Predict the removed patches from the encoded kept ones.

        Attention does not know the order of its tokens, so they are not put back into the grid's:
        each gets the position of its place, kept ones first, removed ones after them.

        Args:
            latent: (N, P + K, D), prefix tokens first.

        Returns:
            for each target (N, R, p*p*C), in the order of `mask.ids_remove`.
        """
        x = self.embed(latent)
        prefix, patches = self.pos_embed.to(x.dtype).tensor_split([self.prefix_tokens], dim=1)
        prefix = prefix.expand(len(x), -1, -1)
        x = x + torch.cat([prefix, take(patches, mask.ids_keep)], dim=1)
        removed = self.mask_token.to(x.dtype) + take(patches, mask.ids_remove)
        x = torch.cat([x, removed], dim=1)
        n, length, _ = x.shape
        *blocks, last = self.blocks
        for block in blocks:
            x = step(self, block, x)
        # Only removed patches are predicted: the last block computes no others.
        reads = [slice(length - mask.ids_remove.shape[1], length)]
        x = step(self, last, x.flatten(0, 1), shapes=[(n, length)], reads=reads)
        x = self.norm(x).unflatten(0, (n, -1))
        return {kind: head(x) for kind, head in self.pred.items()}
