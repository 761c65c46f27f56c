"""VideoMAE is the `transformers` library's on the same weights, and its parts are as published."""

import math

import pytest
import torch
from transformers import (
    VideoMAEConfig,
    VideoMAEForPreTraining,
    VideoMAEForVideoClassification,
)

from lssat.grid import VIDEO_ENCODERS, VideoEncoder, parse, patch_problem
from lssat.models.backbones import videomae
from lssat.models.ssat import VideoSSAT
from lssat.training import reconstruction

SIZES = VideoEncoder(48, 3, 3, 8, 2, 32, 2, 4)
FRAMES, SIDE = 6, 32
TOKENS = 3 * 16
IMAGENET = torch.tensor([[0.485, 0.456, 0.406], [0.229, 0.224, 0.225]])


def config(**more) -> VideoMAEConfig:
    return VideoMAEConfig(
        image_size=SIDE, patch_size=8, num_frames=FRAMES, tubelet_size=2, hidden_size=48,
        num_hidden_layers=3, num_attention_heads=3, intermediate_size=192,
        decoder_num_attention_heads=4, decoder_hidden_size=32, decoder_num_hidden_layers=2,
        decoder_intermediate_size=128, layer_norm_eps=1e-6, **more,
    )  # fmt: skip


def randomised(model: torch.nn.Module) -> torch.nn.Module:
    torch.manual_seed(0)
    for parameter in model.parameters():  # biases and norms too, which start at 0 and 1
        torch.nn.init.normal_(parameter, std=0.1)
    for module in model.modules():
        if isinstance(module, torch.nn.LayerNorm):
            module.eps = 1e-6
    return model.eval()


def ours(state: dict) -> videomae.VideoViT:
    encoder = videomae.VideoViT(SIZES, SIDE, FRAMES).eval()
    missing = encoder.load_state_dict(videomae.from_transformers(state), strict=False)
    assert not missing.unexpected_keys
    assert {name.split(".")[0] for name in missing.missing_keys} <= {"norm", "fc_norm"}
    return encoder


def clip(count: int = 2) -> torch.Tensor:
    return torch.rand(count, 3, FRAMES, SIDE, SIDE, generator=torch.Generator().manual_seed(1))


def test_the_classification_branch_is_that_of_transformers() -> None:
    theirs = randomised(VideoMAEForVideoClassification(config(num_labels=5)))
    encoder = ours(theirs.state_dict())
    x = clip()
    with torch.no_grad():
        expected = theirs(x.transpose(1, 2)).logits
        pooled = encoder.fc_norm(encoder.encode(encoder.tokens(x)).mean(1))
        found = theirs.classifier(pooled)
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)


def test_the_masked_branch_and_its_loss_are_those_of_transformers() -> None:
    theirs = randomised(VideoMAEForPreTraining(config(use_mean_pooling=False)))
    state = theirs.state_dict()
    encoder, decoder = ours(state), videomae.VideoDecoder(SIZES, TOKENS, {"RGB": 3}).eval()
    decoder.load_state_dict(_decoder(state, decoder))
    raw, noise = clip(), torch.rand(2, 16, generator=torch.Generator().manual_seed(2))
    ids_keep, ids_remove = videomae.tube_masking(noise, 0.75, slots=3)
    hidden = torch.ones(2, TOKENS, dtype=torch.bool).scatter(1, ids_keep, value=False)
    mean, std = IMAGENET[:, :, None, None, None]
    x = (raw - mean) / std
    with torch.no_grad():
        expected = theirs(x.transpose(1, 2), bool_masked_pos=hidden)
        kept = videomae.take(encoder.tokens(x), ids_keep)
        pred = decoder(encoder.norm(encoder.encode(kept)), ids_keep, ids_remove)["RGB"]
    torch.testing.assert_close(pred, expected.logits, rtol=1e-5, atol=1e-5)
    target = videomae.normalize_cubes(videomae.patchify(raw, 2, 8), 3)
    loss = ((pred - videomae.take(target, ids_remove)) ** 2).mean()
    torch.testing.assert_close(loss, expected.loss, rtol=1e-5, atol=1e-5)


def _decoder(state: dict, decoder: videomae.VideoDecoder) -> dict:
    layers = {
        name.replace("decoder.decoder_layers", "encoder.layer"): value
        for name, value in state.items()
        if name.startswith("decoder.decoder_layers")
    }
    found = videomae.from_transformers(layers)
    return found | {
        "embed.weight": state["encoder_to_decoder.weight"],
        "mask_token": state["mask_token"],
        "norm.weight": state["decoder.norm.weight"],
        "norm.bias": state["decoder.norm.bias"],
        "pred.RGB.weight": state["decoder.head.weight"],
        "pred.RGB.bias": state["decoder.head.bias"],
    }


def test_older_checkpoints_name_the_biases_otherwise() -> None:
    state = randomised(VideoMAEForVideoClassification(config(num_labels=2))).state_dict()
    older = {
        name.replace("query.bias", "q_bias").replace("value.bias", "v_bias"): value
        for name, value in state.items()
    }
    assert set(older) != set(state)
    new, old = videomae.from_transformers(state), videomae.from_transformers(older)
    assert new.keys() == old.keys()
    assert all(torch.equal(new[name], old[name]) for name in new)
    assert not new["blocks.0.attn.qkv.bias"][48:96].any()  # keys have none


def test_the_bias_of_keys_has_no_effect() -> None:
    encoder = randomised(videomae.VideoViT(SIZES, SIDE, FRAMES)).double()
    x = encoder.tokens(clip().double())
    before = encoder.encode(x)
    with torch.no_grad():
        encoder.blocks[0].attn.qkv.bias[48:96] += 3
    torch.testing.assert_close(encoder.encode(x), before, rtol=1e-9, atol=1e-9)


def test_positions_are_sines_and_cosines_of_the_token_number() -> None:
    table = videomae.positions(7, 6)[0]
    for token in range(7):
        for channel in range(6):
            angle = token / 10000 ** (2 * (channel // 2) / 6)
            wave = math.sin(angle) if channel % 2 == 0 else math.cos(angle)
            assert table[token, channel].item() == pytest.approx(wave, abs=1e-6)


def test_a_tube_hides_the_same_places_in_every_slot() -> None:
    noise = torch.rand(3, 16, generator=torch.Generator().manual_seed(3))
    ids_keep, ids_remove = videomae.tube_masking(noise, 0.75, slots=3)
    assert ids_keep.shape == (3, 12)
    assert ids_remove.shape == (3, 36)
    for row in range(3):
        best = sorted(noise[row].argsort()[:4].tolist())
        assert ids_keep[row].tolist() == [slot * 16 + place for slot in range(3) for place in best]
        assert sorted([*ids_keep[row].tolist(), *ids_remove[row].tolist()]) == list(range(48))


def test_cubes_hold_two_frames_and_are_put_together_again() -> None:
    x = torch.arange(2 * 3 * 4 * 8 * 8).reshape(2, 3, 4, 8, 8).float()
    cubes = videomae.patchify(x, 2, 4)
    assert cubes.shape == (2, 2 * 2 * 2, 2 * 4 * 4 * 3)
    # slot 1, row 0, column 1; frame 1, y 2, x 3, channel 2 of it
    cube = cubes[1, 1 * 4 + 0 * 2 + 1].reshape(2, 4, 4, 3)
    assert cube[1, 2, 3, 2] == x[1, 2, 3, 2, 7]
    assert torch.equal(videomae.unpatchify(cubes, 2, 4, 3, slots=2), x)


def test_each_cube_and_channel_is_normalised_on_its_own() -> None:
    cubes = torch.randn(
        1, 2, 32 * 3, generator=torch.Generator().manual_seed(4), dtype=torch.double
    )
    found = videomae.normalize_cubes(cubes, 3).reshape(1, 2, 32, 3)
    for number in range(2):
        for channel in range(3):
            part = cubes.reshape(1, 2, 32, 3)[0, number, :, channel]
            expected = (part - part.mean()) / (part.std() + 1e-6)
            torch.testing.assert_close(found[0, number, :, channel], expected)


@pytest.mark.parametrize(
    ("name", "millions"), [("videomae_small", 22), ("videomae_base", 86), ("videomae_large", 304)]
)
def test_the_published_sizes(name: str, millions: int) -> None:
    with torch.device("meta"):
        encoder = videomae.VideoViT(VIDEO_ENCODERS[name], 224, 16)
    assert encoder.pos_embed.shape[1] == 1568
    count = sum(parameter.numel() for parameter in encoder.parameters())
    assert round(count / 1e6) == pytest.approx(millions, abs=1)


# By hand, from VideoMAE's rule: int(ratio * places) are hidden.
TUBES = [(196, 0.9, 176), (196, 0.75, 147), (196, 0.95, 186), (16, 0.9, 14), (49, 0.5, 24)]


@pytest.mark.parametrize(("places", "ratio", "hidden"), [*TUBES, (4, 0.3, 1), (100, 0.29, 28)])
def test_fault_e4_a_tube_hides_as_many_places_as_videomaes(
    places: int, ratio: float, hidden: int
) -> None:
    noise = torch.rand(2, places, generator=torch.Generator().manual_seed(5))
    ids_keep, ids_remove = videomae.tube_masking(noise, ratio, slots=2)
    assert ids_remove.shape == (2, 2 * hidden)
    assert ids_keep.shape == (2, 2 * (places - hidden))
    for row in range(2):  # those of the most noise
        most = sorted(noise[row].argsort(descending=True)[:hidden].tolist())
        assert ids_remove[row, :hidden].tolist() == most


@pytest.mark.parametrize(("size", "ratio", "kept"), [(32, 0.2, 4), (48, 0.1, 9)])
def test_fault_e4_a_ratio_that_hides_no_tube_is_refused(size: int, ratio: float, kept: int) -> None:
    """Images of so few patches lose one: MAE counts what it keeps."""
    said = patch_problem(size, 16, ratio, tubes=True)
    assert said == f"mask_ratio {ratio} keeps {kept} of {kept} patches; remove 1 or more"
    assert patch_problem(size, 16, ratio) is None
    assert patch_problem(size, 16, 0.9, tubes=True) is None  # one of a few is always left


@pytest.mark.parametrize("slug", ["MRGB-RRGB-CRGB", "MRGB-RLDP-CRGB", "MLDP-RRGB+RLDP-CRGB"])
def test_fault_e3_the_target_is_the_picture_in_0_to_1(slug: str) -> None:
    """Not what the input is normalised to: as in VideoMAE's code, for RGB and for codes."""
    made = parse(slug)
    model = VideoSSAT("videomae_mini", made, 40, 1, 0.5, frames=4)
    clips = torch.randint(0, 256, (2, 3, 4, 40, 40), generator=torch.Generator().manual_seed(6))
    clips = clips.to(torch.uint8)
    codes = clips[:, :1].contiguous()
    for kind in made.targets:
        whole = clips if kind == "RGB" else codes
        target = model.target(kind, clips, codes)
        cube = target.reshape(2, 2, 2, 2, 2, 20, 20, -1)  # slot, row, column; frame, y, x, channel
        assert float(cube[1, 1, 0, 1, 1, 3, 7, 0]) == pytest.approx(
            int(whole[1, 0, 2 * 1 + 1, 20 * 0 + 3, 20 * 1 + 7]) / 255
        )
        assert 0 <= float(target.min()) < float(target.max()) <= 1
        normed = VideoSSAT("videomae_mini", made, 40, 1, 0.5, norm_pix_loss=True, frames=4)
        x = target.double().unflatten(-1, (-1, whole.shape[1]))
        expected = (x - x.mean(-2, keepdim=True)) / (x.std(-2, keepdim=True) + 1e-6)
        found = normed.target(kind, clips, codes).double()
        torch.testing.assert_close(found, expected.flatten(-2), rtol=1e-4, atol=1e-4)


def test_fault_e3_the_loss_of_a_black_clip_predicted_white() -> None:
    """A prediction of 1 of pixels that are 0: an error of 1, whatever ImageNet's means are."""
    model = VideoSSAT("videomae_mini", parse("MRGB-RRGB-CRGB"), 40, 1, 0.5, frames=4)
    assert model.decoder is not None
    head = model.decoder.pred["RGB"]
    with torch.no_grad():
        head.weight.zero_()
        head.bias.fill_(1.0)
        out = model(torch.zeros(2, 3, 4, 40, 40, dtype=torch.uint8), None, torch.rand(2, 4))
    assert float(out.loss_rec) == pytest.approx(1.0)


def test_fault_e3_pictures_of_the_reconstruction_are_in_the_targets_colours() -> None:
    """Half grey, predicted exactly, is drawn half grey."""
    model = VideoSSAT("videomae_mini", parse("MRGB-RRGB-CRGB"), 40, 1, 0.5, frames=4)
    assert model.decoder is not None
    with torch.no_grad():
        model.decoder.pred["RGB"].weight.zero_()
        model.decoder.pred["RGB"].bias.fill_(102 / 255)
        whole = torch.full((1, 3, 4, 40, 40), 102, dtype=torch.uint8)
        out = model(whole, None, torch.rand(1, 4))
    shown = reconstruction._clip(model, "RGB", out.pred["RGB"], whole, out.mask)
    torch.testing.assert_close(shown, whole[:, :, 0].float(), rtol=0, atol=1e-3)


def test_each_branch_ends_in_a_norm_of_its_own() -> None:
    """New norms are alike, so each is altered: `fc_norm` is the classifier's alone."""
    model = VideoSSAT("videomae_mini", parse("MRGB-RRGB-CRGB"), 40, 1, 0.5, frames=4).eval()
    torch.manual_seed(0)
    imgs = torch.randint(0, 256, (2, 3, 4, 40, 40), dtype=torch.uint8)
    noise = torch.rand(2, model.num_patches)

    def given() -> tuple[torch.Tensor, torch.Tensor]:
        with torch.no_grad():
            out = model(imgs, None, noise)
        assert out.logits is not None
        assert out.pred is not None
        return out.logits, out.pred["RGB"]

    for name, altered in (("fc_norm", (True, False)), ("norm", (False, True))):
        before = given()
        with torch.no_grad():
            getattr(model.encoder, name).bias.uniform_(-1, 1)
        after = given()
        assert tuple(not torch.equal(*pair) for pair in zip(before, after, strict=True)) == altered
