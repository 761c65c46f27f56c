"""VideoMAE (2203.12602): a ViT on clips, for both branches; sizes in `grid.VIDEO_ENCODERS`.

A clip is cut into tubelets of two frames, a mask hides the same places in every slot of time,
positions are one sin-cos table over all tokens, and there is no class token: the classifier reads
the mean of all tokens. Equal to the `transformers` library's VideoMAE on the same weights (tests).
"""

import re
from functools import partial

import torch
from timm.models.vision_transformer import Block
from torch import Tensor, nn

from lssat.grid import VIDEO_ENCODERS, VideoEncoder
from lssat.models.backbones.tokens import step, take
from lssat.models.backbones.vit import LayerNorm, init_mae


def positions(tokens: int, dim: int) -> Tensor:
    """Return the fixed 1-D sin-cos table, sines in even and cosines in odd channels.

    Returns:
        (1, tokens, dim) float32.
    """
    channel = torch.arange(dim, dtype=torch.float64)
    rate = 10000.0 ** (-2 * torch.div(channel, 2, rounding_mode="floor") / dim)
    angle = torch.arange(tokens, dtype=torch.float64)[:, None] * rate
    even = (channel % 2 == 0)[None]
    return torch.where(even, angle.sin(), angle.cos()).to(torch.float32)[None]


def patchify(clips: Tensor, tubelet: int, patch_size: int) -> Tensor:
    """Cut (N, C, T, H, W) into cubes (N, L, tubelet*p*p*C): slots, rows, columns; channels last."""
    n, c, t, h, w = clips.shape
    s, p = tubelet, patch_size
    x = clips.reshape(n, c, t // s, s, h // p, p, w // p, p)
    x = x.permute(0, 2, 4, 6, 3, 5, 7, 1)
    return x.reshape(n, (t // s) * (h // p) * (w // p), s * p * p * c)


def unpatchify(x: Tensor, tubelet: int, patch_size: int, channels: int, slots: int) -> Tensor:
    """Put cubes (N, L, tubelet*p*p*C) of `slots` slots together again to (N, C, T, H, W)."""
    n, length, s, p = x.shape[0], x.shape[1], tubelet, patch_size
    side = int((length // slots) ** 0.5)
    x = x.reshape(n, slots, side, side, s, p, p, channels).permute(0, 7, 1, 4, 2, 5, 3, 6)
    return x.reshape(n, channels, slots * s, side * p, side * p)


def normalize_cubes(target: Tensor, channels: int) -> Tensor:
    """Normalise each cube and channel by its mean and unbiased standard deviation.

    Args:
        target: (N, L, tubelet*p*p*C), channels last.
    """
    x = target.unflatten(-1, (-1, channels))
    x = (x - x.mean(-2, keepdim=True)) / (x.var(-2, keepdim=True).sqrt() + 1e-6)
    return x.flatten(-2)


def tube_masking(noise: Tensor, mask_ratio: float, slots: int) -> tuple[Tensor, Tensor]:
    """Remove the int(P * mask_ratio) places of the most noise, the same in each slot.

    So VideoMAE's code counts: 176 of 196 at a ratio of 0.9, where MAE's way of keeping
    int(P * (1 - mask_ratio)) would remove one more.

    Args:
        noise: (N, P) uniform in [0, 1), one number a place.

    Returns:
        ids_keep (N, slots*K) and ids_remove (N, slots*(P-K)), ascending token numbers.
    """
    places = noise.shape[1]
    order = torch.argsort(noise, dim=1, stable=True)
    keep = places - int(places * mask_ratio)
    offset = places * torch.arange(slots, device=noise.device)[None, :, None]

    def in_all_slots(chosen: Tensor) -> Tensor:
        return (chosen.sort(dim=1).values[:, None] + offset).flatten(1)

    return in_all_slots(order[:, :keep]), in_all_slots(order[:, keep:])


def _blocks(dim: int, depth: int, heads: int) -> nn.ModuleList:
    make = partial(Block, dim, heads, qkv_bias=True, norm_layer=LayerNorm)  # type: ignore[arg-type]
    return nn.ModuleList([make() for _ in range(depth)])


class VideoViT(nn.Module):
    """The encoder: tubelet embedding, positions, blocks, and one norm for each branch.

    Parameter names are timm's. `norm` ends the masked branch, `fc_norm` the pooled one, as in
    VideoMAE's pre-training and fine-tuning.
    """

    def __init__(self, sizes: VideoEncoder, img_size: int, frames: int):
        super().__init__()
        self.sizes, self.slots = sizes, frames // sizes.tubelet
        self.grad_checkpointing = False
        self.num_features = sizes.embed_dim
        self.places = (img_size // sizes.patch_size) ** 2
        cube = (sizes.tubelet, sizes.patch_size, sizes.patch_size)
        embed = nn.Conv3d(3, sizes.embed_dim, kernel_size=cube, stride=cube)
        self.patch_embed = nn.ModuleDict({"proj": embed})
        self.blocks = _blocks(sizes.embed_dim, sizes.depth, sizes.num_heads)
        self.norm = LayerNorm(sizes.embed_dim)
        self.fc_norm = LayerNorm(sizes.embed_dim)
        table = positions(self.slots * self.places, sizes.embed_dim)
        self.register_buffer("pos_embed", table, persistent=False)
        self.apply(init_mae)
        nn.init.xavier_uniform_(embed.weight.data.view(sizes.embed_dim, -1))

    def tokens(self, clips: Tensor) -> Tensor:
        """Embed clips (N, 3, T, H, W) float as tokens (N, L, D) with their positions."""
        x = self.patch_embed["proj"](clips)
        return x.flatten(2).transpose(1, 2) + self.pos_embed

    def encode(self, tokens: Tensor) -> Tensor:
        """Run the blocks over (N, K, D); the branches' norms come after."""
        for block in self.blocks:
            tokens = step(self, block, tokens)
        return tokens

    def no_weight_decay(self) -> set[str]:
        """Name the parameters that weight decay leaves alone: there are no tokens among them."""
        return set()


class VideoDecoder(nn.Module):
    """VideoMAE's decoder: the kept tokens, then mask tokens with the positions of the removed."""

    def __init__(self, sizes: VideoEncoder, tokens: int, channels: dict[str, int]):
        super().__init__()
        dim = sizes.decoder_dim
        self.embed = nn.Linear(sizes.embed_dim, dim, bias=False)
        self.mask_token = nn.Parameter(torch.zeros(1, 1, dim))
        self.register_buffer("pos_embed", positions(tokens, dim), persistent=False)
        self.blocks = _blocks(dim, sizes.decoder_depth, sizes.decoder_heads)
        self.norm = LayerNorm(dim)
        cube = sizes.tubelet * sizes.patch_size**2
        self.pred = nn.ModuleDict(
            {kind: nn.Linear(dim, cube * size) for kind, size in channels.items()}
        )
        self.apply(init_mae)
        nn.init.normal_(self.mask_token, std=0.02)

    def forward(self, latent: Tensor, ids_keep: Tensor, ids_remove: Tensor) -> dict[str, Tensor]:
        """Predict the removed cubes, (N, R, tubelet*p*p*C) of each target, from the kept tokens.

        Args:
            latent: (N, K, D).
        """
        seen = self.embed(latent) + take(self.pos_embed, ids_keep)  # type: ignore[arg-type]
        hidden = self.mask_token + take(self.pos_embed, ids_remove)  # type: ignore[arg-type]
        x = torch.cat([seen, hidden.to(seen.dtype)], dim=1)
        for block in self.blocks:
            x = block(x)
        x = self.norm(x[:, -ids_remove.shape[1] :])
        return {kind: head(x) for kind, head in self.pred.items()}


def build(name: str, img_size: int, frames: int | None) -> VideoViT:
    """Build an encoder of `VIDEO_ENCODERS` for clips of `frames` frames, with fresh weights."""
    assert frames is not None
    return VideoViT(VIDEO_ENCODERS[name], img_size, frames)


def from_file(encoder: VideoViT, name: str, state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Read a file in our names or in those of `transformers`.

    Its pre-trained models have no `fc_norm` and its fine-tuned ones no `norm`, so one of the two
    starts fresh; nothing else may be missing.
    """
    if any("embeddings.patch_embeddings" in key for key in state):
        state = from_transformers(state)
    fresh = encoder.state_dict()
    for part in ("norm", "fc_norm"):
        names = {f"{part}.weight", f"{part}.bias"}
        if not names & state.keys():
            return state | {name: fresh[name] for name in names}
    return state


_LAYER = re.compile(r"encoder\.layer\.(\d+)\.(.+)")
_NAMES = {
    "attention.output.dense": "attn.proj",
    "intermediate.dense": "mlp.fc1",
    "output.dense": "mlp.fc2",
    "layernorm_before": "norm1",
    "layernorm_after": "norm2",
}


def from_transformers(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Rename the encoder's part of a `transformers` VideoMAE checkpoint to this encoder's names.

    Query, key and value become timm's one matrix. Keys have no bias there: ours is 0, and stays
    without effect, since softmax ignores what is added to all scores of a query. A pre-trained
    file has no `fc_norm`, a fine-tuned one no `norm`.
    """
    out: dict[str, Tensor] = {}
    attention: dict[str, dict[str, Tensor]] = {}
    for name, value in state.items():
        plain = name.removeprefix("videomae.")
        if match := _LAYER.fullmatch(plain):
            number, rest = match.groups()
            if rest.startswith("attention.attention."):
                part = rest.removeprefix("attention.attention.")
                attention.setdefault(number, {})[part] = value
            else:
                stem, kind = rest.rsplit(".", 1)
                out[f"blocks.{number}.{_NAMES[stem]}.{kind}"] = value
        elif plain.startswith("embeddings.patch_embeddings.projection."):
            out[f"patch_embed.proj.{plain.rsplit('.', 1)[1]}"] = value
        elif plain.startswith("layernorm."):
            out[f"norm.{plain.rsplit('.', 1)[1]}"] = value
        elif plain.startswith("fc_norm."):
            out[plain] = value
    for number, part in attention.items():
        out[f"blocks.{number}.attn.qkv.weight"] = torch.cat(
            [part[f"{which}.weight"] for which in ("query", "key", "value")]
        )
        query = part["q_bias"] if "q_bias" in part else part["query.bias"]
        value = part["v_bias"] if "v_bias" in part else part["value.bias"]
        out[f"blocks.{number}.attn.qkv.bias"] = torch.cat([query, torch.zeros_like(query), value])
    return out
