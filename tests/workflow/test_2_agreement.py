"""Case 35: Snakemake and DVC agree on what an edit makes stale, and that is what it should be."""

import os

import pytest
from helpers import stale
from helpers.project import Project
from helpers.stale import ALL, END, HURT, SPEED, TRAIN, ended

# Of all that tests/orchestrate/test_stale.py edits, which only reads what the rules read.
TRIED = {"faces.margin", "texture.k", "train.lr", "evaluate.batch_size", "tracking.experiment"}
TRIED |= {"datasets.partial"}
PARAMS = {key: value for key, value in stale.PARAMS.items() if ".".join(key) in TRIED}
MODULES = ("data/faces/sample.py", "evaluation/evaluate.py", "report/kit/style.css")


@pytest.fixture(autouse=True)
def _restored(by_dvc: Project):
    yield
    by_dvc.run("git", "checkout", "--quiet", "--", "params.yaml", "lssat")


def check_agreement(project: Project, expected: set[str]) -> None:
    assert project.snakemake_stale() == ended(expected)
    assert project.dvc_stale() == ended(expected)


@pytest.mark.parametrize("key", PARAMS, ids=".".join)
def test_case_35_an_edited_parameter(by_dvc: Project, key: tuple[str, str]) -> None:
    value, expected = PARAMS[key]
    by_dvc.edit(*key, value)
    check_agreement(by_dvc, expected)


def test_fault_b4_an_edited_batch_redoes_no_data_and_is_refused_before_the_first_job(
    by_dvc: Project,
) -> None:
    by_dvc.params(train={"batch_size": 32_000})
    check_agreement(by_dvc, TRAIN | END | HURT)
    told = by_dvc.run("snakemake", "--cores", "2", check=False)
    assert "train: at most 288 images, less than one batch; train.batch_size is 32000" in told
    assert "Finished jobid" not in told


@pytest.mark.parametrize("name", MODULES)
def test_case_35_an_edited_module(by_dvc: Project, name: str) -> None:
    with open(by_dvc.path / "lssat" / name, "ab") as file:
        file.write(stale.edit_of(name))
    by_dvc.dvc_code()
    try:
        found = by_dvc.snakemake_stale()
        assert found == by_dvc.dvc_stale()
        assert found >= ended(stale.MODULES[name])
        if name in stale.EXACT:
            assert found == ended(stale.MODULES[name])
    finally:
        by_dvc.run("git", "checkout", "--quiet", "--", "lssat")
        by_dvc.dvc_code()


def test_case_35_edited_comments_and_docstrings_redo_nothing(by_dvc: Project) -> None:
    for name in ("models/ssat/model.py", "data/faces/sample.py", "training/train.py"):
        file = by_dvc.path / "lssat" / name
        text = file.read_text()
        start = text.index('"""') + 3
        file.write_text(text[:start] + "Edited. " + text[start:] + "\n# A comment.\n")
    try:
        assert by_dvc.snakemake_stale() == set()
        by_dvc.dvc_code()  # the one stage that DVC looks at again
        assert by_dvc.dvc_stale() == set()
    finally:
        by_dvc.run("git", "checkout", "--quiet", "--", "lssat")
        by_dvc.dvc_code()


def test_case_35_a_raw_file_edited_added_removed_or_touched(by_dvc: Project) -> None:
    folder = by_dvc.path / "data/raw/sample/celeba/img_align_celeba"
    first, second, *_ = sorted(folder.iterdir())
    whole = first.read_bytes()
    expected = ended(ALL) | {"sample@celeba"}  # DVC also sees that the drawn tree was changed

    def both() -> tuple[set[str], set[str]]:
        return by_dvc.snakemake_stale() | {"sample@celeba"}, by_dvc.dvc_stale()

    first.write_bytes(second.read_bytes())
    assert both() == (expected, expected)
    first.unlink()
    assert both() == (expected, expected)
    first.write_bytes(whole)
    (folder / "added.jpg").write_bytes(whole)
    assert both() == (expected, expected)
    (folder / "added.jpg").unlink()
    os.utime(first)
    assert by_dvc.snakemake_stale() == by_dvc.dvc_stale() == set()


def test_case_35_a_git_checkout_that_touches_files_redoes_nothing(by_dvc: Project) -> None:
    for file in (by_dvc.path / "lssat").rglob("*.py"):
        os.utime(file)
    os.utime(by_dvc.path / "params.yaml")
    check_agreement(by_dvc, set())


_LAMBDAS = [f"MRGB-RLDP-CRGB-lambda{each}" for each in (0.1, 0.7, "learned")]  # 0.1: recipe's


def _variants(backbones: list[str], configurations: list[str]) -> dict:
    return dict(tasks=["celeba"], backbones=backbones, configurations=configurations)


@pytest.mark.parametrize(
    ("added", "new"),
    [
        ({"seeds": [0, 1]}, {f"{name[:-1]}1" for name in TRAIN}),
        (
            {
                "backbones": ["vit_micro", "vit_mini"],
                "baselines": ["resnet18"],
                "variants": _variants(["vit_micro", "resnet18"], ["none-none-CRGB+half"]),
                "more_variants": _variants(["vit_micro"], ["MRGB-RLDP-CRGB+half"]),
            },
            {
                *(name.replace("vit_micro", "vit_mini") for name in TRAIN),
                *(f"train@celeba-resnet18-none-none-CRGB{each}-0" for each in ("", "+half")),
                "train@celeba-vit_micro-none-none-CRGB+half-0",
                "train@celeba-vit_micro-MRGB-RLDP-CRGB+half-0",
            },
        ),
        (
            {"variants": _variants(["vit_micro"], _LAMBDAS)},
            {f"train@celeba-vit_micro-{each}-0" for each in _LAMBDAS},
        ),
    ],
    ids=["seed", "backbone, baseline and variants", "lambdas"],
)
def test_an_added_seed_backbone_baseline_lambda_or_variant_runs_only_what_is_new(
    by_dvc: Project, added: dict, new: set[str]
) -> None:
    by_dvc.params(benchmark=added)
    timed = SPEED if "backbones" in added else set()
    check_agreement(by_dvc, new | END | HURT | timed)
