"""What `dvc exp run -S` writes into params.yaml is read, as one value by both tools."""

import itertools
import math
from pathlib import Path

import pytest
import yaml
from dvc.parsing import DataResolver
from dvc.repo import Repo
from dvc.utils.hydra import apply_overrides
from helpers import ROOT
from helpers.preset import LOADED
from ruamel.yaml import YAML

from lssat import params
from lssat.params.yaml12 import read_yaml
from lssat.tables import DataError

SEEDS = len(LOADED.benchmark.seeds)  # of the sample
LISTS = len(LOADED.benchmark.tasks) * len(LOADED.benchmark.backbones)


def _set(folder: Path, *changes: str, preset: str = "sample") -> Path:
    """A copy of a preset with what `dvc exp run -S <change>` makes of it."""
    file = folder / "params.yaml"
    file.write_text((ROOT / "presets" / f"{preset}.yaml").read_text())
    apply_overrides(file, list(changes))
    return file


def _by_dvc(file: Path) -> dict:
    return YAML(typ="safe").load(file.read_text())


def test_fault_a3_what_dvc_writes_is_read(tmp_path: Path) -> None:
    file = _set(
        tmp_path,
        *("train.lr=5e-5", "train.min_lr=1e-7", "train.clip_grad=1e10", "train.mixup=.5"),
        *("train.weight_decay=0", "evaluate.seed=7", "train.hflip=false", "train.early_stop=null"),
        *("benchmark.seeds=[1,0]", "faces.margin=2"),
    )
    assert "lr: 5e-05\n" in file.read_text()
    loaded = params.load(file)
    assert (loaded.train.lr, loaded.train.min_lr, loaded.train.clip_grad) == (5e-5, 1e-7, 1e10)
    assert loaded.benchmark.seeds == [1, 0]
    assert read_yaml(file)[0] == _by_dvc(file)


def test_fault_a3_every_plain_scalar_is_read_alike_or_refused(tmp_path: Path) -> None:
    """PyYAML and DVC's reader take many spellings differently; no such value gets through."""
    heads, whole = ("", "+", "-"), ("", "0", "10", "010", "1_0", "0x1f", "0o17", "0b11", "_1")
    parts, powers = ("", ".", ".5", "._5", ".5_"), ("", "e5", "e-05", "E+5", "e", "e1_0")
    made = ["".join(each) for each in itertools.product(heads, whole, parts, powers)]
    words = "y No on TRUE tRUE ~ Null .inf -.INF .nan 12:30 1:2:3.5 2026-01-01 1e400 0e0 a_b 1_a"
    file, reader, refused = tmp_path / "a.yaml", YAML(typ="safe"), set()
    for text in filter(None, [*made, *words.split()]):
        file.write_text(f"key: {text}\n")
        try:
            (ours,) = read_yaml(file)[0].values()
        except DataError:
            refused.add(text)
            continue
        (dvcs,) = reader.load(file.read_text()).values()
        both_nan = isinstance(ours, float) and math.isnan(ours) and math.isnan(dvcs)
        assert (type(ours), ours) == (type(dvcs), dvcs) or both_nan, text
    assert {"y", "No", "on", "010", "12:30", "1_0", "0o17", "+010", "0b11"} <= refused
    assert not {"10e5", "10e-05", "10.5E+5", "+10.e5", ".5", "0e0", "a_b", "1_a", "TRUE"} & refused


@pytest.mark.parametrize("value", [".inf", ".nan", "1e400"])
def test_fault_a3_a_number_is_finite(tmp_path: Path, value: str) -> None:
    text = (ROOT / "presets/sample.yaml").read_text().replace("lr: 1.0e-3", f"lr: {value}")
    (tmp_path / "params.yaml").write_text(text)
    with pytest.raises(DataError, match=r"train\.lr: Input should be a finite number"):
        params.load(tmp_path / "params.yaml")


@pytest.fixture(scope="module")
def dvc(tmp_path_factory: pytest.TempPathFactory) -> Repo:
    return Repo.init(str(tmp_path_factory.mktemp("dvc")), no_scm=True)


BESIDE = "benchmark.variants.configurations"


def _folders(dvc: Repo) -> list[str]:
    """The folders of runs that DVC's stages make of the params.yaml in its folder."""
    stages = DataResolver(dvc, dvc.root_dir, yaml.safe_load((ROOT / "dvc.yaml").read_text()))
    outs = [out for stage in stages.resolve()["stages"].values() for out in stage.get("outs", [])]
    return sorted(out for out in outs if isinstance(out, str) and out.startswith("runs/"))


@pytest.mark.parametrize(
    ("preset", "changes", "repeated"),
    [
        ("sample", ["train.lambda_cls=0.5"], SEEDS),
        ("sample", ["train.lambda_cls=learned"], SEEDS),
        ("sample", ["train.lambda_cls=1", f"{BESIDE}=[MRGB-RLDP-CRGB-lambda1.0]"], SEEDS),
        ("sample", ["train.lambda_cls=1e-5", f"{BESIDE}=[MRGB-RLDP-CRGB-lambda1e-05]"], SEEDS),
        (
            "sample",
            ["benchmark.configurations=[MLDP-RRGB-CRGB,MLDP-RRGB-CRGB-lambda0.1]"],
            LISTS * SEEDS,
        ),
        ("paper", ["train.lambda_cls=0.5"], 9),
        ("ssat", ["train.lambda_cls=0.5"], 0),
    ],
)
def test_fault_a4_a_repeated_run_is_one_run_for_both_tools(
    dvc: Repo, preset: str, changes: list[str], repeated: int
) -> None:
    loaded = params.load(_set(Path(dvc.root_dir), *changes, preset=preset))
    named = loaded.named()
    assert _folders(dvc) == sorted(f"runs/{run.path}" for run in named)
    once = {
        run._replace(configuration=loaded.repeats().get(run.configuration, run.configuration))
        for run in named
    }
    assert once == set(loaded.runs())
    assert len(named) - len(loaded.runs()) == repeated
