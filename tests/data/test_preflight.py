"""What would stop a job is said before the first job, all of it in one message."""

import io
import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from helpers import ROOT
from helpers.preset import TEXT, change
from safetensors.torch import save_file

from lssat.data import doctor, preflight
from lssat.data.preflight import child, hub, models
from lssat.tables import DataError

PLAIN = "timm:vit_tiny_patch16_224"


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, whose models are looked at in this process: it has imported timm."""

    def look(wanted: list) -> dict:
        told = io.StringIO()
        monkeypatch.setattr(sys, "stdin", io.StringIO(json.dumps(wanted)))
        with monkeypatch.context() as patch:
            patch.setattr(sys, "stdout", told)
            child.main()
        return json.loads(told.getvalue())

    monkeypatch.setattr(models, "_look", look)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def edit(*changes: tuple[str, str]) -> None:
    text = TEXT
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new, 1)
    Path("params.yaml").write_text(text)


def told(*changes: tuple[str, str]) -> list[str]:
    """The problems of the sample preset with changes, without file and line."""
    edit(*changes)
    return [line.split(": ", 1)[1] for line in preflight.problems()[1]]


LOOK = models._look


def backbones(*names: str, size: int = 80) -> list[tuple[str, str]]:
    """Changes of the preset: other backbones, for which its variants make room."""
    beside = TEXT[TEXT.index("    tasks: [affectnet]") : TEXT.index("  more_variants:")]
    empty = "".join(f"    {key}: []\n" for key in ("tasks", "backbones", "configurations"))
    return [
        change("backbones", f"[{', '.join(names)}]"),
        (beside, empty),
        ("size: 80 ", f"size: {size} "),
    ]


def weights(choice: str) -> tuple[str, str]:
    return "  weights: scratch", f"  weights: {choice}"


@pytest.mark.parametrize("preset", ["params.yaml", "presets/sample.yaml"])
def test_the_sample_has_no_problem_and_needs_no_look_at_models(
    preset: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(models, "_look", None)
    assert preflight.check(ROOT / preset).runs()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            [("NeuralTextures]", "NeuralTexturs]")],
            "datasets.ffpp.methods: unknown 'NeuralTexturs'; did you mean NeuralTextures?",
        ),
        (
            [("[Deepfakes,", "[deepfakes,")],
            "datasets.ffpp.methods: unknown 'deepfakes'; did you mean Deepfakes?",
        ),
        (
            [("metric: null", "metric: aucc")],
            "train.select_metric: unknown 'aucc'; did you mean auc or accuracy?; all tasks have "
            "auc, balanced_accuracy; null takes each task's headline metric",
        ),
        (
            [("metric: null", "metric: loss_cls")],  # of which the greatest would be taken
            "train.select_metric: unknown 'loss_cls'; known: accuracy, ap, auc, balanced_accuracy,"
            " eer, f1, macro_f1, mean_ovr_accuracy, top1, tpr_at_fpr01; all tasks have auc, "
            "balanced_accuracy; null takes each task's headline metric",
        ),
        (
            [("metric: null", "metric: f1")],
            "train.select_metric: ffpp is binary, which has no f1; it has auc, eer, ap, "
            "tpr_at_fpr01, accuracy, balanced_accuracy; all tasks have auc, balanced_accuracy; "
            "null takes "
            "each task's headline metric",
        ),
        (
            [("ffpp: data/raw/sample/ffpp.csv", "celeba: lists/celebA.csv")],
            "slices.lists.celeba: lists/celebA.csv does not exist; lists has celeba.csv; name a "
            "CSV of annotations",
        ),
        (
            [("root: data/raw/sample/celeba", "root: raw/celebA")],
            "datasets.celeba.root: raw/celebA does not exist; raw has celeba; name the folder of "
            "the raw tree",
        ),
        (
            [("root: data/raw/sample/celeba", "root: lists/celeba.csv")],
            "datasets.celeba.root: lists/celeba.csv is a file; name the folder of the raw tree",
        ),
        (
            [("trees: [ffpp, celeba,", "trees: [ffpp,")],
            "datasets.celeba.root: data/raw/sample/celeba is drawn only where sample.trees names "
            "celeba; add it there",
        ),
        (
            [("trees: [ffpp,", "trees: [celebA, ffpp,")],
            "sample.trees: unknown 'celebA'; did you mean celeba?",
        ),
        (
            [weights("scrach")],
            "train.weights: unknown 'scrach'; did you mean scratch?; write scratch, mae, timm or "
            "the path of a .safetensors file",
        ),
        (
            [weights("mea")],
            "train.weights: unknown 'mea'; did you mean mae?; write scratch, mae, timm or the "
            "path of a .safetensors file",
        ),
        (
            [weights("/nope/absent.safetensors")],
            "train.weights: /nope/absent.safetensors does not exist; name a .safetensors file",
        ),
        (
            [weights("lists/mae.safetensor")],
            "train.weights: lists/mae.safetensor does not exist; lists has mae.safetensors; name "
            "a .safetensors file",
        ),
        ([weights("lists")], "train.weights: lists is a folder; name a .safetensors file"),
        (
            [weights("lists/w.pth")],
            "train.weights: lists/w.pth is pickled, which can run code and is never opened; write "
            "lists/w.safetensors, made once by safetensors.torch.save_file(torch.load("
            "'lists/w.pth', weights_only=True), 'lists/w.safetensors')",
        ),
        (
            [weights("{vit_micro: scratch, vit_mini: weights.ckpt}")],
            "train.weights.vit_mini: weights.ckpt is pickled, which can run code and is never "
            "opened; write weights.safetensors, made once by safetensors.torch.save_file("
            "torch.load('weights.ckpt', weights_only=True), 'weights.safetensors')",
        ),
        (
            [("layer_decay: 1.0", "layer_decay: 0.75"), ("baselines: []", "baselines: [resnet18]")],
            "train.layer_decay: 0.75 goes down the blocks of a ViT, and the grid runs "
            "resnet18; write 1.0, or leave them out",
        ),
    ],
)
def test_fault_b1_names_and_files(project: Path, changes: list, said: str) -> None:
    for name in ("raw/celeba", "lists"):
        (project / name).mkdir(parents=True)
    for name in ("lists/celeba.csv", "lists/mae.safetensors", "lists/w.pth"):
        (project / name).touch()
    assert said in told(*changes)


@pytest.mark.parametrize(("k", "fits"), [(12, True), (13, False)])
def test_only_timm_knows_how_many_blocks_its_models_have(k: int, fits: bool) -> None:
    said = f"train.tune: {PLAIN} has 12 blocks; write blocks:12 or less"
    changes = [*backbones(PLAIN, "vit_tiny"), ("tune: full", f"tune: blocks:{k}")]
    own = said.replace(PLAIN, "vit_tiny")
    assert [each in told(*changes) for each in (said, own)] == [not fits, not fits]


RIVALS = """  variants:
    tasks: [ffpp]
    backbones: [timm:vgg11, timm:convnext_atto, timm:vit_tiny_patch16_224]
    configurations: [none-none-CRGB+again, none-none-CRGB+mapped]
"""


def test_what_recipes_ask_of_a_network_of_timm_is_looked_at_in_each_recipe(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    beside = TEXT[TEXT.index("  variants:") : TEXT.index("  more_variants:")]
    listed = ["timm:vgg11", "timm:convnext_atto", PLAIN]
    named = "variants:\n  again: {grad_checkpointing: true}\n  mapped: {blend: xray}\n"
    changes = [
        change("tasks", "[ffpp]"),
        change("baselines", f"[{', '.join(listed)}]"),
        (beside, RIVALS),
        (TEXT[TEXT.index("variants: ", TEXT.index("ema:")) : TEXT.index("evaluate:")], named),
    ]
    fix = "cannot compute activations again, as this asks (gradient checkpointing not supported);"
    said = f"timm:vgg11 {fix} write false, or leave it out"

    def found(*more: tuple[str, str]) -> list[str]:
        about = ("grad_checkpointing", "blend")
        return [line for line in told(*changes, *more) if any(f".{key}: " in line for key in about)]

    assert found() == [f"variants.again.grad_checkpointing: {said}"]
    more = ("grad_checkpointing: false", "grad_checkpointing: true")
    assert f"train.grad_checkpointing: {said}" in found(more)
    monkeypatch.setattr("timm.models.convnext.ConvNeXt.forward_intermediates", None)
    models.MEMORY.unlink()
    (maps,) = (line for line in found() if "blend" in line)
    assert maps.startswith("variants.mapped.blend: timm:convnext_atto gives no maps to predict xr")
    assert maps.endswith("object is not callable); write sbi, which needs no maps, or leave it out")


@pytest.mark.parametrize(
    ("names", "size", "said"),
    [
        (
            ["timm:vit_bse_patch14_dinov2"],
            112,
            "benchmark.backbones: timm has no model 'vit_bse_patch14_dinov2'; did you mean "
            "vit_base_patch14_dinov2 or",
        ),
        (
            ["vit_tiny", "timm:swin_tiny_patch4_window7_224"],
            112,
            "benchmark.backbones: timm:swin_tiny_patch4_window7_224 cannot be used: it is "
            "SwinTransformer, not a plain vision transformer; choose a plain ViT",
        ),
        (
            ["timm:resnet50"],
            80,
            "benchmark.backbones: timm:resnet50 cannot be used: it cannot be built for a given",
        ),
        (
            ["timm:vit_small_patch16_224.nope"],
            80,
            "benchmark.backbones: timm:vit_small_patch16_224.nope cannot be used: timm says: Inva",
        ),
    ],
)
def test_fault_b1_backbones_of_timm(names: list[str], size: int, said: str) -> None:
    (found,) = told(*backbones(*names, size=size))
    assert found.startswith(said)
    assert told(*backbones(*names, size=size)) == [found]  # remembered


@pytest.mark.slow
def test_fault_b1_weights_against_the_shapes_of_the_model(project: Path) -> None:
    state = {"patch_embed.proj.weight": torch.zeros(8, 3, 16, 16)}
    save_file(state, project / "w.safetensors")
    for name in ("vit_tiny", PLAIN, "vit_tiny"):
        (found,) = told(*backbones(name, size=112), weights("w.safetensors"))
        assert found.startswith(f"train.weights: w.safetensors does not fit {name}: missing")
    (project / "w.safetensors").write_bytes(b"<html>")
    (found,) = told(*backbones("vit_tiny", size=112), weights("w.safetensors"))
    assert "w.safetensors is not a safetensors file" in found
    whole = child.build(
        dict(backbone=PLAIN, img_size=112, mask_ratio=0.5, configuration="none-none-CRGB")
    )
    state = {key: torch.zeros(value.shape) for key, value in whole.state_dict().items()}
    save_file(state, project / "w.safetensors")
    assert told(*backbones(PLAIN, size=112), weights("w.safetensors")) == []


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (None, None),
        (OSError("no route"), "and the hub cannot be reached (OSError); connect this machine, or"),
        ("offline", "and HF_HUB_OFFLINE forbids to fetch it; connect this machine, or fetch the"),
        ("absent", "holds neither model.safetensors nor pytorch_model.bin; connect this machine"),
    ],
)
def test_fault_b1_weights_of_the_hub_are_there_or_can_be_fetched(
    project: Path, monkeypatch: pytest.MonkeyPatch, error: object, said: str | None
) -> None:
    import huggingface_hub
    from huggingface_hub import constants, errors

    def answer(url: str, timeout: float) -> None:
        assert "timm/vit_tiny_patch16_224" in url
        assert timeout == hub.SECONDS
        if isinstance(error, Exception):
            raise error
        if error == "absent":
            raise errors.EntryNotFoundError("no such file")

    monkeypatch.setattr(huggingface_hub, "try_to_load_from_cache", lambda *_: None)
    monkeypatch.setattr(huggingface_hub, "get_hf_file_metadata", answer)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", error == "offline")
    changes = [*backbones(PLAIN, size=112), weights("timm")]
    found = told(*changes)
    assert len(found) == (said is not None)
    if said is not None:
        assert found[0].startswith("train.weights: vit_tiny_patch16_224 is not in the local cache")
        assert said in found[0]
        monkeypatch.setattr(huggingface_hub, "try_to_load_from_cache", lambda *_: "/a/file")
        assert told(*changes) == []  # the network's answer is not remembered


def test_fault_b1_the_verdict_is_remembered_under_all_that_it_rests_on(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[list] = []
    monkeypatch.setattr(
        models, "_look", lambda wanted: looked.append(wanted) or {"problems": [], "hub": []}
    )
    (project / "w.safetensors").touch()
    changes = [*backbones(PLAIN, size=112), weights("w.safetensors")]

    def looks(*more: tuple[str, str]) -> int:
        before = len(looked)
        told(*changes, *more)
        return len(looked) - before

    assert (looks(), looks(), looks(("lr: 1.0e-3", "lr: 1e-4"))) == (1, 0, 0)
    assert looks(("mask_ratio: 0.75", "mask_ratio: 0.5")) == 1
    (project / "w.safetensors").write_bytes(b"more")
    assert (looks(), looks()) == (1, 0)
    monkeypatch.setattr(models.importlib.metadata, "version", lambda name: "0")
    assert (looks(), looks()) == (1, 0)
    models.MEMORY.write_text("half of a")
    assert (looks(), looks()) == (1, 0)


def test_fault_b1_runs_that_are_trained_need_no_weights(project: Path) -> None:
    """After `dvc pull` they may be on another machine, as may the raw trees."""
    changes = [weights("/nope/absent.safetensors"), ("root: data/raw/sample/celeba", "root: /nope")]
    assert len(told(*changes)) == 2
    loaded = preflight.problems()[0]
    assert loaded
    (project / "data/prepared/celeba").mkdir(parents=True)
    (project / "data/prepared/celeba/manifest.parquet").touch()
    recipe = loaded.train.model_dump()
    for run in loaded.runs():
        folder = project / "runs" / run.path
        folder.mkdir(parents=True)
        (folder / "record.json").write_text(json.dumps({"params": {"train": recipe}}))
    assert told(*changes) == []
    assert len(told(*changes, change("epochs", 99))) == 1  # now they are trained again
    assert len(told(*changes, change("seeds", [0, 99]))) == 1


def test_weights_of_a_variant_are_looked_at_as_those_of_the_recipe(project: Path) -> None:
    half = ("  half: {share: 0.5}", "  half: {share: 0.5, weights: lists/own.safetensors}")
    (said,) = told(half)
    assert said.startswith("variants.half.weights: lists/own.safetensors does not exist")
    (project / "lists").mkdir()
    save_file({"cls_token": torch.zeros(1, 1, 3)}, project / "lists/own.safetensors")
    (said,) = told(half)
    assert said.startswith("variants.half.weights: lists/own.safetensors ")
    assert "vit_micro" in said
    (project / "lists/own.safetensors").unlink()
    loaded = preflight.problems()[0]
    assert loaded
    for run in loaded.runs():  # after `dvc pull` they are not needed
        folder = project / "runs" / run.path
        folder.mkdir(parents=True)
        recipe = loaded.recipe(run.configuration).model_dump()
        (folder / "record.json").write_text(json.dumps({"params": {"train": recipe}}))
    assert told(half) == []
    changed = (half[0], half[1].replace("0.5", "0.4"))
    assert len(told(changed)) == 1


@pytest.mark.slow
def test_fault_b1_snakemake_run_check_and_doctor_say_the_same_before_any_job(
    project: Path, capsys: pytest.CaptureFixture
) -> None:
    for part in ("Snakefile", "workflow", "profiles", "presets"):
        (project / part).symlink_to(ROOT / part)
    edit(
        *backbones("timm:vit_bse_patch14_dinov2", size=112),
        weights("scrach"),
        ("mask_ratio: 0.75", "mask_ratio: 1.0"),
        ("NeuralTextures]", "NeuralTexturs]"),
    )
    with pytest.raises(DataError) as caught:
        preflight.check()
    assert str(caught.value).startswith("params.yaml: 4 problems. Nothing was run\n")
    for part in ("train.mask_ratio", "'vit_bse_", "'scrach'; did", "'NeuralTexturs'; did"):
        assert part in str(caught.value)
    command = [sys.executable, "-m", "snakemake", "-n"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert f"{caught.value}\n" in done.stdout  # of a dry run
    assert "looking at backbones" not in done.stderr  # it is remembered
    assert "Traceback" not in done.stdout + done.stderr
    with pytest.raises(DataError) as caught_by_doctor:
        doctor.run(None, None, "params.yaml", None, False)
    assert str(caught_by_doctor.value) == str(caught.value)
    edit(weights("scrach"))
    assert doctor.run("ffpp", None, "params.yaml", None, False) == 1
    with pytest.raises(DataError) as alone:
        preflight.check()
    assert capsys.readouterr().err.endswith(f"{alone.value}\n")


@pytest.mark.slow
def test_fault_b1_a_process_of_its_own_looks_at_the_models(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture
) -> None:
    asked = dict(backbone="timm:vit", img_size=80, mask_ratio=0.5, configuration="none-none-CRGB")
    found = LOOK([asked | {"weights": "scratch"}])
    assert found["hub"] == []
    assert found["problems"][0][:2] == ["timm:vit", []]
    assert "looking at backbones and weights, once" in capfd.readouterr().err
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(DataError, match=r"could not be looked at: no word\. Run `lssat check`"):
        LOOK([])


@pytest.mark.parametrize("kept", [False, True])
def test_fault_b1_weights_at_an_address_of_their_own_are_released_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kept: bool
) -> None:
    """Xception's, of the paper's preset, lie on no hub."""
    source, address, files = child.released("xception", "timm")
    assert (source, files) == ("legacy_xception.tf_in1k", [])
    name = address.rsplit("/", 1)[-1]
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    (tmp_path / "hub/checkpoints").mkdir(parents=True)
    if kept:
        (tmp_path / "hub/checkpoints" / name).touch()

    def refuse(*_: object, timeout: float) -> None:
        raise OSError("no route")

    monkeypatch.setattr(hub.urllib.request, "urlopen", refuse)
    said = hub.problem(source, address, files)
    if kept:
        assert said is None
    else:
        place = tmp_path / "hub/checkpoints" / name
        assert said == (
            f"{source} is not at {place}, and cannot be fetched (no route); connect this machine, "
            f"or fetch {address} elsewhere to {place}"
        )
