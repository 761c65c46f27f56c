"""`lssat weights convert`: each naming of released checkpoints, nothing run, another size."""

import argparse
import json
import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors import safe_open
from torch.nn import functional as F
from typer.testing import CliRunner

from lssat.cli import commands as cli
from lssat.models import backbones, convert, unpickle
from lssat.tables import DataError

State = dict[str, torch.Tensor]


def fresh(name: str = "vit_micro") -> Any:
    torch.manual_seed(1)
    return backbones.build(name, 80, 4 if name.startswith("video") else None)


def encoder() -> State:
    torch.manual_seed(0)
    made = backbones.build("vit_micro", 80).state_dict()
    return {
        key: value if key == "pos_embed" else torch.randn_like(value) for key, value in made.items()
    }


def under(prefix: str, state: State) -> State:
    return {prefix + key: value for key, value in state.items()}


DECODER = {
    "mask_token": torch.zeros(1, 1, 64),
    "decoder_embed.weight": torch.zeros(64, 64),
    "decoder_pos_embed": torch.zeros(1, 17, 64),
    "decoder_blocks.0.norm1.weight": torch.zeros(64),
    "decoder_pred.weight": torch.zeros(1200, 64),
}
FSFM = {  # its target network (`checkpoint-te`) has the same, but for the predictor
    "rep_decoder_embed.weight": torch.zeros(64, 64),
    "rep_decoder_blocks.0.norm1.weight": torch.zeros(64),
    "rep_decoder_norm.weight": torch.zeros(64),
    "projector.projection_head.0.weight": torch.zeros(2, 2),
    "predictor.projection_head.0.weight": torch.zeros(2, 2),
}
BLANK = {key: torch.zeros_like(value) for key, value in encoder().items()}
ARGS = argparse.Namespace(model="mae_vit", lr=1e-3)
MOMENTS = {"state": {0: {"exp_avg": torch.zeros(3)}}, "param_groups": [{"lr": 0.1}]}
# What a release wraps its encoder in, and where the encoder stands in it.
NAMINGS: dict[str, tuple[Callable[[State], Any], str]] = {
    "bare": (lambda e: e, ""),
    "mae": (
        lambda e: {"model": e | DECODER, "optimizer": MOMENTS, "epoch": 3, "args": ARGS}, "model/",
    ),
    "fsfm, fs-vfm": (
        lambda e: {"model": e | DECODER | FSFM, "scaler": {"scale": 1.0}, "args": ARGS}, "model/",
    ),
    "fine-tuned": (
        lambda e: {"model_state": e | {"head.weight": torch.zeros(2, 64)}, "best": np.float64(1)},
        "model_state/",
    ),
    "data-parallel": (lambda e: {"state_dict": under("module.", e)}, "state_dict/module."),
    "dino": (
        lambda e: {"student": under("module.backbone.", BLANK),
                   "teacher": under("backbone.", e) | {"head.mlp.0.weight": torch.zeros(2, 2)}},
        "teacher/backbone.",
    ),
    "dino-in-one": (
        lambda e: under("student.backbone.", BLANK) | under("teacher.backbone.", e),
        "teacher.backbone.",
    ),
}  # fmt: skip


def saved(tmp_path: Path, value: Any) -> Path:
    torch.save(value, tmp_path / "in.pth")
    return tmp_path / "in.pth"


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Read in this process: a start of torch takes seconds. One test has the other."""

    def tensors(source: Path) -> tuple[State, list[str]]:
        out = source.with_suffix(".all")
        said = unpickle.main(str(source), str(out))
        return convert.read(source, said, out)

    monkeypatch.setattr(convert, "tensors", tensors)


def converted(source: Path, size: int | None = None, prefix: str | None = None) -> Any:
    out = source.with_name("out.safetensors")
    return out, convert.convert(source, out, size, "https://a.page", "MIT", prefix)


@pytest.mark.parametrize("naming", NAMINGS)
@pytest.mark.usefixtures("here")
def test_each_naming_loads_equal_tensors_and_the_rest_is_named(tmp_path: Path, naming: str) -> None:
    state, (wrap, prefix) = encoder(), NAMINGS[naming]
    source = saved(tmp_path, wrap(state))
    out, done = converted(source)
    model = fresh()
    backbones.load_weights(model, "vit_micro", str(out))
    assert all(torch.equal(value, state[key]) for key, value in model.state_dict().items())
    assert done.about["prefix"] == prefix
    named = {name for name, _ in unpickle.flat(wrap(state))}
    assert set(done.dropped) == named - {prefix + key for key in state}
    with safe_open(str(out), framework="pt") as file:
        about = json.loads(file.metadata()["lssat"])
    assert about == done.about
    assert about | {"origin": "https://a.page", "licence": "MIT", "file": "in.pth"} == about
    assert about["sha256"] == convert.sha256(source)
    assert about["positions"] == "MAE's fixed table, 4x4"


@pytest.mark.parametrize("prefix", ["", "encoder."])
@pytest.mark.usefixtures("here")
def test_videomae_has_one_bias_for_query_and_value_and_no_positions(
    tmp_path: Path, prefix: str
) -> None:
    name = next(iter(backbones.grid.VIDEO_ENCODERS))
    state = {key: torch.randn_like(value) for key, value in fresh(name).state_dict().items()}
    theirs = {key: each for key, each in state.items() if not key.startswith("fc_norm")}
    for key in [key for key in theirs if key.endswith("qkv.bias")]:
        query, nothing, value = theirs.pop(key).chunk(3)
        nothing.zero_()
        stem = key.removesuffix("qkv.bias")
        theirs |= {f"{stem}q_bias": query.clone(), f"{stem}v_bias": value.clone()}
    theirs["pos_embed"] = torch.zeros(1, 8, 8)
    decoder = {"decoder.blocks.0.norm1.weight": torch.zeros(3)}
    out, done = converted(saved(tmp_path, {"model": under(prefix, theirs) | decoder}))
    model = fresh(name)
    backbones.load_weights(model, name, str(out))
    for key, value in model.state_dict().items():
        assert key.startswith("fc_norm") or torch.equal(value, state[key]), key
    assert done.dropped == ["model/decoder.blocks.0.norm1.weight", f"model/{prefix}pos_embed"]


@pytest.mark.usefixtures("here")
def test_one_of_several_encoders_is_chosen_by_its_prefix(tmp_path: Path) -> None:
    state = encoder()
    source = saved(tmp_path, under("a.", BLANK) | under("b.", state))
    _, done = converted(source, prefix="b.")
    assert all(torch.equal(value, state[key]) for key, value in done.kept.items())
    assert len(done.dropped) == len(BLANK)


@pytest.mark.usefixtures("here")
def test_positions_change_only_when_it_is_asked_and_the_file_says_so(tmp_path: Path) -> None:
    state = encoder() | {"pos_embed": torch.randn(1, 17, 64)}
    source = saved(tmp_path, {"model": state})
    _, done = converted(source)
    assert torch.equal(done.kept["pos_embed"], state["pos_embed"])
    assert done.about["positions"] == "learned, 4x4"
    assert "take a timm: backbone for learned ones" in convert.told(source, source, done)
    _, done = converted(source, size=120)
    first, table = state["pos_embed"][:, :1], state["pos_embed"][:, 1:].reshape(1, 4, 4, 64)
    wide = F.interpolate(table.permute(0, 3, 1, 2), (6, 6), mode="bicubic", antialias=True)
    expected = torch.cat([first, wide.flatten(2).transpose(1, 2)], dim=1)
    torch.testing.assert_close(done.kept["pos_embed"], expected)
    assert done.about["positions"].startswith("learned, 4x4, interpolated to 6x6")


class Call:
    """What a pickle calls when it is opened without care."""

    def __init__(self, function: Any, *words: str):
        self.made = function, words

    def __reduce__(self) -> Any:
        return self.made


@pytest.mark.parametrize("protocol", [2, 4])
@pytest.mark.parametrize("function", [os.mkdir, eval])
@pytest.mark.usefixtures("here")
def test_a_pickle_with_code_is_refused_with_the_reason_and_runs_nothing(
    tmp_path: Path, function: Any, protocol: int
) -> None:
    words = (
        f"{tmp_path}/ran" if function is os.mkdir else f"__import__('os').mkdir('{tmp_path}/ran')"
    )
    value = {"model": encoder(), "args": Call(function, words)}
    torch.save(value, tmp_path / "in.pth", pickle_protocol=protocol)
    with pytest.raises(DataError, match=r"in\.pth: was not read: its pickle asks for .*nothing"):
        converted(tmp_path / "in.pth")
    assert sorted(os.listdir(tmp_path)) == ["in.pth"]


@pytest.mark.parametrize(
    ("value", "size", "prefix", "said"),
    [
        ({"model": {"fc.weight": torch.zeros(2)}}, None, None, "no patch embedding of a ViT"),
        (under("a.", BLANK) | under("b.", BLANK), None, None, "by --prefix one of 'a.', 'b.'"),
        (BLANK, None, "x.", "holds no encoder at 'x.'. Name one of ''"),
        (BLANK, 81, None, "--size 81 is no multiple of its patches' 20 px"),
        (BLANK | {"norm.bias": torch.tensor([torch.nan])}, None, None, "infinity in norm.bias"),
        ({"embeddings.patch_embeddings.projection.weight": torch.zeros(1, 3, 2, 2)}, None, None,
         "transformers library's names of an image ViT"),
        (
            {key: each for key, each in BLANK.items() if key != "pos_embed"}, 80, None,
            "has no table of positions to interpolate",
        ),
    ],
)  # fmt: skip
@pytest.mark.usefixtures("here")
def test_what_is_no_encoder_is_refused_and_nothing_written(
    tmp_path: Path, value: Any, size: int | None, prefix: str | None, said: str
) -> None:
    with pytest.raises(DataError) as caught:
        converted(saved(tmp_path, value), size, prefix)
    assert said in str(caught.value)
    assert not (tmp_path / "out.safetensors").exists()


@pytest.mark.parametrize("data", [b"", b"text", pickle.dumps({"a": 1}), b"PK\x03\x04cut"])
@pytest.mark.usefixtures("here")
def test_no_checkpoint_is_a_message(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "in.pth").write_bytes(data)
    with pytest.raises(DataError, match=r"in\.pth: (was not read|holds no patch embedding)"):
        converted(tmp_path / "in.pth")


@pytest.mark.slow
def test_the_command_reads_in_a_process_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gc.freeze", lambda: None)  # this process goes on
    source, out = saved(tmp_path, NAMINGS["mae"][0](encoder())), tmp_path / "out.safetensors"
    monkeypatch.setattr(unpickle, "main", lambda *_: pytest.fail("read in this process"))
    done = CliRunner().invoke(cli.app, ["weights", "convert", str(source), str(out)])
    assert done.exit_code == 0, done.exception
    assert "from 'model/': blocks (36), cls_token (1), norm (2)" in done.output
    assert "model/decoder_blocks (1)" in done.output
    assert "--source and --licence not given" in done.output


@pytest.mark.parametrize(
    ("names", "said"),
    [(["none.pth", "out.safetensors"], "none.pth: does not exist"),
     (["in.pth", "in.pth"], "is to be written, and is read as well"),
     (["in.pth", "out.pth"], "out.pth: is no name of a safetensors file")],
)  # fmt: skip
def test_the_command_refuses_bad_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, names: list[str], said: str
) -> None:
    monkeypatch.setattr("gc.freeze", lambda: None)
    monkeypatch.chdir(tmp_path)
    saved(tmp_path, {})
    done = CliRunner().invoke(cli.app, ["weights", "convert", *names])
    assert said in str(done.exception)
    assert os.listdir(tmp_path) == ["in.pth"]
