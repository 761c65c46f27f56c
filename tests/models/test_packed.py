"""The packed pass against two passes through timm's own blocks; ViTs of timm; refusals."""

import pytest
import torch
from helpers.packed import MODELS, inputs, model_of
from timm.layers import apply_keep_indices_nlc
from timm.models.vision_transformer import VisionTransformer
from torch import Tensor

from lssat.models import backbones, ssat
from lssat.models.backbones.packed import pack, packs
from lssat.tables import DataError


def two_passes(model: ssat.SSAT, imgs: Tensor, codes: Tensor, noise: Tensor) -> list[Tensor]:
    """Both branches one after the other, as SSAT does, with timm's own methods; decoder as ours."""
    made, encoder = model.configuration, model.encoder
    seen = {k: model.prepare(k, imgs, codes).expand(-1, 3, -1, -1) for k in ("RGB", "LDP")}
    features = encoder.forward_features(seen[made.classified])
    features = encoder.forward_head(features, pre_logits=True)
    mask = ssat.random_mask(noise, 0.75)
    placed = encoder._pos_embed(encoder.patch_embed(seen[made.masked]))
    tokens, rope = placed if isinstance(placed, tuple) else (placed, None)
    first = encoder.num_prefix_tokens
    kept = torch.stack([each[first:][ids] for each, ids in zip(tokens, mask.ids_keep, strict=True)])
    x = encoder.norm_pre(torch.cat([tokens[:, :first], kept], dim=1))
    if rope is not None:
        rope = apply_keep_indices_nlc(x, rope, mask.ids_keep)
        mixed = getattr(encoder, "rope_mixed", False)
        rope = rope.transpose(0, 1) if mixed else rope.unsqueeze(1)
    for number, block in enumerate(encoder.blocks):
        of_block = rope[number] if getattr(encoder, "rope_mixed", False) else rope
        x = block(x) if rope is None else block(x, rope=of_block)
    x = encoder.norm(x)
    pred = model.decoder(x, mask)
    losses = []
    for kind in made.targets:
        target = model.target(kind, imgs, codes)
        removed = mask.dense()[:, :, None].bool().expand_as(target)
        ours = torch.zeros_like(target).scatter(
            1, mask.ids_remove[..., None].expand_as(pred[kind]), pred[kind]
        )
        losses.append(((ours - target) ** 2)[removed].mean())
    views = [features]
    if model.fused:
        views.append(encoder.forward_head(x, pre_logits=True))
    return [model.head(torch.cat(views, dim=1)), sum(losses) / len(losses)]


def gradients(model: ssat.SSAT, logits: Tensor, loss_rec: Tensor) -> dict[str, Tensor]:
    model.zero_grad()
    (0.1 * logits.square().mean() + 0.9 * loss_rec).backward()
    return {name: p.grad.clone() for name, p in model.named_parameters() if p.grad is not None}


def compare(model: ssat.SSAT, patch: int, tolerance: float) -> None:
    imgs, codes, noise = inputs(patch)
    out, expected = model(imgs, codes, noise), two_passes(model, imgs, codes, noise)
    got = [out.logits, out.loss_rec]
    for mine, theirs in zip(got, expected, strict=True):
        torch.testing.assert_close(mine, theirs, rtol=tolerance, atol=tolerance)
    mine, theirs = gradients(model, *got), gradients(model, *expected)
    assert (
        mine.keys() == theirs.keys() == {n for n, p in model.named_parameters() if p.requires_grad}
    )
    for name, value in theirs.items():
        scale = tolerance * max(1.0, value.abs().max().item())
        torch.testing.assert_close(mine[name], value, rtol=0, atol=scale, msg=name)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "patch", "packed"), MODELS)
def test_one_pass_gives_the_loss_and_gradients_of_two(name: str, patch: int, packed: bool) -> None:
    model = model_of(name, patch, "MRGB-RRGB-CRGB").double()
    assert packs(model.encoder) == packed
    compare(model, patch, 1e-10)


@pytest.mark.parametrize(
    ("configuration", "options"),
    [
        ("MLDP-RRGB-CRGB", {}),
        ("MRGB-RRGB+RLDP-CLDP", {"norm_pix_loss": True}),
        ("MRGB-RLDP-CRGB", {"head": "fusion"}),
        ("MLDP-RRGB-CRGB", {"head": "fusion"}),
    ],
)
def test_one_pass_equals_two_in_each_kind_of_configuration(
    configuration: str, options: dict
) -> None:
    compare(model_of("vit_micro", 20, configuration, **options).double(), 20, 1e-10)


@pytest.mark.parametrize("name", ["vit_micro", "timm:eva02_tiny_patch14_224"])
def test_in_single_precision_one_pass_equals_two_to_its_rounding(name: str) -> None:
    patch = 20 if name == "vit_micro" else 14
    compare(model_of(name, patch, "MRGB-RLDP-CRGB"), patch, 5e-6)


def test_activation_checkpointing_changes_no_gradient() -> None:
    model = model_of("timm:eva02_tiny_patch14_224", 14, "MRGB-RLDP-CRGB").double()
    kept = model(*inputs(14))
    expected = gradients(model, kept.logits, kept.loss_rec)
    model.set_grad_checkpointing()
    again = model(*inputs(14))
    for name, value in gradients(model, again.logits, again.loss_rec).items():
        torch.testing.assert_close(value, expected[name], rtol=0, atol=1e-12)


def test_blocks_that_drop_paths_run_once_for_each_branch() -> None:
    sizes = dict(img_size=40, patch_size=20, embed_dim=32, depth=2, num_heads=2, num_classes=0)
    assert packs(pack(VisionTransformer(**sizes)))
    assert not packs(pack(VisionTransformer(**sizes, drop_path_rate=0.1)))
    assert not packs(pack(VisionTransformer(**sizes, attn_drop_rate=0.1)))


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("vit_bse_patch16_224", "timm has no model 'vit_bse_patch16_224'. did you mean vit_base_"),
        ("beit_base_patch16_224", "its relative position bias is tied to the whole grid"),
        ("vit_relpos_small_patch16_224", "its relative position bias is tied to the whole grid"),
        ("deit_tiny_distilled_patch16_224", "it averages two heads"),
        ("vit_tiny_r_s16_p8_224", "its patches come out of a HybridEmbed"),
        ("resnet18", "it cannot be built for a given image size"),
        ("swin_tiny_patch4_window7_224", "it is SwinTransformer, not a plain vision transformer"),
        ("vit_tiny_patch16_224.nosuch", "timm says: Invalid pretrained tag (nosuch)"),
    ],
)
def test_a_model_that_cannot_be_masked_is_refused_with_the_reason(name: str, said: str) -> None:
    with pytest.raises(DataError) as caught, torch.device("meta"):
        backbones.build(f"timm:{name}", 224)
    assert said in str(caught.value)
    assert "benchmark.backbones" in str(caught.value)


def test_a_size_that_does_not_fit_is_refused_where_the_name_did_not_tell_it() -> None:
    said = (
        "faces.size: timm:test_vit: 40 px is not a multiple of the patch size 16. Write 32 or 48."
    )
    with pytest.raises(DataError) as caught:
        backbones.build("timm:test_vit", 40)
    assert said in str(caught.value)
