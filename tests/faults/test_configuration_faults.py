"""Cases 1-4: a wrong params.yaml stops everything before any job, with all problems named."""

import subprocess
import sys
from pathlib import Path

import pytest
from helpers import ROOT
from helpers.preset import TEXT, change

from lssat import params
from lssat.tables import DataError


def load(tmp_path: Path, *changes: tuple[str, str]) -> str:
    text = TEXT
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    file = tmp_path / "params.yaml"
    file.write_text(text)
    with pytest.raises(DataError) as caught:
        params.load(file)
    return str(caught.value).replace(f"{tmp_path}/", "")


def line_of(start: str) -> int:
    return next(n for n, line in enumerate(TEXT.splitlines(), 1) if line.strip().startswith(start))


def test_case_01_unknown_key_names_the_nearest(tmp_path: Path) -> None:
    message = load(tmp_path, ("  epochs:", "  epoch:"))
    line = line_of("epochs:")
    assert f"params.yaml:{line}: train.epoch: unknown key; did you mean epochs" in message
    assert "train.epochs: is missing" in message


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("hflip: true", "hflip: no", "train.hflip: no is read in two ways by YAML readers; write"),
        ("seed: 0", "seed: 010", "010 is read in two ways by YAML readers; write it without"),
        ("title: null", "title: 12:30 #", "report.title: 12:30 is read in two ways by YAML"),
        ("batch_size: 16", "batch_size: 1_000", "write 1000"),
    ],
)  # fmt: skip
def test_case_02_ambiguous_scalars(tmp_path: Path, old: str, new: str, said: str) -> None:
    assert said in load(tmp_path, (old, new))


def test_case_02_a_key_given_twice(tmp_path: Path) -> None:
    line = line_of("lr:")
    message = load(tmp_path, ("  lr: 1.0e-3\n", "  lr: 1.0e-3\n  lr: 1.0e-4\n"))
    assert f"params.yaml:{line + 1}: train.lr: stands twice (line {line} too)" in message


def test_case_02_text_is_no_number(tmp_path: Path) -> None:
    assert "train.lr: Input should be a valid number (found '1.0e-3')" in load(
        tmp_path, ("lr: 1.0e-3", 'lr: "1.0e-3"')
    )


def test_case_03_all_problems_in_one_message(tmp_path: Path) -> None:
    message = load(
        tmp_path,
        ("mask_ratio: 0.75", "mask_ratio: 1.0"),
        ("lambda_cls: 0.", "lambda_cls: 7."),
        ("size: 80 ", "size: 225 "),
    )
    assert "params.yaml: " in message
    assert "train.mask_ratio: Input should be less than 1 (found 1.0)" in message
    assert "train.lambda_cls: Input should be less than or equal to 1" in message
    assert "faces.size: vit_micro: 225 px is not a multiple of the patch size 20" in message
    assert "write 220 or 240" in message


def test_case_03_a_mask_that_keeps_no_patch(tmp_path: Path) -> None:
    message = load(tmp_path, ("mask_ratio: 0.75", "mask_ratio: 0.99"))
    assert "mask_ratio 0.99 keeps 0 of 16 patches" in message


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("MRGB-RLDP-CRGB-lambda1.5", "lambda '1.5' is no number from 0 to 1, nor learned"),
        ("MRGB-RLDP-CRGB-lambda1", "lambda '1' becomes a part of paths; write 1.0"),
        ("MRGB-RLDP-CRGB-lambdalearned", "MRGB-RLDP-CRGB-lambdalearned stands twice; leave it"),
        ("MRGB-RLDP-CRGB-lambdalearnt", "lambda 'learnt' is no number from 0 to 1, nor learned"),
        ("none-none-CRGB-lambda0.1", "no two losses together to weigh"),
        ("MRGB-RLDP-CRGB", "has the recipe as it is; write MRGB-RLDP-CRGB+<variant>"),
        ("MRGB-RLDP-CRGB-lambda0.5+half", "let the variant half change lambda_cls"),
        ("MRGB-RLDP-CRGB+haif", "unknown 'haif'; did you mean half"),
    ],
)  # fmt: skip
def test_case_03_a_configuration_with_a_recipe_of_its_own(
    tmp_path: Path, value: str, said: str
) -> None:
    assert said in load(tmp_path, ("MRGB-RLDP-CRGB-lambda0.5", value))


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("vit_micro", "vit_mikro", "unknown 'vit_mikro'; did you mean vit_micro"),
        ("celeba, affectnet]", "celebA, affectnet]", "unknown 'celebA'; did you mean celeba"),
        ("MRGB-RLDP-CRGB", "MXYZ-RLDP-CRGB", "did you mean MRGB-RLDP-CRGB"),
        ("MRGB-RLDP-CRGB", "MRGB/RLDP/CRGB", "becomes a part of paths; write MRGB-RLDP-CRGB"),
        ("MRGB-RLDP-CRGB", "MRGB-RLBP-CRGB", "MRGB-RLBP-CRGB needs lbp; write lbp or drop it"),
        (*change("configurations", "[none-none-CRGB, none-none-CRGB]"), "stands twice"),
        ("MRGB-RLDP-CRGB", "MRGB-RRGB+RLPD-CRGB", "did you mean MRGB-RRGB+RLDP-CRGB"),
        ("MRGB-RLDP-CRGB", "MRGB-RLDP-thanCRGB", "did you mean MRGB-RLDP-thenCRGB"),
        ("baselines: []", "baselines: [resnet19]", "unknown 'resnet19'; did you mean resnet18"),
        ("vit_micro", "timm:vit_base_patch14_dinov2", "not a multiple of the patch size 14"),
        ("tune: full", "tune: all", "train.tune: 'all' is none of full, linear, norm, lora"),
        ("head: linear", "head: fusion", "fusion joins two branches that are trained together"),
    ],
)  # fmt: skip
def test_case_04_unknown_names_with_close_matches(
    tmp_path: Path, old: str, new: str, said: str
) -> None:
    assert said in load(tmp_path, (old, new))


@pytest.mark.slow
def test_case_01_snakemake_and_the_command_line_say_it_before_any_job(tmp_path: Path) -> None:
    for part in ("Snakefile", "workflow", "profiles"):
        (tmp_path / part).symlink_to(ROOT / part)
    (tmp_path / "params.yaml").write_text(TEXT.replace("  epochs:", "  epoch:"))
    command = [sys.executable, "-m", "snakemake", "--cores", "1"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "train.epoch: unknown key; did you mean epochs" in done.stderr
    assert "Traceback" not in done.stderr
    command = [sys.executable, "-m", "lssat", "sample", "--tree", "ffpp"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("params.yaml: 2 problems")
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            [("sampler: uniform", "sampler: balanced")],
            "train.sampler: class_weights is balanced too, which corrects twice; leave one",
        ),
        (
            [("sampler: uniform", "sampler: balanced"), ("weights: balanced", "weights: none")],
            "train.sampler: celeba has several labels a sample, which no order balances; write",
        ),
        (
            [("batch_size: 16", "batch_size: 1"), ("mixup: 0.0", "mixup: 0.2")],
            "train.mixup: mixes each sample with the next of its batch, and train.batch_size is 1",
        ),
        (
            [("affectnet_test: 0.5", "affectnet_test: 1.0")],
            "splits.affectnet_test: 1.0 leaves no val to select on; lower it or write selection",
        ),
        (
            [("selection: val ", "selection: test ")],
            "splits.selection: Input should be 'val' or 'train_holdout' (found 'test')",
        ),
        (
            [("lists: {ffpp:", "lists: {celebdf:")],
            "slices.lists.celebdf: is not in benchmark.tasks; leave it out here",
        ),
        (
            [("attributes: {celeba: ", "attributes: {ffpp: ")],
            "slices.attributes.ffpp: has no attributes among its labels; name a list in slices",
        ),
        (
            [("root: data/raw/sample/ffpp", "root: data/raw/ffpp")],
            "slices.lists.ffpp: is of the built-in sample, whose data this task does not use",
        ),
        (
            [("[Pale_Skin, Eyeglasses", "[Pale_Skin, Eyeglass")],
            "slices.attributes.celeba: unknown 'Eyeglass'; did you mean Eyeglasses",
        ),
        (
            [("[Pale_Skin, Eyeglasses", "[Pale_Skin, Pale_Skin")],
            "slices.attributes: Pale_Skin stands twice; leave it once",
        ),
    ],
)
def test_case_03_keys_that_contradict_each_other(
    tmp_path: Path, changes: list[tuple[str, str]], said: str
) -> None:
    assert said in load(tmp_path, *changes)
