"""The model against independent ways to write each of its formulas, in float64."""

import itertools

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from lssat.grid import ENCODERS, parse
from lssat.models import ssat
from lssat.models.backbones import positions

SIZES = ENCODERS["vit_micro"]
SIDE, PATCH = 80, SIZES.patch_size
GRID, PATCHES, PIXELS = SIDE // PATCH, (SIDE // PATCH) ** 2, PATCH**2
KEPT = PATCHES // 4
TRIPLES = [f"M{m}-R{r}-C{c}" for m, r, c in itertools.product(("RGB", "LDP"), repeat=3)]
ALONE = ["none-none-CRGB", "none-none-CLDP"]


def model_of(configuration: str, **options) -> ssat.SSAT:
    torch.manual_seed(0)
    return ssat.SSAT("vit_micro", parse(configuration), SIDE, 5, **options).double()


def inputs(n: int = 3) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    draw = np.random.default_rng(0)
    imgs = torch.from_numpy(draw.integers(0, 256, (n, 3, SIDE, SIDE), np.uint8))
    codes = torch.from_numpy(draw.integers(0, 256, (n, 1, SIDE, SIDE), np.uint8))
    return imgs, codes, torch.from_numpy(draw.random((n, PATCHES)))


def test_patchify_equals_unfold_and_unpatchify_inverts_it() -> None:
    imgs = torch.rand(2, 3, 80, 80)
    unfolded = F.unfold(imgs, 16, stride=16).reshape(2, 3, 256, 25).permute(0, 3, 2, 1)
    patches = ssat.patchify(imgs, 16)
    assert torch.equal(patches, unfolded.reshape(2, 25, 768))
    assert torch.equal(ssat.unpatchify(patches, 16, 3), imgs)


def test_random_masking_keeps_the_patches_of_least_noise() -> None:
    x = torch.arange(2 * 196).reshape(2, 196, 1).double()
    noise = torch.from_numpy(np.random.default_rng(1).random((2, 196)))
    mask = ssat.random_mask(noise, 0.75)
    kept, removed = ssat.take(x, mask.ids_keep), ssat.take(x, mask.ids_remove)
    for sample in range(2):
        order = sorted(range(196), key=lambda patch: noise[sample, patch].item())
        assert kept[sample, :, 0].tolist() == [x[sample, patch].item() for patch in order[:49]]
        assert removed[sample, :, 0].tolist() == [x[sample, patch].item() for patch in order[49:]]
        dense = [float(patch not in order[:49]) for patch in range(196)]
        assert mask.dense()[sample].tolist() == dense


def test_reconstruction_loss_is_the_mean_over_removed_patches_only() -> None:
    draw = np.random.default_rng(2)
    pred, target = draw.random((2, 2, 25, 12))
    mask = ssat.random_mask(torch.from_numpy(draw.random((2, 25))), 0.7)
    total = count = 0.0
    for n, patch in itertools.product(range(2), range(25)):
        if mask.dense()[n, patch]:
            pairs = zip(pred[n, patch], target[n, patch], strict=True)
            total += sum((p - t) ** 2 for p, t in pairs) / 12
            count += 1
    taken = [ssat.take(torch.from_numpy(each), mask.ids_remove) for each in (pred, target)]
    assert ssat.squared_loss(*taken).item() == pytest.approx(total / count, rel=1e-12)
    assert count == 36  # 25 - int(25 * 0.3) of each


def test_planes_are_the_directions_of_a_code() -> None:
    found = ssat.planes(torch.tensor([[[[19, 224, 7]]]], dtype=torch.uint8))
    assert found.shape == (1, 8, 1, 3)
    assert found[0, :, 0, 0].tolist() == [1, 1, 0, 0, 1, 0, 0, 0]  # E, NE, W
    assert found[0, :, 0, 1].tolist() == [0, 0, 0, 0, 0, 1, 1, 1]
    every = torch.arange(256, dtype=torch.uint8).reshape(2, 1, 8, 16)
    joined = (ssat.planes(every) * 2 ** torch.arange(8).reshape(8, 1, 1)).sum(1, keepdim=True)
    assert torch.equal(joined, every.float())


def test_bits_loss_is_the_mean_cross_entropy_of_eight_planes() -> None:
    draw = np.random.default_rng(4)
    codes = draw.integers(0, 256, (2, 1, 10, 10), np.uint8)
    target = ssat.patchify(ssat.planes(torch.from_numpy(codes), torch.float64), 5)
    logits = draw.normal(size=(2, 4, 200))
    total = 0.0
    for n, row, column, bit in itertools.product(range(2), range(10), range(10), range(8)):
        truth = (int(codes[n, 0, row, column]) >> bit) & 1
        place = ((row % 5) * 5 + column % 5) * 8 + bit
        share = 1 / (1 + np.exp(-logits[n, row // 5 * 2 + column // 5, place]))
        total -= np.log(share if truth else 1 - share)
    got = ssat.bits_loss(torch.from_numpy(logits), target)
    assert got.item() == pytest.approx(total / (2 * 100 * 8), rel=1e-12)


def test_norm_pix_loss_uses_the_unbiased_variance() -> None:
    patches = np.random.default_rng(3).random((2, 4, 48))
    mean = patches.mean(-1, keepdims=True)
    expected = (patches - mean) / np.sqrt(patches.var(-1, ddof=1, keepdims=True) + 1e-6)
    np.testing.assert_allclose(ssat.normalize_patches(torch.from_numpy(patches)), expected)


def plain_block(x: torch.Tensor, block, heads: int) -> torch.Tensor:
    """A pre-norm transformer block written out: attention by einsum, GELU by erf."""

    def norm(y, layer):
        centred = y - y.mean(-1, keepdim=True)
        scale = (centred.pow(2).mean(-1, keepdim=True) + 1e-6).sqrt()
        return centred / scale * layer.weight + layer.bias

    def linear(y, layer):
        return torch.einsum("nld,ed->nle", y, layer.weight) + layer.bias

    n, length, dim = x.shape
    qkv = linear(norm(x, block.norm1), block.attn.qkv).reshape(n, length, 3, heads, dim // heads)
    q, k, v = qkv.unbind(2)
    scores = torch.einsum("nqhd,nkhd->nhqk", q, k) / (dim // heads) ** 0.5
    weights = scores.exp() / scores.exp().sum(-1, keepdim=True)
    mixed = torch.einsum("nhqk,nkhd->nqhd", weights, v).reshape(n, length, dim)
    x = x + linear(mixed, block.attn.proj)
    hidden = linear(norm(x, block.norm2), block.mlp.fc1)
    hidden = hidden * 0.5 * (1 + torch.erf(hidden / 2**0.5))
    return x + linear(hidden, block.mlp.fc2)


@pytest.mark.parametrize("norm_pix_loss", [False, True])
def test_both_passes_equal_the_definition_written_out(norm_pix_loss: bool) -> None:
    model = model_of("MRGB-RLDP-CRGB", norm_pix_loss=norm_pix_loss)
    imgs, codes, noise = inputs()
    got = model(imgs, codes, noise)

    mean = torch.tensor([0.485, 0.456, 0.406]).reshape(1, 3, 1, 1)
    std = torch.tensor([0.229, 0.224, 0.225]).reshape(1, 3, 1, 1)
    x = (imgs.double() / 255 - mean) / std
    encoder, decoder, sizes = model.encoder, model.decoder, SIZES
    kernel = encoder.patch_embed.proj
    tokens = F.conv2d(x, kernel.weight, kernel.bias, stride=PATCH).flatten(2).transpose(1, 2)
    tokens = tokens + encoder.pos_embed[:, 1:]
    cls = encoder.cls_token + encoder.pos_embed[:, :1]

    def encode(patches):
        y = torch.cat([cls.expand(len(patches), -1, -1), patches], 1)
        for block in encoder.blocks:
            y = plain_block(y, block, sizes.num_heads)
        return F.layer_norm(y, (sizes.embed_dim,), encoder.norm.weight, encoder.norm.bias, 1e-6)

    logits = F.linear(encode(tokens)[:, 0], model.head.weight, model.head.bias)
    torch.testing.assert_close(got.logits, logits)

    target = (codes.double() / 255 - 0.5) / 0.25
    errors = []
    for n in range(3):
        kept = noise[n].argsort()[:KEPT].tolist()
        encoded = encode(tokens[n : n + 1, kept])
        small = F.linear(encoded, decoder.embed.weight, decoder.embed.bias)
        full = decoder.mask_token.repeat(1, PATCHES + 1, 1).clone()
        full[:, 0] = small[:, 0]
        for place, patch in enumerate(kept):
            full[:, 1 + patch] = small[:, 1 + place]
        y = full + decoder.pos_embed
        for block in decoder.blocks:
            y = plain_block(y, block, sizes.decoder_heads)
        y = F.layer_norm(y, (sizes.decoder_dim,), decoder.norm.weight, decoder.norm.bias, 1e-6)
        pred = F.linear(y, decoder.pred["LDP"].weight, decoder.pred["LDP"].bias)[0, 1:]
        for patch in set(range(PATCHES)) - set(kept):
            row, column = divmod(patch, GRID)
            true = F.unfold(target[n : n + 1], PATCH, stride=PATCH)[0, :, row * GRID + column]
            if norm_pix_loss:
                true = (true - true.mean()) / (true.var(correction=1) + 1e-6).sqrt()
            errors.append((pred[patch] - true).pow(2).mean())
    torch.testing.assert_close(got.loss_rec, torch.stack(errors).mean())


def test_unmasked_pass_equals_timms_own_forward() -> None:
    model = model_of("none-none-CRGB")
    imgs, _, _ = inputs()
    features = model.encoder.forward_features(model.prepare("RGB", imgs, None).double())
    torch.testing.assert_close(model.classify(imgs), model.head(features[:, 0]))


@pytest.mark.parametrize("configuration", TRIPLES + ALONE)
def test_every_configuration_runs_and_learns_through_all_its_parts(configuration: str) -> None:
    model = model_of(configuration)
    imgs, codes, noise = inputs()
    out = model(imgs, codes, noise)
    assert out.logits.shape == (3, 5)
    loss = out.logits.square().mean() + (0 if out.loss_rec is None else out.loss_rec)
    loss.backward()
    without = [name for name, p in model.named_parameters() if p.requires_grad and p.grad is None]
    assert without == []
    assert (out.loss_rec is None) == configuration.startswith("none")


@pytest.mark.parametrize("configuration", TRIPLES)
def test_each_field_of_a_configuration_decides_what_its_part_sees(configuration: str) -> None:
    model, parsed = model_of(configuration), parse(configuration)
    imgs, codes, noise = inputs()
    base, other = model(imgs, codes, noise), model(imgs, 255 - codes, noise)
    assert torch.equal(base.logits, other.logits) == (parsed.classified == "RGB")
    (target,) = parsed.targets
    assert torch.equal(base.pred[target], other.pred[target]) == (parsed.masked == "RGB")
    channels = 3 if target == "RGB" else 1
    assert base.pred[target].shape == (3, PATCHES - KEPT, PIXELS * channels)
    sees = [model.target(target, imgs, each) for each in (codes, 255 - codes)]
    assert torch.equal(*sees) == (target == "RGB")


def test_texture_without_codes_is_refused() -> None:
    imgs, _, noise = inputs()
    with pytest.raises(ValueError, match="needs LDP codes"):
        model_of("MLDP-RRGB-CRGB")(imgs, None, noise)


def test_positions_equal_maes_definition() -> None:
    def one(dim: int, at: np.ndarray) -> np.ndarray:
        omega = 1.0 / 10000 ** (np.arange(dim // 2) / (dim / 2.0))
        angle = np.einsum("m,d->md", at, omega)
        return np.concatenate([np.sin(angle), np.cos(angle)], axis=1)

    column, row = np.meshgrid(np.arange(14.0), np.arange(14.0))
    table = np.concatenate([one(384, column.ravel()), one(384, row.ravel())], axis=1)
    got = positions(14, 768, 1)[0].numpy()
    assert not got[0].any()
    np.testing.assert_allclose(got[1:], table, atol=1e-6)


@pytest.mark.parametrize(
    ("backbone", "size", "encoder", "decoder"),
    [
        ("vit_base", 224, 85.65, 26.01),
        ("vit_large", 224, 303.10, 26.14),
        ("vit_huge14", 224, 630.44, 26.18),
        ("vit_huge16", 224, 630.67, 26.27),
    ],
)
def test_parameters_are_as_many_as_in_the_papers(
    backbone: str, size: int, encoder: float, decoder: float
) -> None:
    """Million of learned parameters, from MAE's and SSAT's code."""
    with torch.device("meta"):  # sizes without memory
        model = ssat.SSAT(backbone, parse("MRGB-RRGB-CRGB"), size, 2)
    counts = [
        sum(p.numel() for p in part.parameters() if p.requires_grad) / 1e6
        for part in (model.encoder, model.decoder)
    ]
    assert counts == pytest.approx([encoder, decoder], abs=0.005)


@pytest.mark.parametrize("name", ["vit_micro", "vit_mini"])
def test_fault_e2_the_head_starts_from_ssats_weights(name: str) -> None:
    """Xavier's uniform ones, as all linear layers of its code, and a bias of 0."""
    torch.manual_seed(0)
    head = ssat.SSAT(name, parse("MRGB-RRGB-CRGB"), 40, 40).head
    bound = (6 / (head.in_features + head.out_features)) ** 0.5
    assert 0.98 * bound < head.weight.abs().max().item() <= bound
    assert head.weight.std().item() == pytest.approx(bound / 3**0.5, rel=0.05)
    assert not head.bias.any()
