"""Case 35: Snakemake and DVC agree on what an edit makes stale, and that is what it should be."""

import os

import pytest
from helpers.project import Project

TRAIN = {f"train@celeba-vit_micro-{c}-0" for c in ("MRGB-RLDP-CRGB", "none-none-CRGB")}
SLICES = {"slices@celeba"}
# MLflow comes last: what follows from a new report.
TRACKED = {"track@celeba", "track_slices@celeba", "track_report"}
LOOK = {"explain@celeba", "gallery"}
END = {"evaluate@celeba", *SLICES, *LOOK, "report"}
HURT = {"robustness@celeba", "report"}
SPEED = {"speed"}
AUDIT = {"audit@celeba", "lookalikes@celeba"}
DATA = {f"{step}@celeba" for step in ("manifest", "faces", "texture", "splits")}
ALL = DATA | AUDIT | TRAIN | END | HURT
PARAMS = {
    ("sample", "seed"): (1, ALL | {"sample@celeba"}),
    ("datasets", "rejects_limit"): ("0.5", ALL),
    ("datasets", "partial"): ("0.0\n    partial: true", ALL),
    ("faces", "margin"): (1.5, ALL - {"manifest@celeba"}),
    ("texture", "k"): (4, {"texture@celeba"} | TRAIN | END | HURT),
    ("splits", "seed"): (1, {"splits@celeba"} | AUDIT | TRAIN | END | HURT),
    ("audit", "near_distance"): (2, {"lookalikes@celeba", "report"}),
    ("train", "lr"): (0.003, TRAIN | END | HURT),
    ("evaluate", "resamples"): (300, END),
    ("evaluate", "confidence"): (0.9, END | HURT),
    ("robustness", "seed"): (1, HURT),
    ("slices", "min_n"): (5, SLICES | {"report"}),
    ("tracking", "experiment"): ("other", {"report"}),  # which names the runs
    ("evaluate", "batch_size"): (48, END | HURT | SPEED),
    ("explain", "seed"): (1, LOOK | {"report"}),
    ("report", "title"): ("Other", {"report", "gallery"}),
}
MODULES = {
    "datasets/celeba.py": ALL,
    "faces/sample.py": ALL - {"manifest@celeba"},
    "texture_cache.py": {"texture@celeba"} | TRAIN | END | HURT,
    "audit/leaks.py": {"audit@celeba"} | TRAIN | END | HURT,
    "audit/lookalikes.py": {"lookalikes@celeba", "report"},
    "ssat/model.py": TRAIN | END | HURT | SPEED,
    "speed.py": SPEED | {"report"},
    "evaluate.py": END,
    "perturb.py": HURT | {"gallery"},  # the page of the report names them
    "slices/compare.py": SLICES | {"report"},
    "tracking.py": TRACKED,
    "examine/choose.py": LOOK | {"report"},
    "report/style.css": {"report", "gallery"},
}


@pytest.fixture(autouse=True)
def _restored(by_dvc: Project):
    yield
    by_dvc.run("git", "checkout", "--quiet", "--", "params.yaml", "lssat")


def ended(stages: set[str]) -> set[str]:
    """Add what always follows the report: MLflow gets its runs and the page."""
    return stages | (TRACKED if "report" in stages else set())


def check_agreement(project: Project, expected: set[str]) -> None:
    assert project.snakemake_stale() == ended(expected)
    assert project.dvc_stale() == ended(expected)


@pytest.mark.parametrize("key", PARAMS, ids=".".join)
def test_case_35_an_edited_parameter(by_dvc: Project, key: tuple[str, str]) -> None:
    section, name = key
    value, expected = PARAMS[key]
    if section == "datasets":
        by_dvc.params()
        text = (by_dvc.path / "params.yaml").read_text()
        (by_dvc.path / "params.yaml").write_text(text.replace("limit: 0.0", f"limit: {value}"))
    else:
        by_dvc.params(**{section: {name: value}})
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
    with open(by_dvc.path / "lssat" / name, "a") as file:
        file.write("\nbody { margin: 3px }\n" if name.endswith("css") else "\nEDITED = 1\n")
    by_dvc.dvc_code()
    try:
        # What a module's edit makes stale depends on who imports it: more is an honest answer.
        stale = by_dvc.snakemake_stale()
        assert stale == by_dvc.dvc_stale()
        assert stale >= ended(MODULES[name])
        exact = (
            "tracking.py",
            "report/style.css",
            "slices/compare.py",
            "evaluate.py",
            "perturb.py",
            "ssat/model.py",
        )
        if name in (*exact, "audit/lookalikes.py"):
            assert stale == ended(MODULES[name])
    finally:
        by_dvc.run("git", "checkout", "--quiet", "--", "lssat")
        by_dvc.dvc_code()


def test_case_35_edited_comments_and_docstrings_redo_nothing(by_dvc: Project) -> None:
    for name in ("ssat/model.py", "faces/sample.py", "train/__init__.py"):
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
    assert by_dvc.snakemake_stale() == by_dvc.dvc_stale() == set()
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


@pytest.mark.parametrize(
    ("key", "values", "new"),
    [
        ("seeds", [0, 1], {f"{name[:-1]}1" for name in TRAIN}),
        (
            "backbones",
            ["vit_micro", "vit_mini"],
            {name.replace("vit_micro", "vit_mini") for name in TRAIN},
        ),
        ("baselines", ["resnet18"], {"train@celeba-resnet18-none-none-CRGB-0"}),
        (
            "sweep",
            dict(
                tasks=["celeba"],
                backbones=["vit_micro"],
                configurations=["MRGB-RLDP-CRGB"],
                lambdas=[0.1, 0.7, "learned"],  # 0.1 is the recipe's: a run under a second name
            ),
            {
                f"train@celeba-vit_micro-MRGB-RLDP-CRGB-lambda{each}-0"
                for each in (0.1, 0.7, "learned")
            },
        ),
    ],
)
def test_an_added_seed_backbone_baseline_or_lambda_runs_only_what_is_new(
    by_dvc: Project, key: str, values: list | dict, new: set[str]
) -> None:
    by_dvc.params(benchmark={key: values})
    timed = SPEED if key in ("backbones", "baselines") else set()
    check_agreement(by_dvc, new | END | HURT | timed)
