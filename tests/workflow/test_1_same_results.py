"""One graph: Snakemake and DVC do the same job, to the same bytes, and agree that it is done.

First what needs one of the projects: another worker makes the other meanwhile.
"""

import json
import re
from pathlib import Path

import pytest
import yaml
from helpers import ROOT
from helpers.project import Project
from helpers.training import link

from lssat.use import verify

SAME = [
    "data/raw/sample/celeba.json",
    "data/prepared/celeba/manifest.parquet",
    "data/prepared/celeba/faces/shard-00000.npy",
    "data/prepared/celeba/texture/ldp/shard-00000.npy",
    "data/prepared/celeba/splits/test.parquet",
    "data/prepared/celeba/audit.json",
    "data/prepared/celeba/lookalikes.parquet",
    "runs/celeba/vit_micro/MRGB-RLDP-CRGB/seed0/weights.safetensors",
    "runs/celeba/vit_micro/MRGB-RLDP-CRGB/seed0/curve.csv",
    "results/tasks/celeba/predictions.parquet",
    "results/tasks/celeba/metrics.json",
    "results/tasks/celeba/slices.json",
    "results/metrics.json",
    "results/table.csv",
    "results/slices.csv",
]


def test_snakemake_ends_with_the_report_and_the_headline_table(by_snakemake: Project) -> None:
    told = (by_snakemake.path / "told.txt").read_text()
    assert "Face attributes (CelebA)" in told
    assert f"report: {by_snakemake.path}/results/report.html" in told
    assert (by_snakemake.path / "results/report.html").stat().st_size > 100_000


def test_the_best_configuration_beats_the_trivial_baseline_with_its_whole_interval(
    by_snakemake: Project,
) -> None:
    metrics = json.loads((by_snakemake.path / "results/tasks/celeba/metrics.json").read_text())
    rows = [row for row in metrics["table"] if row["metric"] == metrics["metric"]]
    best = max(rows, key=lambda row: row["mean"])
    assert best["low"] > best["baseline"] == 0.5


def test_the_small_grid_gives_the_numbers_that_are_committed(by_snakemake: Project) -> None:
    told = by_snakemake.run("lssat", "verify", "--expected", "expected/small.json")
    assert "\nas expected: " in told
    told = by_snakemake.run("lssat", "verify", check=False)  # those are of the whole sample
    assert "expected/sample.json: is of other parameters: " in told


def test_runs_of_the_whole_sample_give_the_numbers_that_are_committed(
    by_snakemake: Project, tmp_path: Path
) -> None:
    """A part of `expected/sample.json`: two runs with all their epochs, on the same crops."""
    preset, data = ROOT / "presets/sample.yaml", "data/prepared/celeba"
    params = yaml.safe_load((by_snakemake.path / "params.yaml").read_text())
    params["train"] = yaml.safe_load(preset.read_text())["train"]
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(params))
    link(tmp_path / data, by_snakemake.path / data)
    here = ("--project", str(tmp_path))
    runs = [f"celeba/vit_micro/{slug}/seed0" for slug in ("MRGB-RLDP-CRGB", "none-none-CRGB")]
    for run in runs:
        by_snakemake.run("lssat", "train", "--run", run, "--no-energy", *here)
    by_snakemake.run("lssat", "evaluate", "--task", "celeba", *here)
    file = ROOT / "expected/sample.json"
    wanted = json.loads(file.read_text())
    task = wanted["tasks"]["celeba"]
    wanted["tasks"] = {"celeba": task | {"runs": {run: task["runs"][run] for run in runs}}}
    found = verify.compare(wanted, verify.expected_of(tmp_path / "results", preset), file)
    assert {each.run for each in found} == {"", *runs}
    assert {each.status for each in found} <= {"equal", "within"}, found


def test_a_second_run_does_nothing(by_snakemake: Project) -> None:
    told = by_snakemake.run("lssat", "run", "--cores", "8")
    assert "Nothing to be done: all results are up to date." in told
    assert "Face attributes (CelebA)" in told


def test_steps_of_snakemake_are_forked_and_those_of_dvc_are_not(
    by_snakemake: Project, by_dvc: Project
) -> None:
    """So that the same bytes, below, are those of forked steps and of steps by themselves."""
    forked = (by_snakemake.path / "logs/warm.log").read_text()
    assert "forked: train --run celeba/vit_micro/MRGB-RLDP-CRGB/seed0" in forked
    assert not (by_dvc.path / "logs/warm.log").exists()


def test_both_tools_find_nothing_to_do_after_dvc_repro(by_dvc: Project) -> None:
    assert "up to date" in by_dvc.run("dvc", "status")
    assert by_dvc.snakemake_stale() == set()


@pytest.mark.parametrize("file", SAME)
def test_two_runs_from_the_same_seeds_give_the_same_bytes(
    by_snakemake: Project, by_dvc: Project, file: str
) -> None:
    assert (by_snakemake.path / file).read_bytes() == (by_dvc.path / file).read_bytes()


def test_dvc_commit_after_snakemake_agrees(by_snakemake: Project) -> None:
    by_snakemake.run("dvc", "commit", "--force")
    assert "up to date" in by_snakemake.run("dvc", "status")
    assert by_snakemake.snakemake_stale() == set()


def test_dvc_shows_metrics_and_plots(by_dvc: Project) -> None:
    headline = json.loads((by_dvc.path / "results/headline.json").read_text())
    shown = json.loads(by_dvc.run("dvc", "metrics", "show", "--json"))
    assert shown[""]["data"]["results/headline.json"]["data"] == headline
    assert by_dvc.run("dvc", "metrics", "diff", "HEAD") == ""
    told = by_dvc.run("dvc", "plots", "show")
    page = Path(told.strip().splitlines()[-1].removeprefix("file://"))
    text = page.read_text()
    assert "curves.svg" in text
    assert not re.search(r"""(src|href)=["']?https?:""", text)  # it opens without a network
