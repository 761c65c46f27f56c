"""Every command of the README and of docs/ runs in a test, as it stands there."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from helpers import ROOT, chromium, mlflow_ui
from helpers.project import Project, copy
from typer.testing import CliRunner

from lssat.cli import commands as cli

INIT = (
    "lssat init --preset paper"
    " --ffpp /path/to/ffpp --celeba /path/to/celeba --affectnet /path/to/affectnet"
)
PREDICT = "lssat predict --task celeba --aligned data/raw/sample/celeba/img_align_celeba/000300.jpg"
COMPARE = (
    "lssat compare runs/celeba/vit_micro/MRGB-RLDP-CRGB/seed0"
    " runs/celeba/vit_micro/none-none-CRGB/seed0 --out compare.html"
)
# A command of the pages -> the test (or fixture) that runs it.
RUN_BY = {
    "make": "test_make_runs_the_benchmark",
    "make test": "test_ci_runs_the_readmes_test_command",
    "snakemake --cores 8": "by_snakemake",
    "dvc repro": "by_dvc",
    "snakemake --cores 8 sensitivity": "test_sensitivity_is_made_when_it_is_asked_for",
    "mlflow ui": "test_mlflow_ui_shows_runs_that_can_be_compared",
    "lssat --help": "test_every_command_has_help_with_an_example",
    INIT: "test_the_papers_preset_makes_a_graph",
    "lssat doctor": "test_the_papers_preset_makes_a_graph",
    "dvc remote add --default storage /path/to/storage": "clone",
    "dvc push": "clone",
    PREDICT: "test_predict_scores_a_file_of_the_test_split",
    "snakemake --report results/snakemake.zip": (
        "test_snakemakes_report_holds_results_and_captions_without_a_network"
    ),
    "lssat formats --task celeba": "test_the_files_alone_are_asked_again_by_hand",
    "lssat format-probe --task celeba": "test_the_files_alone_are_asked_again_by_hand",
    "lssat blends --task ffpp": "test_rivals_are_trained_by_snakemake_and_known_to_dvc",
    COMPARE: "test_compare_writes_a_page_about_two_runs",
    "lssat verify": "test_the_small_grid_gives_the_numbers_that_are_committed",
    "lssat plan": "test_a_finished_project_is_planned_and_looked_at",
    "lssat run": "test_a_finished_project_is_planned_and_looked_at",
    "lssat run --task celeba": "test_a_finished_project_is_planned_and_looked_at",
    "lssat status": "test_a_finished_project_is_planned_and_looked_at",
    "lssat plan --profile profiles/slurm": "test_a_finished_project_is_planned_and_looked_at",
    "snakemake --profile profiles/slurm": "test_fault_f14_the_profile_as_typed_places_each_job",
    "lssat sync": "test_lssat_sync_puts_snakemake_in_step_without_retraining",
}
PARENT = "document.querySelector('[data-component-id*=runnamecellrenderer]')"
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def commands(page: Path) -> set[str]:
    blocks = re.findall(r"```bash\n(.*?)```", page.read_text(), flags=re.S)
    lines = [line.split("#")[0].strip() for block in blocks for line in block.splitlines()]
    return set(filter(None, lines))


def test_every_command_of_the_pages_is_run_by_a_test_that_exists() -> None:
    assert set().union(*map(commands, PAGES)) == set(RUN_BY)
    tests = "\n".join(file.read_text() for file in Path(__file__).parent.glob("*.py"))
    for command, test in RUN_BY.items():
        assert f"def {test}(" in tests, command


def test_links_and_pictures_of_the_pages_exist() -> None:
    for page in (*PAGES, ROOT / "CONTRIBUTING.md"):
        for target in re.findall(r"\]\(([^)#]+)\)", page.read_text()):
            if not target.startswith("https://"):
                assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_make_runs_the_benchmark(by_snakemake: Project) -> None:
    (by_snakemake.path / ".venv").symlink_to(Path(sys.executable).parent.parent)
    for name in ("requirements.lock", "pyproject.toml"):  # .venv is newer, as after `make .venv`
        os.utime(by_snakemake.path / name, (0, 0))
    (by_snakemake.path / "results/report.html").unlink()
    told = by_snakemake.run("make")
    assert re.search(r"\[1 of \d\] report +0:\d\d spent, +\d+ %, about 0:\d\d left", told)
    assert "Face attributes (CelebA)" in told
    assert f"report: {by_snakemake.path}/results/report.html" in told
    assert (by_snakemake.path / "results/report.html").exists()


def test_a_finished_project_is_planned_and_looked_at(by_snakemake: Project) -> None:
    assert "time:  about " in by_snakemake.run("lssat", "plan")
    told = by_snakemake.run("lssat", "plan", "--profile", "profiles/slurm")
    assert "jobs with a GPU: partition gpu" in told
    told = by_snakemake.run("lssat", "status")
    assert "all is done and up to date" in told
    assert re.search(r" train +celeba +2 ", told)
    assert "Nothing to be done" in by_snakemake.run("lssat", "run")
    told = by_snakemake.run("lssat", "run", "--task", "celeba")
    assert "2 runs of 2: below runs/" in told
    assert "evaluated: celeba" in told


def test_the_files_alone_are_asked_again_by_hand(by_snakemake: Project) -> None:
    written = by_snakemake.path / "results/tasks/celeba/format.json"
    before = written.read_bytes()
    for command in ("lssat formats --task celeba", "lssat format-probe --task celeba"):
        by_snakemake.run(*command.split())
    assert written.read_bytes() == before


def test_predict_scores_a_file_of_the_test_split(by_snakemake: Project) -> None:
    told = by_snakemake.run(*PREDICT.split())
    assert "best of 2 by val_balanced_accuracy" in told
    assert "calibrated on validation, temperature" in told
    assert "000300.jpg: " in told
    assert "1 file: 1 scored, 0 rejected" in told


def test_compare_writes_a_page_about_two_runs(by_snakemake: Project) -> None:
    told = by_snakemake.run(*COMPARE.split())
    assert "180 common test rows" in told
    assert "configuration: MRGB/RLDP/CRGB | none/none/CRGB" in told
    page = (by_snakemake.path / "compare.html").read_text()
    assert page.count('<img src="data:image/png;base64,') == 12


def test_ci_runs_the_readmes_test_command() -> None:
    assert (ROOT / ".ci/run").read_text().rstrip().endswith("\nmake test")
    made = subprocess.run(
        ["make", "--dry-run", "test"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    for part in ("ruff check", "ruff format", "snakefmt", "snakemake --lint", "mypy", "pytest"):
        assert part in made.stdout


def test_every_command_has_help_with_an_example() -> None:
    program = str(Path(sys.executable).parent / "lssat")
    done = subprocess.run([program, "--help"], capture_output=True, text=True, check=True)
    every = typer.main.get_command(cli.app).commands
    commands = [name for name, command in every.items() if not command.hidden]
    assert {"sample", "manifest", "faces", "train", "evaluate", "report", "sync"} <= set(commands)
    for name in commands:
        assert re.search(rf"^│ {name} ", done.stdout, flags=re.M), name
        assert "Example: " in CliRunner().invoke(cli.app, [name, "--help"]).output, name


def test_the_papers_preset_makes_a_graph(tmp_path: Path) -> None:
    project = copy(tmp_path)
    for name in ("ffpp", "celeba", "affectnet"):
        (tmp_path / "to" / name).mkdir(parents=True)
    project.run("cp", "presets/sample.yaml", "params.yaml")  # as in a fresh clone
    project.run(*INIT.replace("/path", str(tmp_path)).split())
    away = {"HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path / "hub")}
    told = project.run("snakemake", "-n", "--cores", "1", check=False, **away)
    assert "vit_base_patch16_224.mae is not in the local cache" in told
    params = tmp_path / "params.yaml"
    scratch = re.sub(r"\n  weights:.*\n(    .*\n)+", "\n  weights: scratch\n", params.read_text())
    params.write_text(scratch)
    stale = project.snakemake_stale()
    grid, variants = 3 * (3 * 6 + 3) * 3, 3 * 5 * 3
    assert len([name for name in stale if name.startswith("train@")]) == grid + variants
    told = project.run(
        "snakemake", "--cores", "1", "data/prepared/celeba/manifest.parquet", check=False
    )
    assert f"{tmp_path}/to/celeba: holds none of img_align_celeba" in told
    assert "datasets.celeba.root" in told
    told = project.run("lssat", "doctor", check=False)
    for name in ("ffpp", "celeba", "affectnet"):
        assert f"{name}: samples would be lost or damaged" in told


@pytest.mark.browser
@pytest.mark.skipif(chromium.PROGRAM is None, reason="no chromium on this machine")
def test_mlflow_ui_shows_runs_that_can_be_compared(by_snakemake: Project, tmp_path: Path) -> None:
    path = by_snakemake.path
    ids = list(mlflow_ui.runs(path, "celeba").values())
    log = tmp_path / "server.log"
    with (
        mlflow_ui.served(path, by_snakemake.environment, log) as address,
        chromium.page(tmp_path) as page,
    ):
        page.open(f"{address}/#/experiments")
        page.wait("document.body.innerText.includes('lssat-celeba')")
        page.open(f"{address}/#/experiments/{mlflow_ui.experiment(path, 'celeba')}/runs")
        page.wait("document.body.innerText.includes('benchmark ')")
        page.wait(f"{PARENT} !== null")
        page.run(f"{PARENT}.click()")  # its runs are folded below it
        page.wait("document.body.innerText.includes('vit_micro none-none-CRGB seed0')")
        page.wait("document.body.innerText.includes('vit_micro MRGB-RLDP-CRGB seed0')")
        page.picture(path / "mlflow-runs.png")
        page.open(f"{address}/{mlflow_ui.compare(path, 'celeba', ids)}")
        for seen in (
            "Headline_test",  # its axis; the list of all metrics is cut to the window
            "train.lambda_cls",
            "vit_micro MRGB-RLDP-CRGB",
        ):
            page.wait(f"document.body.innerText.includes('{seen}')")
        page.picture(path / "mlflow-compare.png")
        assert "Comparing 2 Runs" in page.run("document.body.innerText")
