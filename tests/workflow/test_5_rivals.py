"""SBI and Face X-ray by the real programs, on a small tree of the built-in sample."""

import json
import shutil
from pathlib import Path

import pytest
import yaml
from helpers.project import Project, copy

from lssat.tables import read_json

NAMES = ("sbi", "xray")
NAMED = {
    "tasks": ["ffpp"],
    "backbones": ["vit_micro"],
    "configurations": [f"none-none-CRGB+{name}" for name in NAMES],
}
ROOT = "data/raw/ffpp"
FFPP = {"root": ROOT, "shards": 1, "rejects_limit": 0.0, "frames": 2, "compression": "c23"}
RUNS = {name: f"runs/ffpp/vit_micro/none-none-CRGB+{name}/seed0" for name in NAMES}


def _params(project: Project, epochs: int) -> None:
    project.params(
        benchmark={"tasks": ["ffpp"], "configurations": ["none-none-CRGB"], "variants": NAMED},
        sample={"trees": []},
        datasets={"ffpp": FFPP | {"methods": ["Deepfakes"]}},
        train={"epochs": 1, "batch_size": 4, "warmup_epochs": 0},
        slices={"lists": {}},
    )
    file, named = project.path / "params.yaml", {"sbi": {"blend": "sbi", "epochs": epochs}}
    values = yaml.safe_load(file.read_text()) | {"variants": named | {"xray": {"blend": "xray"}}}
    file.write_text(yaml.safe_dump(values, sort_keys=False))


@pytest.mark.slow
def test_rivals_are_trained_by_snakemake_and_known_to_dvc(
    sample_trees: dict[str, Path], tmp_path: Path
) -> None:
    project = copy(tmp_path)
    shutil.copytree(sample_trees["ffpp"], project.path / ROOT)
    _params(project, epochs=1)
    targets = [f"{run}/record.json" for run in RUNS.values()]
    project.run("snakemake", "--cores", "2", "--", *targets)
    for name, target in zip(RUNS, targets, strict=True):
        made = read_json(project.path / target)
        assert made["params"]["train"]["blend"] == name
        assert made["epochs"] == 1
    stages = {name: f"variants@ffpp-vit_micro-none-none-CRGB+{name}-0" for name in RUNS}
    assert not {*stages.values()} & {*json.loads(project.run("dvc", "status", "--json"))}
    _params(project, epochs=2)
    changed = {*json.loads(project.run("dvc", "status", "--json"))}
    assert stages["sbi"] in changed
    told = project.run("snakemake", "-n", "--cores", "2", "--", *targets)
    assert "configuration=none-none-CRGB+sbi, " in told
    assert "configuration=none-none-CRGB+xray, " not in told
    assert "blends-ffpp.html" in project.run("lssat", "blends", "--task", "ffpp")
    page = (project.path / "results/local/blends-ffpp.html").read_text()
    assert page.count('<img src="data:image/png;base64,') == 16  # 8 real crops, in two kinds
